import SessionKill
import Text
import TestSupport
import XCTest

@testable import MySQLSessions

/// Texts of servers, which hold strangers' texts, are taken apart by their bytes.
final class ServerTextTests: XCTestCase {
    func testFindsThePreparedTransactionsInAReport() {
        let report = """
            ---TRANSACTION 4711, ACTIVE 3 sec (PREPARED) recovered trx\r
            ---TRANSACTION 4712, ACTIVE 3 sec\r\n---TRANSACTION 4713, not started (PREPARED)
            \u{301}---TRANSACTION 1, ACTIVE (PREPARED)\n---TRANSACTION \u{663}, ACTIVE (PREPARED)
            SELECT '---TRANSACTION 2, ACTIVE (PREPARED)'
            ---TRANSACTION 4714, ACTIVE (PREPARED) \u{301}
            """
        let prepared = MySQLConnection.prepared(inReport: report)
        XCTAssertTrue(prepared.isSuperset(of: ["4711", "4713", "4714"]))
        XCTAssertTrue(prepared.isDisjoint(with: ["4712", "1", "2", "\u{663}"]))
    }

    func testReadsThePrivilegesOfAGrantOnEverything() {
        let account = "`killd\u{301}`@`%`"
        XCTAssertEqual(
            AccountRights.globalPrivileges(inGrant: "GRANT PROCESS, CONNECTION ADMIN ON *.* TO \(account)"),
            ["PROCESS", "CONNECTION ADMIN"])
        for grant in [
            "GRANT SELECT ON `d`.* TO \(account)", "REVOKE PROCESS ON *.* TO \(account)", "GRANT `r`@`%` TO \(account)",
            "",
        ] {
            XCTAssertEqual(AccountRights.globalPrivileges(inGrant: grant), [], grant)
        }
    }

    func testReadsTheNumberThatCameBeforeTLS() {
        func number(_ text: String) -> UInt32? { MySQLFailure(code: 2_002, message: text).beforeTLS?.code }
        XCTAssertEqual(
            number("The authenticity of the following error cannot be verified: 1040 - Too many connections"), 1_040)
        XCTAssertNil(number("cannot be verified: \u{664}\u{663} - x"))
        XCTAssertNil(number("refused"))
    }

    func testLocksOnTablesOfOtherBytesDoNotMeet() {
        let rows = [
            ["1", "GRANTED", "EXCLUSIVE", "TABLE", "d", "caf\u{E9}"],
            ["2", "PENDING", "SHARED_READ", "TABLE", "d", "cafe\u{301}"],
        ]
        XCTAssertEqual(try waits(rows), [])
    }

    private func waits(_ rows: [[String?]]) throws -> [LockWait] {
        let columns = ["owner", "status", "type", "object_type", "object_schema", "object_name"]
        let answer = MySQLResult(columns: columns, rows: rows)
        return MetadataLock.waits(among: try MetadataLock.locks(try Rows(answer, "locks")), atMost: mostLocks)
    }

    func testServersAtOtherBytesAreOtherServers() {
        func server(_ address: MySQLAddress, user: String = "killd", password: String = "p") -> MySQLServerConfiguration
        {
            MySQLServerConfiguration(address: address, user: user, password: DatabasePassword(password))
        }
        let socket = MySQLAddress.unixSocket(path: "/run/caf\u{E9}.sock")
        let others = [
            server(.unixSocket(path: "/run/cafe\u{301}.sock")), server(.tcp(host: "h", port: 1, tls: .disabled)),
            server(.tcp(host: "h", port: 2, tls: .disabled)), server(.tcp(host: "h", port: 1, tls: .required)),
            server(socket, user: "\u{E9}"), server(socket, user: "e\u{301}"), server(socket, password: "\u{E9}"),
            server(socket, password: "e\u{301}"),
        ]
        XCTAssertEqual(Set([server(socket), server(socket)] + others).count, 1 + others.count)
    }

    /// Four megabytes that are one character to Unicode.
    func testCombiningMarksByTheMegabyteStallNobody() throws {
        let marks = String(repeating: "\u{301}\u{316}", count: 1_000_000)
        let time = try processorTime {
            XCTAssertEqual(MySQLConnection.prepared(inReport: "---TRANSACTION 4711 " + marks + " (PREPARED)"), ["4711"])
            XCTAssertEqual(AccountRights.globalPrivileges(inGrant: "GRANT " + marks + marks).count, 0)
            XCTAssertNil(MySQLFailure(code: 2_002, message: marks).beforeTLS)
            XCTAssertFalse(AccountRights.isOceanBase(version: marks))
            // Such names are refused; as long as names may be, they are compared.
            XCTAssertThrowsError(try waits([["1", marks, marks, marks, marks, marks]]))
            let name = String(decoding: marks.utf8.prefix(1_024), as: UTF8.self)
            XCTAssertEqual(try waits([["1", name, name, name, name, name]]), [])
        }
        XCTAssertLessThan(time, .seconds(20) * slowdown, "by characters it took a minute and more")
    }
}
