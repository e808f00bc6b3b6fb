import SessionKill
import XCTest

/// The page `API` of killd.docc is true.
final class APIPageTests: XCTestCase {
    func testItListsEveryOutcomeAndWhichOfThemAreInThreads() throws {
        let rows = try Document.rows(in: Document.page("API").section("Outcomes"))
        XCTAssertEqual(
            rows.flatMap { $0[0].inCode }.sorted(), Outcome.Kind.allCases.map(\.rawValue).sorted())
        let inThreads: [Outcome] = [
            .killed, .rollingBack(rowsLeft: 1), .xaPrepared, .xaUnknown, .alreadyCommitted, .ended,
        ]
        XCTAssertTrue(inThreads.allSatisfy(\.isKilled))
        let listed = rows.filter { $0[2] == "yes" }.flatMap { $0[0].inCode }
        XCTAssertEqual(Set(listed), Set(inThreads.map(\.kind.rawValue)))
    }

    func testItListsEveryGuardTheStrongestFirst() throws {
        let rows = try Document.rows(in: Document.page("API").section("Between snapshot and KILL"))
        XCTAssertEqual(rows.flatMap { $0[0].inCode }, KillGuard.allCases.map(\.rawValue))
    }
}
