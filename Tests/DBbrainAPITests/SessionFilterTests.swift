import SessionKill
import XCTest

@testable import DBbrainAPI

final class SessionFilterTests: XCTestCase {
    private func session(
        host: String = "10.0.0.7:51444", database: String? = "shop", command: String = "Query", seconds: Int64? = 12,
        state: String? = "updating", statement: String? = "UPDATE t SET a=1"
    ) throws -> Session {
        Session(
            identity: SessionIdentity(id: try XCTUnwrap(ThreadID(7)), user: "app", host: host),
            picture: SessionPicture(
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
        XCTAssertTrue(selects(try self.session(host: "localhost")) { $0.Host = "localhost" })
    }

    func testALongStatementAndALongFilterTakeNotLong() throws {
        let session = try session(statement: String(repeating: "a", count: 400_000))
        let filter = String(repeating: "a", count: 100_000) + "b"
        let begin = ContinuousClock.now
        XCTAssertFalse(selects(session) { $0.Info = filter })
        XCTAssertLessThan(begin.duration(to: .now), .seconds(5))
    }
}
