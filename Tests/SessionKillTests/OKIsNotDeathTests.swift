import SessionKill
import StoreContract
import XCTest

final class OKIsNotDeathTests: KillEngineTestCase {
    private static let transaction = Transaction(id: "4711", age: 9, rowsModified: 260_000, state: "RUNNING")

    private static func transaction(rowsLeft: UInt64 = 260_000, _ state: String) -> Transaction {
        Transaction(id: "4711", age: 9, rowsModified: rowsLeft, state: state)
    }

    /// A session with id 50 in a transaction, which its end leaves as `left`.
    private func commitSession50(leaving left: OpenTransaction...) async throws -> CommitReport {
        await server.set { server in
            server.sessions.append(.idle(50, transaction: Self.transaction))
            server.openTransactions = left
        }
        return try await commit(prepare([50]))
    }

    func testASessionThatStaysOnTheListIsNotCountedAsKilled() async throws {
        await server.set { $0.afterKill = { $0 } }
        let report = try await commit(prepare([3]))
        XCTAssertEqual(report.killed, [])
        XCTAssertGreaterThanOrEqual(clock.slept, .seconds(3))
    }

    func testASessionWithoutATransactionIsDeadWhenItIsOffTheList() async throws {
        let report = try await commit(prepare([3]))
        XCTAssertEqual(report.outcomes, [3: .killed])
        XCTAssertEqual(clock.slept, .zero)
    }

    func testATransactionThatChangedNothingIsNotWaitedFor() async throws {
        let reading = Transaction(id: nil, age: 9, rowsModified: 0, state: "RUNNING")
        await server.set { server in
            server.sessions.append(.idle(50, transaction: reading))
            server.openTransactions = [OpenTransaction(reading, thread: 51)]
        }
        let report = try await commit(prepare([50]))
        XCTAssertEqual(report.outcomes, [50: .killed])
        XCTAssertEqual(clock.slept, .zero)
    }

    func testASessionCountsAsKilledWhenItsRollbackIsOver() async throws {
        clock.whenSlept(for: .seconds(1)) { [server] in await server.set { $0.openTransactions = [] } }
        let report = try await commitSession50(leaving: OpenTransaction(Self.transaction("ROLLING BACK"), thread: 50))
        XCTAssertEqual(report.outcomes, [50: .killed])
        XCTAssertGreaterThanOrEqual(clock.slept, .seconds(1))
    }

    func testARollbackThatTakesLongerIsReportedWithTheRowsLeft() async throws {
        let report = try await commitSession50(
            leaving: OpenTransaction(Self.transaction(rowsLeft: 200_000, "ROLLING BACK"), thread: 50))
        XCTAssertEqual(report.outcomes, [50: .rollingBack(rowsLeft: 200_000)])
        XCTAssertEqual(report.killed, [50])
    }

    func testASessionThatTheServerListsWhileItRollsBackIsReportedWithTheRowsLeft() async throws {
        await server.set { $0.afterKill = { $0 } }
        let report = try await commitSession50(
            leaving: OpenTransaction(Self.transaction(rowsLeft: 7, "ROLLING BACK"), thread: 50))
        XCTAssertEqual(report.outcomes, [50: .rollingBack(rowsLeft: 7)])
    }

    func testATransactionThatOutlivesItsSessionIsAPreparedXATransaction() async throws {
        let report = try await commitSession50(leaving: OpenTransaction(Self.transaction, thread: nil))
        XCTAssertEqual(report.outcomes, [50: .xaPrepared])
        XCTAssertEqual(report.killed, [50])
    }

    /// As MySQL shows it from XA PREPARE on.
    func testASessionThatWasDetachedFromItsPreparedXATransactionLeavesItBehind() async throws {
        await server.set { server in
            var session = Session.idle(50)
            session.details.preparedXA = .present
            server.sessions.append(session)
        }
        let report = try await commit(prepare([50]))
        XCTAssertEqual(report.outcomes, [50: .xaPrepared])
    }

    func testOfASessionThatMayHavePreparedAnXATransactionItIsNotSaidThatAllIsFree() async throws {
        let transactions = [nil, Self.transaction]
        for (id, transaction) in zip([50, 51] as [ThreadID], transactions) {
            await server.set { server in
                var session = Session.idle(id.rawValue, transaction: transaction)
                session.details.preparedXA = .unknown
                server.sessions.append(session)
            }
        }
        let plan = try await prepare([50, 51])
        XCTAssertEqual(plan.content.threads.map(\.session?.details?.preparedXA), [.unknown, .unknown])
        let report = try await commit(plan)
        XCTAssertEqual(report.outcomes, [50: .xaUnknown, 51: .xaUnknown])
        XCTAssertEqual(report.killed, [50, 51])
    }

    private static let wait = "Waiting for semi-sync ACK from replica"

    /// A session with id 50 whose change waits for a replica's acknowledgement.
    private func addWaitingSession(_ transaction: Transaction? = nil, _ state: String = wait) async {
        await server.set { server in
            var session = Session.idle(50, command: "Query", transaction: transaction)
            session.details.state = state
            server.sessions.append(session)
        }
    }

    func testAChangeThatWaitedForAReplicaOnlyIsReportedAsCommitted() async throws {
        for (transaction, state) in [(nil, Self.wait), (Self.transaction, "Waiting for semi-sync ACK from slave")] {
            await addWaitingSession(transaction, state)
            let plan = try await prepare([50])
            XCTAssertEqual(plan.content.threads[0].session?.details?.awaitsReplica, true)
            let report = try await commit(plan)
            XCTAssertEqual(report.outcomes, [50: .alreadyCommitted])
            XCTAssertEqual(report.killed, [50])
        }
    }

    func testASessionThatTheServerKeepsUntilAReplicaAcknowledgesIsReportedWithItsChange() async throws {
        await addWaitingSession()
        await server.set { $0.afterKill = { $0 } }
        let report = try await commit(prepare([50]))
        XCTAssertEqual(report.outcomes, [50: .failed(.outlivedKillCommitted)])
        XCTAssertEqual(report.killed, [])
    }

    /// A KILL that meets a COMMIT: the session is gone, but the transaction still has its thread.
    func testATransactionThatIsBeingCommittedIsNotTakenForAPreparedOne() async throws {
        clock.whenSlept(for: .seconds(1)) { [server] in await server.set { $0.openTransactions = [] } }
        let report = try await commitSession50(leaving: OpenTransaction(Self.transaction, thread: 50))
        XCTAssertEqual(report.outcomes, [50: .killed])
        XCTAssertGreaterThanOrEqual(clock.slept, .seconds(1))
    }

    func testEvenWithoutAWaitTheTransactionsAreReadOnce() async throws {
        let transaction = OpenTransaction(Self.transaction(rowsLeft: 7, "ROLLING BACK"), thread: 50)
        await server.set { server in
            server.sessions.append(.idle(50, transaction: Self.transaction))
            server.openTransactions = [transaction]
            server.repeatsTheLastReading = true
        }
        clock.whenSlept(for: .milliseconds(250)) { [server] in await server.set { $0.repeatsTheLastReading = false } }
        let impatient = KillEngine(
            store: store, settings: .init(planLifetime: 600, killWait: .zero),
            clock: .init(now: clock.now, sleep: clock.sleep))
        let plan = try await prepare([50])
        let report = try await impatient.commit(plan.sqlExecID, on: instance, for: "ci")
        XCTAssertEqual(report.outcomes, [50: .rollingBack(rowsLeft: 7)])
        XCTAssertLessThan(clock.slept, .milliseconds(600))
    }

    func testAReadingFromBeforeTheKillIsNoProof() async throws {
        await server.set { server in
            server.sessions.append(.idle(50, transaction: Self.transaction))
            // Whoever asks within 250 ms of another is handed what that one saw.
            server.repeatsTheLastReading = true
        }
        let report = try await commit(prepare([50]))
        XCTAssertEqual(report.outcomes, [50: .unknown])
    }
}
