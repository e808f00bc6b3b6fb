@testable import MySQLSessions
import SessionKill
import TestSupport
import XCTest

/// InnoDB renews what INNODB_TRX shows only when nobody read it for 100 ms.
final class TransactionReadingsTests: XCTestCase {
    private let transactions = [
        OpenTransaction(Transaction(id: "7", age: 1, rowsModified: 2, state: "RUNNING"), thread: nil)
    ]

    func testAReadingIsHandedOutForAQuarterOfASecondFromItsBeginning() {
        let readings = ServerReadings()
        let begin = ContinuousClock.now
        XCTAssertNil(readings.recent(at: begin))
        let first = readings.add(transactions, begunAt: begin)
        XCTAssertEqual(readings.recent(at: begin), first)
        XCTAssertEqual(readings.recent(at: begin + .milliseconds(249)), first)
        XCTAssertNil(readings.recent(at: begin + .milliseconds(250)))
        XCTAssertNil(readings.recentLockWaits(at: begin))

        let second = readings.add([], begunAt: begin + .seconds(1))
        XCTAssertGreaterThan(second.number, first.number)
        XCTAssertEqual(readings.recent(at: begin + .seconds(1)), second)
    }

    func testHoweverOftenKilldAsksItReadsFourTimesASecond() async throws {
        try await onEveryServer { server in
            let database = MySQLServer(server.configuration())
            try await database.start()
            let begin = ContinuousClock.now
            var numbers: [Int] = []
            while begin.duration(to: .now) < .seconds(1) {
                numbers.append(try await database.observe(.locks).transactionReading)
                numbers.append(
                    try await database.withConnection { try await $0.transactions().number })
            }
            let most = Int(begin.duration(to: .now) / ServerReadings.pause) + 1
            XCTAssertGreaterThan(numbers.count, most)
            XCTAssertEqual(numbers, numbers.sorted())
            XCTAssertTrue((2...most).contains(Set(numbers).count), "\(numbers)")
            await database.close()
        }
    }
}
