import ActionDispatch
import TestSupport
import XCTest

@testable import DBbrainAPI

final class VendorActionsTests: XCTestCase {
    func testTheNamesAreThoseOfTheOfficialClients() async throws {
        guard let python = ProcessInfo.processInfo.environment["KILLD_PYTHON"] else {
            throw XCTSkip("needs KILLD_PYTHON: a Python with tencentcloud-sdk-python-dbbrain")
        }
        for version in APIVersion.allCases {
            let module = "v" + version.rawValue.filter { $0 != "-" }
            let program = """
                import re
                from tencentcloud.dbbrain.\(module) import dbbrain_client
                print("\\n".join(re.findall(r'self\\.call\\("([^"]+)"', open(dbbrain_client.__file__).read())))
                """
            let client = try await FinishedProgram.run(python, ["-c", program])
            XCTAssertEqual(client.status, 0, client.error)
            let names = client.output.split(separator: "\n").map(String.init)
            XCTAssertGreaterThan(names.count, 20)
            XCTAssertEqual(VendorActions.names[version]?.sorted(), names.sorted(), version.rawValue)
        }
    }
}
