import SessionKill
import XCTest

@testable import DBbrainAPI

final class SessionStatisticsTests: XCTestCase {
    private func session(_ statement: String?, _ seconds: Int64?) throws -> Session {
        Session(
            identity: SessionIdentity(id: try XCTUnwrap(ThreadID(7)), user: "app", host: "localhost"),
            details: SessionDetails(command: "Query", seconds: seconds, statement: statement))
    }

    private func count(_ data: [String]?) throws -> StatisticInfo {
        let selectors = try data?.map { try XCTUnwrap(SqlTagSelector(rawValue: $0), $0) }
        return StatDimension(Dimension: .sqlTag, Data: selectors).count([
            try session("/* p = 2342 , f=abd */ select 1", 100), try session("/*f=abd,p=2342*/ select 2", 3),
            try session("/*f=xyz*/ select 3", 7), try session("/*f=abd*/ select 4", nil),
            try session("select 5", 1_000), try session(nil, 5),
        ])
    }

    func testCountsEverySetOfTagsTheLongestFirst() throws {
        let statistics = try count(nil)
        XCTAssertEqual(statistics.Dimension, "SqlTag")
        XCTAssertEqual(statistics.Data.map(\.Name), ["f=abd,p=2342", "f=xyz", "f=abd"])
        XCTAssertEqual(statistics.Data.map(\.Count), [2, 1, 1])
        XCTAssertEqual(statistics.Data.map(\.TimeSum), [103, 7, 0])
        XCTAssertEqual(statistics.Data.map(\.TimeAvg), [51.5, 7, 0])
        XCTAssertEqual(try count([]).Data.map(\.Name), statistics.Data.map(\.Name))
    }

    /// The vendor's description can be read both ways.
    func testMembersInBracketsSelectEachMembersWithoutTogether() throws {
        XCTAssertEqual(try count(["[f=abd]"]).Data.map(\.Name), ["f=abd,p=2342", "f=abd"])
        XCTAssertEqual(try count(["[f=abd,p]"]).Data.map(\.Name), ["f=abd,p=2342"])
        XCTAssertEqual(try count(["[p]", "[f=xyz]"]).Data.map(\.Name), ["f=abd,p=2342", "f=xyz"])
        XCTAssertEqual(try count(["p", "f=abd"]).Data.map(\.Name), ["f=abd,p=2342"])
        XCTAssertEqual(try count(["p", "f=xyz"]).Data.map(\.Name), [])
        XCTAssertEqual(try count(["p", "f=abd", "[f=xyz]"]).Data.map(\.Name), ["f=abd,p=2342", "f=xyz"])
    }

    func testTimesBeyondCountingAddUpToTheMost() throws {
        let sessions = [try session("/*a=b*/", .max), try session("/*a=b*/", .max), try session("/*a=b*/", .min)]
        let statistics = StatDimension(Dimension: .sqlTag, Data: nil).count(sessions)
        XCTAssertEqual(statistics.Data.map(\.Count), [3])
        XCTAssertEqual(statistics.Data.map(\.TimeSum), [Double(Int64.max)])
    }
}
