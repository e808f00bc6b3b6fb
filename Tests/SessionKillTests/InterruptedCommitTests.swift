import SessionKill
import XCTest

/// What a Commit that is taken up again says of the sessions that the first was about to kill.
final class InterruptedCommitTests: KillEngineTestCase {
    private static func transaction(_ state: String, rows: UInt64 = 9) -> Transaction {
        Transaction(id: "4711", age: 9, rowsModified: rows, state: state)
    }

    /// Session 50 was about to be killed, with 3 as a bystander, when killd died. `change` happens until the next Commit.
    private func commitAfterCrash(
        _ session: Session = .idle(50), recordHistory: Bool = true,
        _ change: @escaping @Sendable (isolated ScriptedServer) -> Void
    ) async throws -> CommitReport {
        await server.set { $0.sessions.append(session) }
        let plan = try await prepare([50], recordHistory: recordHistory)
        await store.set { $0.dyingAfter = [.claim] }
        _ = try? await commit(plan)
        await store.set { $0.dyingAfter = [] }
        await server.set(change)
        let report = try await commit(plan)
        let again = try await commit(plan)
        XCTAssertEqual(report, again)
        let sessions = await server.sessions
        XCTAssertTrue(sessions.contains { $0.id == 3 })
        return report
    }

    private static func remove(_ server: isolated ScriptedServer) { server.sessions.removeAll { $0.id == 50 } }

    func testASessionThatIsOffTheListIsListedInThreadsAsEnded() async throws {
        let report = try await commitAfterCrash { Self.remove($0) }
        XCTAssertEqual(report.outcomes, [50: .ended])
        XCTAssertEqual(report.killed, [50])
        let kills = await server.kills
        XCTAssertEqual(kills, [])
    }

    /// MySQL draws its mark anew also when its clock is set back: the session may live.
    func testASessionIsNotCalledEndedWhereTheServerOnlyDrewItsMarkAnew() async throws {
        await server.set { $0.sessions.append(.idle(50)) }
        let plan = try await prepare([50])
        await store.set { $0.dyingAfter = [.claim] }
        _ = try? await commit(plan)
        await store.set { $0.dyingAfter = [] }
        await server.set { $0.fingerprint.startMark = "8663-02fc00000001" }
        do {
            let report = try await commit(plan)
            XCTFail("\(report.outcomes)")
        } catch KillError.stale(.serverRestarted, afterInterruption: true) {
        }
        let stored = try await store.plan(named: plan.name)
        guard case .ended(.stale(.serverRestarted), _, let outcomes, _)? = stored?.state else {
            return XCTFail("\(String(describing: stored?.state))")
        }
        XCTAssertEqual(outcomes, [50: .unknown])
        let kills = await server.kills
        XCTAssertEqual(kills, [])
    }

    func testASessionIsNotEndedBeforeItsTransactionIs() async throws {
        clock.whenSlept(for: .seconds(1)) { [server] in await server.set { $0.openTransactions = [] } }
        let report = try await commitAfterCrash { server in
            Self.remove(server)
            server.openTransactions = [OpenTransaction(Self.transaction("ROLLING BACK"), thread: 50)]
        }
        XCTAssertEqual(report.outcomes, [50: .ended])
        XCTAssertGreaterThanOrEqual(clock.slept, .seconds(1))
    }

    func testARollbackThatTakesLongerIsReportedWithItsRows() async throws {
        let report = try await commitAfterCrash { server in
            Self.remove(server)
            server.openTransactions = [OpenTransaction(Self.transaction("ROLLING BACK", rows: 7), thread: 50)]
        }
        XCTAssertEqual(report.outcomes, [50: .rollingBack(rowsLeft: 7)])
    }

    func testThePinnedTransactionIsFoundByItsIdAlone() async throws {
        let report = try await commitAfterCrash(.idle(50, transaction: Self.transaction("RUNNING"))) { server in
            Self.remove(server)
            server.openTransactions = [OpenTransaction(Self.transaction("ROLLING BACK", rows: 7), thread: nil)]
        }
        XCTAssertEqual(report.outcomes, [50: .rollingBack(rowsLeft: 7)])
    }

    func testAPreparedXATransactionThatItLeavesIsReported() async throws {
        let report = try await commitAfterCrash(.idle(50, transaction: Self.transaction("RUNNING"))) { server in
            Self.remove(server)
            server.openTransactions = [OpenTransaction(Self.transaction("RUNNING"), thread: nil)]
        }
        XCTAssertEqual(report.outcomes, [50: .xaPrepared])
    }

    /// As MySQL shows it, detached from its session.
    func testWhatItHadPreparedIsReportedAsLongAsAnythingPreparedIsLeft() async throws {
        let leftBehind = OpenTransaction(Self.transaction("RUNNING"), thread: nil)
        for (prepared, left, outcome) in [
            (PreparedXA.present, [leftBehind], Outcome.xaPrepared), (.unknown, [leftBehind], .xaUnknown),
            (.present, [], .ended), (.unknown, [], .ended),
        ] {
            var session = Session.idle(50)
            session.details.preparedXA = prepared
            let report = try await commitAfterCrash(session) { server in
                Self.remove(server)
                server.openTransactions = left
            }
            XCTAssertEqual(report.outcomes, [50: outcome], "\(prepared), \(left.count)")
        }
    }

    /// Without history nothing tells which transaction the session had.
    func testARollbackThatMayBeItsOwnLeavesItsOutcomeUnknown() async throws {
        let report = try await commitAfterCrash(recordHistory: false) { server in
            Self.remove(server)
            server.openTransactions = [OpenTransaction(Self.transaction("ROLLING BACK"), thread: nil)]
        }
        XCTAssertEqual(report.outcomes, [50: .unknown])
        XCTAssertEqual(report.killed, [])
    }

    func testTheTransactionsOfOthersAreNoneOfItsOwn() async throws {
        let report = try await commitAfterCrash { server in
            Self.remove(server)
            server.openTransactions = [
                OpenTransaction(Self.transaction("ROLLING BACK"), thread: 51),
                OpenTransaction(Transaction(id: "4712", age: 1, rowsModified: 1, state: "RUNNING"), thread: nil),
            ]
        }
        XCTAssertEqual(report.outcomes, [50: .ended])
        XCTAssertEqual(clock.slept, .zero)
    }

    func testASessionWhoseIdIsAnothersIsGoneAndTheOtherIsLeftAlone() async throws {
        let report = try await commitAfterCrash { server in
            Self.remove(server)
            var successor = Session.idle(50)
            successor.identity.host = "10.0.0.9:50000"
            server.sessions.append(successor)
            server.openTransactions = [OpenTransaction(Self.transaction("RUNNING"), thread: 50)]
        }
        XCTAssertEqual(report.outcomes, [50: .ended])
        let kills = await server.kills
        XCTAssertEqual(kills, [])
    }

    func testAnotherUserOnTheSameConnectionIsNoProofOfAnEnd() async throws {
        let report = try await commitAfterCrash { server in
            for index in server.sessions.indices where server.sessions[index].id == 50 {
                server.sessions[index].identity.user = "other"
            }
        }
        XCTAssertEqual(report.outcomes, [50: .replaced])
        XCTAssertEqual(report.killed, [])
        let kills = await server.kills
        XCTAssertEqual(kills, [])
    }

    func testAConnectionOfAnotherUserThatIsBeingKilledIsUnknown() async throws {
        let report = try await commitAfterCrash { server in
            for index in server.sessions.indices where server.sessions[index].id == 50 {
                server.sessions[index].identity.user = "other"
                server.sessions[index].details.command = "Killed"
            }
        }
        XCTAssertEqual(report.outcomes, [50: .unknown])
    }

    func testAThreadNumberOfPerformanceSchemaThatIsAnotherProvesTheEndOnAUnixSocketToo() async throws {
        var session = Session.idle(50)
        session.identity.host = "localhost"
        session.identity.performanceSchemaThreadID = 900
        let report = try await commitAfterCrash(session) { server in
            for index in server.sessions.indices where server.sessions[index].id == 50 {
                server.sessions[index].identity.performanceSchemaThreadID = 901
            }
        }
        XCTAssertEqual(report.outcomes, [50: .ended])
    }

    func testWhoeverCannotBeSeenStaysUnknown() async throws {
        let report = try await commitAfterCrash { server in
            Self.remove(server)
            server.failureAfterKill = ServerError(.connectionLost, code: 2_013, "lost")
        }
        XCTAssertEqual(report.outcomes, [50: .unknown])
    }

    func testOneThatWasNotAboutToBeKilledIsNoneOfTheEnded() async throws {
        let plan = try await prepare([50, 3])
        await store.set { $0.dyingAfter = [.claim] }
        _ = try? await commit(plan)
        await store.set { $0.dyingAfter = [] }
        let report = try await commit(plan)
        XCTAssertEqual(report.outcomes, [50: .gone, 3: .killed])
    }
}
