import Foundation
import SessionKill
import TestSupport
import XCTest

@testable import DBbrainAPI

final class SessionFilterTests: XCTestCase {
    private func session(
        host: String = "10.0.0.7:51444", database: String? = "shop", command: String = "Query", seconds: Int64? = 12,
        state: String? = "updating", statement: String? = "UPDATE t SET a=1"
    ) throws -> Session {
        Session(
            identity: SessionIdentity(id: try XCTUnwrap(ThreadID(7)), user: "app", host: host),
            details: SessionDetails(
                database: database, command: command, seconds: seconds, state: state, statement: statement))
    }

    private func selects(
        _ session: Session, _ change: (inout DescribeMySqlProcessListRequest) -> Void
    ) -> Bool {
        var request = DescribeMySqlProcessListRequest(InstanceId: "cdb-test")
        change(&request)
        return SessionFilter(request).selects(session)
    }

    func testEveryFilterSelectsWhatItNamesAndNothingElse() throws {
        let session = try session()
        let matching: [(inout DescribeMySqlProcessListRequest) -> Void] = [
            { _ in }, { $0.ID = 7 }, { $0.User = "app" }, { $0.Host = "10.0.0.7" }, { $0.Host = "10.0.0.7:51444" },
            { $0.DB = "shop" }, { $0.State = "Updating" }, { $0.Command = "query" }, { $0.Time = 11 },
            { $0.Info = "SET a" }, { $0.Info = "UPDATE t SET a=1" },
        ]
        for (index, change) in matching.enumerated() { XCTAssertTrue(selects(session, change), "\(index)") }
        let others: [(inout DescribeMySqlProcessListRequest) -> Void] = [
            { $0.ID = 8 }, { $0.User = "App" }, { $0.User = "ap" }, { $0.Host = "10.0.0" }, { $0.Host = "10.0.0.7:" },
            { $0.Host = "10.0.0.7:5144" }, { $0.DB = "sho" }, { $0.DB = "Shop" }, { $0.State = "updat" },
            { $0.Command = "Sleep" }, { $0.Time = 12 }, { $0.Time = UInt64.max }, { $0.Info = "set a" },
            {
                $0.User = "app"
                $0.Command = "Sleep"
            },
        ]
        for (index, change) in others.enumerated() { XCTAssertFalse(selects(session, change), "\(index)") }
    }

    func testTextsAreComparedByTheirBytes() throws {
        var session = try session(database: "caf\u{E9}", statement: "SELECT 'caf\u{E9}'")
        session.identity.user = "caf\u{E9}"
        XCTAssertTrue(selects(session) { $0.User = "caf\u{E9}" })
        XCTAssertFalse(selects(session) { $0.User = "cafe\u{301}" })
        XCTAssertFalse(selects(session) { $0.DB = "cafe\u{301}" })
        XCTAssertFalse(selects(session) { $0.Info = "cafe\u{301}" })
        XCTAssertTrue(selects(session) { $0.Info = "caf" })
    }

    /// Four megabytes that are one character to Unicode, in everything that is asked of a statement.
    func testCombiningMarksByTheMegabyteStallNobody() throws {
        let marks = String(repeating: "\u{301}\u{316}", count: 1_000_000)
        var session = try session(
            host: marks, database: marks, command: marks, state: marks, statement: "SELECT " + marks)
        session.identity.user = marks
        let statistics = try JSONDecoder().decode(StatDimension.self, from: Data(#"{"Dimension":"SqlTag"}"#.utf8))
        let time = processorTime {
            XCTAssertFalse(
                selects(session) {
                    $0.User = "app"
                    $0.Host = "10.0.0.7"
                })
            XCTAssertTrue(selects(session) { $0.Info = marks })
            XCTAssertFalse(selects(session) { $0.Info = marks + "a" })
            XCTAssertEqual(SqlType(of: "/*" + marks + "*/ SELECT " + marks), .select)
            XCTAssertEqual(SqlType(of: marks), .other)
            XCTAssertEqual(
                SqlTag.tags(of: "SELECT /* a=" + marks + " */ 1 /* p=1 */").map { SqlTag.name(of: [$0]) },
                [Array("p=1".utf8)])
            XCTAssertEqual(statistics.count([session]).Data.count, 0)
            XCTAssertEqual(MySqlProcess(session).Info.utf8.count, 4_000_007)
        }
        XCTAssertLessThan(time, .seconds(20) * slowdown, "by characters it took a minute and more")
    }

    /// Several SDKs drop empty texts from queries and forms and send them in JSON.
    func testAnEmptyTextAsksForNothing() throws {
        let session = try session()
        XCTAssertTrue(
            selects(session) {
                $0.User = ""
                $0.Host = ""
                $0.DB = ""
                $0.State = ""
                $0.Command = ""
                $0.Info = ""
            })
    }

    func testWhatTheServerDoesNotTellFulfilsNoFilter() throws {
        let session = try session(database: nil, seconds: nil, state: nil, statement: nil)
        XCTAssertFalse(selects(session) { $0.DB = "shop" })
        XCTAssertFalse(selects(session) { $0.State = "updating" })
        XCTAssertFalse(selects(session) { $0.Info = "UPDATE" })
        XCTAssertFalse(selects(session) { $0.Time = 0 })
    }

    func testAnAddressOfIPv6IsFoundWithItsPortAndWithout() throws {
        let session = try session(host: "fe80::1:51444")
        XCTAssertTrue(selects(session) { $0.Host = "fe80::1" })
        XCTAssertTrue(selects(session) { $0.Host = "fe80::1:51444" })
        XCTAssertFalse(selects(session) { $0.Host = "fe80:" })
        // As an address it is that of another client.
        let ambiguous = try self.session(host: "fe80::1:5144")
        XCTAssertTrue(selects(ambiguous) { $0.Host = "fe80::1" })
        XCTAssertFalse(selects(ambiguous) { $0.Host = "fe80::1:5144" })
        XCTAssertTrue(selects(try self.session(host: "localhost")) { $0.Host = "localhost" })
    }

    func testALongStatementAndALongFilterTakeNotLong() throws {
        let session = try session(statement: String(repeating: "a", count: 400_000))
        let filter = String(repeating: "a", count: 100_000) + "b"
        let time = processorTime { XCTAssertFalse(selects(session) { $0.Info = filter }) }
        XCTAssertLessThan(time, .seconds(5) * slowdown)
    }
}
