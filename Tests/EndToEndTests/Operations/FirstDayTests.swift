import Foundation
import PrivateDatabase
import TestSupport
import XCTest

/// What an operator meets on the first day.
final class FirstDayTests: XCTestCase {
    private func configuration() async throws -> KilldConfiguration {
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        return KilldConfiguration(port: server.database.port)
    }

    /// `check` and `serve` say the same, and leave nothing behind.
    private func assertBothSay(
        _ words: String..., file: StaticString = #filePath, line: UInt = #line,
        of change: (inout KilldConfiguration, TestFolder) -> Void
    ) async throws {
        let folder = try TestFolder()
        var configuration = try await configuration()
        change(&configuration, folder)
        let path = try folder.write(JSONEncoder().encode(configuration), to: "killd.json")
        let check = try await KilldProcess.run(["check", "--config", path])
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: folder.path), ["killd.json"])
        let serve = try await KilldProcess.run(["serve", "--config", path])
        XCTAssertEqual([check.status, serve.status], [1, 1], check.output, file: file, line: line)
        XCTAssertTrue(check.output.contains("  PROBLEM  "), check.output, file: file, line: line)
        for word in words {
            XCTAssertTrue(check.output.contains(word), check.output, file: file, line: line)
            XCTAssertTrue(serve.error.contains(word), serve.error, file: file, line: line)
        }
        XCTAssertFalse((check.output + serve.error).contains("SQLite error"), serve.error, file: file, line: line)
    }

    func testAStoreThatCannotBeIsNamedByItsFolder() async throws {
        try await assertBothSay("the folder ", "missing/ is not there; create it") { configuration, folder in
            configuration.store = folder.file("missing/killd.sqlite")
        }
        try await assertBothSay("cannot open the store ", "killd.sqlite: Not a directory") { configuration, folder in
            configuration.store = folder.file("killd.json/no.folder/killd.sqlite")
        }
    }

    func testAnAddressThatCannotBeHadIsNamedByItsKey() async throws {
        let taken = SilentListener()
        try await assertBothSay("listen: cannot listen at 127.0.0.1:\(taken.port): the address is in use") {
            configuration, _ in configuration.listen = "127.0.0.1:\(taken.port)"
        }
        try await assertBothSay("das.listen: cannot listen at 127.0.0.1:\(taken.port): the address is in use") {
            configuration, _ in
            configuration.das = .init()
            configuration.das?.listen = "127.0.0.1:\(taken.port)"
        }
        try await assertBothSay("operations.listen: cannot listen at 192.0.2.1:80: this machine has no such address") {
            configuration, _ in
            configuration.operations = .init()
            configuration.operations?.listen = "192.0.2.1:80"
        }
    }

    func testCheckFindsNothingWrongWithAConfigurationThatIsServed() async throws {
        var configuration = try await configuration()
        configuration.listen = "127.0.0.1:\(try PrivateDatabase.freePort())"
        configuration.das = .init()
        configuration.das?.listen = "127.0.0.1:\(try PrivateDatabase.freePort())"
        let killd = try await KilldProcess.start(configuration)
        let check = try await KilldProcess.run(["check", "--config", killd.configurationFile])
        XCTAssertEqual(check.status, 0, check.output)
        XCTAssertFalse(check.output.contains("PROBLEM"), check.output)
        XCTAssertNotNil(try SigningClient(killd).raw("DescribeMySqlProcessList", ["InstanceId": "cdb-test"]))
        try await killd.stop()
    }

    func testTheLogHasTheClientThatATrustedProxyNames() async throws {
        for (trusted, client) in [(["127.0.0.1"], "192.0.2.1"), (["10.0.0.0/8"], "127.0.0.1")] {
            var configuration = try await configuration()
            configuration.das = .init()
            configuration.trustedProxies = .init(trusted, protocol: "X-Forwarded-For")
            let killd = try await KilldProcess.start(configuration)
            for port in [killd.port, killd.dasPort] {
                let connection = try TestClient(port: port)
                connection.send(
                    "POST / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 203.0.113.9, 192.0.2.1\r\nConnection: close\r\n"
                        + "Content-Length: 0\r\n\r\n")
                XCTAssertEqual(connection.receive()?.hasPrefix("HTTP/1.1 "), true)
            }
            try await eventually("two lines") {
                try killd.log.ranges(of: #""client":"\#(client)""#).count == 2
            }
            try await killd.stop()
        }
    }
}
