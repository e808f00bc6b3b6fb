import Foundation
import XCTest

@testable import killd

final class PrivateFilesTests: XCTestCase {
    private var folder = ""

    override func setUpWithError() throws {
        folder = NSTemporaryDirectory() + "killd-files-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    }

    override func tearDownWithError() throws { try FileManager.default.removeItem(atPath: folder) }

    private func write(_ name: String, _ text: String, mode: Int) throws -> String {
        let path = folder + "/" + name
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    private func configuration(mode: Int) throws -> Configuration {
        let text = """
            {
              "accounts": [{ "name": "ci", "uin": "100000000001", "secretId": "AKIDci",
                "secretKey": { "file": "ci.key" }, "may": ["list"], "instances": ["*"] }],
              "instances": [{ "id": "cdb-1", "name": "n", "product": "mysql", "region": "ap-guangzhou",
                "host": "127.0.0.1", "port": 3306, "user": "killd", "password": { "file": "\(folder)/db.key" } }]
            }
            """
        return try Configuration(file: try write("killd.json", text, mode: mode))
    }

    func testFilesThatOthersCanReadOrWriteAreNamedWithWhatToDo() throws {
        let keys = [try write("ci.key", "s3cret", mode: 0o604), try write("db.key", "s3cret", mode: 0o606)]
        let store = try write("killd.sqlite", "", mode: 0o644)
        let configuration = try configuration(mode: 0o644)
        let path = folder + "/killd.json"
        XCTAssertEqual(configuration.exposedFiles.map(\.path), [path] + keys + [store])
        XCTAssertEqual(
            configuration.exposedFiles.map(\.finding),
            [
                "\(path) can be read by every user of this machine; run: chmod o-rwx \(path)",
                "\(keys[0]) can be read by every user of this machine; run: chmod o-rwx \(keys[0])",
                "\(keys[1]) can be read and written by every user of this machine; run: chmod o-rwx \(keys[1])",
                "\(store) can be read by every user of this machine; run: chmod o-rwx \(store)",
            ])
    }

    func testFilesOfTheirOwnerAndGroupAreNotComplainedOf() throws {
        for name in ["ci.key", "db.key"] { _ = try write(name, "s3cret", mode: 0o640) }
        _ = try write("killd.sqlite", "", mode: 0o600)
        XCTAssertEqual(try configuration(mode: 0o600).exposedFiles.map(\.path), [])
    }
}
