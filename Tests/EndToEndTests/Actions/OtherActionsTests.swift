import PrivateDatabase
import TestSupport
import XCTest

/// Actions that the vendor has and killd has not.
final class OtherActionsTests: XCTestCase {
    func testAnActionOfTheVendorsIsRefusedByItsNameAndNobodysIsInvalid() async throws {
        let killd = try await KilldProcess.start(KilldConfiguration(port: try PrivateDatabase.freePort()))
        let client = try SigningClient(killd)
        func assertAnswer(_ action: String, _ version: String, _ code: String, _ message: String) throws {
            let body = try client.raw(action, ["Whatever": ["it": "is"]], version: version)
            XCTAssertTrue(body.contains(#""Error":{"Code":"\#(code)","Message":"\#(message)"}"#), "\(action): \(body)")
        }
        for (action, version) in [
            ("CreateSqlFilter", "2021-05-27"), ("DescribeDatabaseObjectV2", "2021-05-27"),
            ("DescribeSlowLogTopSqls", "2021-05-27"), ("DescribeSlowLogTopSqls", "2019-10-16"),
        ] {
            try assertAnswer(action, version, "UnsupportedOperation", "The action `\(action)` is not supported.")
        }
        for (action, version) in [
            ("CreateSqlFilter", "2019-10-16"), ("KillMySqlThreads", "2019-10-16"),
            ("DescribeDBInstances", "2019-10-16"), ("VerifyUserAccount", "2019-10-16"),
            ("DescribeKillPlan", "2019-10-16"), ("Nonsense", "2021-05-27"), ("createSqlFilter", "2021-05-27"),
        ] {
            try assertAnswer(
                action, version, "InvalidAction",
                "The request action=`\(action)` is invalid or not found in service=`dbbrain` and version=`\(version)`.")
        }
        try await killd.stop()
    }
}
