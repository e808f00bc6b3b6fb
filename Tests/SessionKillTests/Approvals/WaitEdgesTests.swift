@testable import SessionKill
import XCTest

/// Who waits for whom, as approvers are shown it.
final class WaitEdgesTests: XCTestCase {
    private func snapshot(_ pairs: [(UInt32, UInt32?)], sessions: ClosedRange<UInt32> = 1...30) -> IndexedObservation {
        let waits = pairs.map { waiter, holder in
            LockWait(
                waiter: ThreadID(integerLiteral: waiter), holder: holder.map { ThreadID(integerLiteral: $0) },
                lock: Lock(kind: .row, object: "shop.orders", index: "PRIMARY", mode: "X"))
        }
        return IndexedObservation(
            ServerObservation(
                fingerprint: ServerFingerprint(
                    uniqueID: "u", hostname: "h", port: 1, serverID: 1, version: "9.7", startedAt: 1,
                    connectionCount: 1),
                sessions: sessions.map { .idle($0) }, ownThreadIDs: [], lockWaits: LockWaits(known: waits)))
    }

    private func edges(_ waits: (edges: [WaitEdge], omitted: Int)) -> [String] {
        waits.edges.map { "\($0.waiter)>\($0.holder?.description ?? "-")" }
    }

    func testWaitersAreListedInTurnWithAllWhomTheyWaitFor() {
        // 2 waits for nobody's transaction; 3 and 4 for 2, 5 for 3 and for 9, and 7 for 8, far from all that.
        let waits = snapshot([(3, 2), (4, 2), (5, 3), (5, 9), (7, 8), (2, nil)])
        XCTAssertEqual(edges(waits.waits(around: [2])), ["2>-", "3>2", "4>2", "5>3", "5>9"])
        XCTAssertEqual(waits.waits(around: [2]).omitted, 0)
        let edge = waits.waits(around: [2]).edges[1]
        XCTAssertEqual(edge.user, "app")
        XCTAssertEqual(edge.host, "10.0.0.7:40003")
        XCTAssertEqual(edge.seconds, 12)
        XCTAssertEqual(edge.lock.object, "shop.orders")
    }

    func testWhoIsInACycleIsListedOnce() {
        XCTAssertEqual(edges(snapshot([(1, 2), (2, 1), (1, 1)]).waits(around: [1])), ["1>2", "2>1"])
    }

    func testWhoWaitsForASessionThatIsNotThereIsNobodysWaiter() {
        XCTAssertEqual(edges(snapshot([(3, 99)]).waits(around: [99])), [])
    }

    func testBeyondTwoHundredTheyAreCounted() {
        let waits = snapshot((2...1_001).map { ($0, 1) }, sessions: 1...1_001).waits(around: [1])
        XCTAssertEqual(waits.edges.count, 200)
        XCTAssertEqual(waits.omitted, 800)
        XCTAssertEqual(waits.edges.first?.waiter, 2)
    }
}
