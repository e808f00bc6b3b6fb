import SessionKill
import StoreContract
import XCTest

final class KillEngineTests: KillEngineTestCase {
    // MARK: Prepare

    func testPreparePinsEachSessionOnceAndInTheOrderAsked() async throws {
        let plan = try await prepare([7, 3, 7, 999, 3])
        XCTAssertEqual(plan.content.threads.map(\.id), [7, 3, 999])
        XCTAssertEqual(plan.content.threads.map { $0.session != nil }, [true, true, false])
        XCTAssertEqual(plan.content.threads[0].session?.identity, Session.idle(7).identity)
        let kills = await server.kills
        XCTAssertEqual(kills, [])
    }

    func testPreparesAtTheSameTimeShareASnapshotThatBeganAfterTheyAsked() async throws {
        let engine = engine
        let instance = instance
        let plans = try await withThrowingTaskGroup(of: KillPlan.self) { group in
            for _ in 0..<100 {
                group.addTask { try await engine.prepare(.threads([3]), on: instance, for: "ci", recordHistory: true) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        XCTAssertEqual(Set(plans.map(\.sqlExecID)).count, 100)
        let snapshots = await server.scopes.count
        XCTAssertLessThan(snapshots, 100)

        await server.set { $0.sessions.removeAll { $0.id == 3 } }
        let later = try await prepare([3])
        XCTAssertNil(later.content.threads[0].session)
        XCTAssertNotNil(plans[0].content.threads[0].session)
    }

    func testASnapshotThatFailsFailsForAllWhoShareItAndTheNextIsNew() async throws {
        await server.set { $0.failure = ServerError(.unreachable, "no answer") }
        do {
            _ = try await prepare([3])
            XCTFail("prepared without a snapshot")
        } catch let error as ServerError {
            XCTAssertEqual(error.reason, .unreachable)
        }
        await server.set { $0.failure = nil }
        let plan = try await prepare([3])
        XCTAssertEqual(plan.content.threads[0].session?.identity, Session.idle(3).identity)
    }

    func testTicketsAreTwelveRandomLettersAndDigits() async throws {
        let plans = [try await prepare([1]), try await prepare([1])]
        for plan in plans {
            XCTAssertNotNil(plan.sqlExecID.rawValue.wholeMatch(of: /[A-Za-z0-9]{12}/))
            XCTAssertTrue(plan.name.rawValue.hasPrefix("plan-"))
        }
        XCTAssertNotEqual(plans[0].sqlExecID, plans[1].sqlExecID)
    }

    // MARK: Commit, in peace

    func testCommitEndsThePlannedSessionsAndNoOther() async throws {
        let plan = try await prepare([3, 999, 5])
        let report = try await commit(plan)
        XCTAssertEqual(report.killed, [3, 5])
        XCTAssertEqual(report.outcomes, [3: .killed, 5: .killed, 999: .gone])
        let (kills, left) = (await server.kills, await server.sessions.count)
        XCTAssertEqual(kills, [3, 5])
        XCTAssertEqual(left, 28)
    }

    func testARepeatedCommitAnswersTheSameAndKillsNothing() async throws {
        let plan = try await prepare([3])
        let first = try await commit(plan)
        await server.set { $0.sessions.append(.idle(3)) }
        clock.advance(bySeconds: 100_000)
        let second = try await commit(plan)
        XCTAssertEqual(first, second)
        let kills = await server.kills
        XCTAssertEqual(kills, [3])
    }

    func testCommitsAtTheSameTimeShareOneRun() async throws {
        let plan = try await prepare([3, 4])
        let engine = engine
        let instance = instance
        let reports = try await withThrowingTaskGroup(of: CommitReport.self) { group in
            for _ in 0..<32 {
                group.addTask { try await engine.commit(plan.sqlExecID, on: instance, for: "ci") }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        XCTAssertEqual(reports.count, 32)
        XCTAssertEqual(Set(reports).count, 1)
        let kills = await server.kills
        XCTAssertEqual(kills, [3, 4])
    }

    // MARK: Only what was pinned

    func testCommitLeavesASessionThatTookOverTheIdAlone() async throws {
        let plan = try await prepare([3, 4, 5])
        await server.set { server in
            for index in server.sessions.indices {
                switch server.sessions[index].id {
                case 3: server.sessions[index].identity.user = "payroll"
                case 4: server.sessions[index].identity.host = "10.0.0.9:1"
                default: break
                }
            }
        }
        let report = try await commit(plan)
        XCTAssertEqual(report.outcomes, [3: .replaced, 4: .replaced, 5: .killed])
        let kills = await server.kills
        XCTAssertEqual(kills, [5])
    }

    func testCommitLeavesASessionAloneThatCameUnderAnIdThatNobodyHadAtPrepare() async throws {
        let plan = try await prepare([999])
        await server.set { $0.sessions.append(.idle(999)) }
        let report = try await commit(plan)
        XCTAssertEqual(report.outcomes, [999: .replaced])
        let kills = await server.kills
        XCTAssertEqual(kills, [])
    }

    func testARestartedServerMakesThePlanStaleAndNothingIsKilled() async throws {
        let changes: [@Sendable (inout ServerFingerprint) -> Void] = [
            { $0.startedAt? += 1 }, { $0.startedAt? -= 1 }, { $0.startMark = "8663-02fc00000001" },
            { $0.connectionCount? -= 1 }, { $0.uniqueID = "other" },
            { $0.uniqueID = nil }, { $0.hostname = "db2" }, { $0.port = 3307 },
            { fingerprint in (fingerprint.serverID, fingerprint.startMark) = (2, "8663-02fc00000001") },
            { $0.version = "9.7.5" },
        ]
        for change in changes {
            let before = await server.fingerprint
            let plan = try await prepare([3])
            await server.set { change(&$0.fingerprint) }
            // A stale plan stays stale, also when the old server is reached again.
            for _ in 0..<2 {
                do {
                    _ = try await commit(plan)
                    XCTFail("a stale plan was committed")
                } catch KillError.stale(_, afterInterruption: false) {}
                await server.set { $0.fingerprint = before }
            }
        }
        let kills = await server.kills
        XCTAssertEqual(kills, [])
    }

    func testMoreConnectionsAreNoRestart() async throws {
        let plan = try await prepare([3])
        await server.set { $0.fingerprint.connectionCount? += 400 }
        let report = try await commit(plan)
        XCTAssertEqual(report.killed, [3])
    }

    /// One that was started again within the same second would pass for it.
    func testNothingIsPreparedOnAServerThatCouldNotBeToldFromItsSuccessor() async throws {
        for (uptime, wait) in [(-1, 2), (0, 2), (1, 1)] as [(Int64, Int)] {
            await server.set { $0.uptime = uptime }
            do {
                _ = try await prepare([3])
                XCTFail("prepared \(uptime) s after the start")
            } catch let error as ServerError {
                XCTAssertEqual(error.reason, .startedMomentsAgo(wait: wait))
            }
        }
        await server.set { $0.uptime = 2 }
        let plan = try await prepare([3])
        let report = try await commit(plan)
        XCTAssertEqual(report.killed, [3])
    }

    func testASessionThatChangesHandsBetweenTheSnapshotAndTheKillIsReplacedAndNotGone() async throws {
        let plan = try await prepare([3, 4])
        await server.set { server in
            server.beforeKill = { server in
                await server.set { $0.sessions = $0.sessions.filter { $0.id != 3 } + [.idle(3, user: "monitor")] }
            }
        }
        let report = try await commit(plan)
        XCTAssertEqual(report.outcomes, [3: .replaced, 4: .killed])
    }

    // MARK: Protected sessions

    func testProtectedSessionsAreSparedByWhatTheyAreAtCommit() async throws {
        await server.set { server in
            server.sessions += [
                .idle(101, user: "repl", command: "Binlog Dump GTID"), .idle(102, user: "repl", command: "Binlog Dump"),
                .idle(103, user: "system user", command: "Connect"), .idle(104, user: "x", command: "Slave_SQL"),
                .idle(105, user: "event_scheduler", command: "Daemon"), .idle(106, user: "monitor"), .idle(107),
            ]
            server.ownThreadIDs = [107]
        }
        let plan = try await prepare([101, 102, 103, 104, 105, 106, 107, 1, 2])
        // An ordinary session at Prepare, a dump thread at Commit.
        await server.set { server in
            for index in server.sessions.indices where server.sessions[index].id == 1 {
                server.sessions[index].details.command = "Binlog Dump GTID"
            }
        }
        let report = try await commit(plan)
        XCTAssertEqual(
            report.outcomes,
            [
                101: .protected(.replication), 102: .protected(.replication), 103: .protected(.systemThread),
                104: .protected(.replication), 105: .protected(.eventScheduler), 106: .protected(.protectedUser),
                107: .protected(.ownConnection), 1: .protected(.replication), 2: .killed,
            ])
    }

    // MARK: No record, no kill

    func testNothingIsKilledWhenTheIntentCannotBeStored() async throws {
        let plan = try await prepare([3])
        await store.set { $0.failing = [.claim] }
        do {
            _ = try await commit(plan)
            XCTFail("committed without a record")
        } catch let error as StoreError {
            XCTAssertEqual(error.reason, .cannotWrite)
        }
        let kills = await server.kills
        XCTAssertEqual(kills, [])

        await store.set { $0.failing = [] }
        let report = try await commit(plan)
        XCTAssertEqual(report.killed, [3])
    }

    func testOutcomesThatCannotBeStoredAreAnErrorAndARepeatedCommitTellsTheTruth() async throws {
        let plan = try await prepare([3, 4])
        await server.set { $0.answerToKill = { $0 == 4 ? .notPermitted(message: "not owner") : nil } }
        await store.set { $0.failing = [.finish] }
        do {
            _ = try await commit(plan)
            XCTFail("answered without a record")
        } catch KillError.outcomesNotStored {}
        await store.set { $0.failing = [] }
        let report = try await commit(plan)
        XCTAssertEqual(report.outcomes, [3: .ended, 4: .denied(.byServer(message: "not owner"))])
        XCTAssertEqual(report.killed, [3])
        let kills = await server.kills
        XCTAssertEqual(kills, [3, 4, 4], "the session that is gone was sent a second KILL")
    }

    func testAKilldThatNeverStoppedTellsWhatItSawOnceThereIsRoom() async throws {
        let engine = engine
        let plan = try await prepare([3, 4])
        await server.set { $0.answerToKill = { $0 == 4 ? .notPermitted(message: "not owner") : nil } }
        await store.set { $0.failing = [.finish] }
        for _ in 0..<2 {
            do {
                _ = try await engine.commit(plan.sqlExecID, on: instance, for: "ci")
                XCTFail("answered without a record")
            } catch KillError.outcomesNotStored {}
        }
        await store.set { $0.failing = [] }
        // Whatever the server looks like by now.
        await server.set { $0.failure = ServerError(.unreachable, "no answer") }
        for _ in 0..<2 {
            let report = try await engine.commit(plan.sqlExecID, on: instance, for: "ci")
            XCTAssertEqual(report.outcomes, [3: .killed, 4: .denied(.byServer(message: "not owner"))])
        }
        let kills = await server.kills
        XCTAssertEqual(kills, [3, 4])
    }

    func testWhatWasSeenIsStoredWithoutAnotherCommit() async throws {
        let engine = engine
        let plan = try await prepare([3])
        await store.set { $0.failing = [.finish] }
        _ = try? await engine.commit(plan.sqlExecID, on: instance, for: "ci")
        do {
            try await engine.storeFindings()
            XCTFail("stored on a full disk")
        } catch {}
        await store.set { $0.failing = [] }
        try await engine.storeFindings()
        let report = try await commit(plan)
        XCTAssertEqual(report.outcomes, [3: .killed])
    }

    func testOutcomesThatWereStoredAfterAllAreAnsweredAsTheyWereStored() async throws {
        let engine = engine
        let plan = try await prepare([3])
        await store.set { $0.dyingAfter = [.finish] }
        _ = try? await engine.commit(plan.sqlExecID, on: instance, for: "ci")
        await store.set { $0.dyingAfter = [] }
        let report = try await engine.commit(plan.sqlExecID, on: instance, for: "ci")
        XCTAssertEqual(report.outcomes, [3: .killed])
        try await engine.storeFindings()
    }

    // MARK: A crash loses nothing

    func testACommitThatDiedAfterItsIntentIsFinishedByTheNext() async throws {
        let plan = try await prepare([3, 4])
        await store.set { $0.dyingAfter = [.claim] }
        _ = try? await commit(plan)
        await store.set { $0.dyingAfter = [] }
        let killsBefore = await server.kills
        XCTAssertEqual(killsBefore, [])

        let report = try await commit(plan)
        XCTAssertEqual(report.outcomes, [3: .killed, 4: .killed])
    }

    func testAResumedCommitSendsNoSecondKillToASessionThatIsDying() async throws {
        try await assertSendsNoSecondKill { $0.command = "Killed" }
    }

    func testAResumedCommitSendsNoSecondKillToASessionThatOceanBaseShowsAsDying() async throws {
        try await assertSendsNoSecondKill { $0.state = "SESSION_KILLED" }
    }

    private func assertSendsNoSecondKill(
        where markAsDying: @escaping @Sendable (inout SessionDetails) -> Void,
        file: StaticString = #filePath, line: UInt = #line
    ) async throws {
        let plan = try await prepare([3])
        await server.set { server in
            server.afterKill = { session in
                var dying = session
                markAsDying(&dying.details)
                return dying
            }
        }
        await store.set { $0.failing = [.finish] }
        _ = try? await commit(plan)
        await store.set { $0.failing = [] }
        clock.whenSlept { [server] in await server.set { $0.sessions.removeAll { $0.id == 3 } } }
        let report = try await commit(plan)
        XCTAssertEqual(report.outcomes, [3: .killed], file: file, line: line)
        let kills = await server.kills
        XCTAssertEqual(kills, [3], file: file, line: line)
    }

    func testACommitResumedAfterTheExpiryKillsNobody() async throws {
        let plan = try await prepare([3])
        await store.set { $0.dyingAfter = [.claim] }
        _ = try? await commit(plan)
        await store.set { $0.dyingAfter = [] }
        clock.advance(bySeconds: 600)
        let report = try await commit(plan)
        XCTAssertEqual(report.killed, [])
        let kills = await server.kills
        XCTAssertEqual(kills, [])
    }

    func testAServerThatRestartedDuringAnInterruptedCommitHasEndedTheSessions() async throws {
        let plan = try await prepare([3, 4])
        await store.set { $0.failing = [.finish] }
        _ = try? await commit(plan)
        await store.set { $0.failing = [] }
        await server.set { $0.fingerprint.startedAt? += 60 }
        do {
            _ = try await commit(plan)
            XCTFail("a stale plan was committed")
        } catch KillError.stale(.serverRestarted, afterInterruption: true) {}
        let stored = await store.plans[plan.sqlExecID]
        guard case .ended(.stale, _, let outcomes, _) = stored?.state else { return XCTFail("not stale") }
        XCTAssertEqual(outcomes, [3: .ended, 4: .ended])
    }

    func testAnotherServerAfterAnInterruptedCommitLeavesTheirOutcomesUnknown() async throws {
        let plan = try await prepare([3, 4])
        await store.set { $0.failing = [.finish] }
        _ = try? await commit(plan)
        await store.set { $0.failing = [] }
        await server.set { $0.fingerprint.hostname = "db2" }
        do {
            _ = try await commit(plan)
            XCTFail("a stale plan was committed")
        } catch KillError.stale(.anotherServer, afterInterruption: true) {}
        let stored = await store.plans[plan.sqlExecID]
        guard case .ended(.stale, _, let outcomes, _) = stored?.state else { return XCTFail("not stale") }
        XCTAssertEqual(outcomes, [3: .unknown, 4: .unknown])
    }

    // MARK: Who may commit, and when

    func testATicketIsWorthNothingToAnotherAccountOrInstance() async throws {
        let plan = try await prepare([3])
        let elsewhere = Instance(id: InstanceID(rawValue: "cdb-2"), server: server, protectedUsers: [])
        let engine = engine
        let instance = instance
        let attempts: [@Sendable () async throws -> CommitReport] = [
            { try await engine.commit(plan.sqlExecID, on: instance, for: "mallory") },
            { try await engine.commit(plan.sqlExecID, on: elsewhere, for: "ci") },
            { try await engine.commit(SqlExecID(rawValue: "AEnnKexGijsX"), on: instance, for: "ci") },
        ]
        for attempt in attempts {
            do {
                _ = try await attempt()
                XCTFail("committed")
            } catch KillError.planNotFound {}
        }
        let kills = await server.kills
        XCTAssertEqual(kills, [])
    }

    func testAPlanExpiresWithItsLifetimeToTheMillisecond() async throws {
        let plans = [try await prepare([3]), try await prepare([4])]
        clock.advance(milliseconds: 599_999)
        let report = try await commit(plans[0])
        XCTAssertEqual(report.killed, [3])
        clock.advance(milliseconds: 1)
        do {
            _ = try await commit(plans[1])
            XCTFail("an expired plan was committed")
        } catch KillError.expired {}
        let kills = await server.kills
        XCTAssertEqual(kills, [3])
    }

    func testAPlanChangedInTheStoreIsRefused() async throws {
        let plan = try await prepare([3])
        await store.alter(plan.sqlExecID) { $0.threads.append(PinnedThread(.idle(4))) }
        do {
            _ = try await commit(plan)
            XCTFail("an altered plan was committed")
        } catch KillError.planAltered {}
        let kills = await server.kills
        XCTAssertEqual(kills, [])
    }

    func testAServerThatCannotBeReachedLeavesThePlanPrepared() async throws {
        let plan = try await prepare([3])
        await server.set { $0.failure = ServerError(.unreachable, code: 2003, "no answer") }
        do {
            _ = try await commit(plan)
            XCTFail("committed on a dead server")
        } catch let error as ServerError {
            XCTAssertEqual(error.reason, .unreachable)
        }
        await server.set { $0.failure = nil }
        let report = try await commit(plan)
        XCTAssertEqual(report.killed, [3])
    }

    // MARK: What the server answers

    func testEveryAnswerToKillBecomesItsOutcome() async throws {
        await server.set { server in
            server.answerToKill = { id in
                switch id {
                case 1: .notPermitted(message: "not owner")
                case 2: .rejected(code: 1317, message: "interrupted")
                case 3: .lost
                case 4: .notSent
                case 5: .noSuchThread
                default: nil
                }
            }
        }
        let plan = try await prepare([1, 2, 3, 4, 5, 6, 7])
        // Ends by itself between the snapshot and the KILL.
        await server.set { $0.beforeKill = { server in await server.set { $0.sessions.removeAll { $0.id == 7 } } } }
        let report = try await commit(plan)
        XCTAssertEqual(
            report.outcomes,
            [
                1: .denied(.byServer(message: "not owner")),
                2: .failed(.refused(ServerMessage(code: 1_317, text: "interrupted"))), 3: .unknown,
                4: .failed(.connectionBroke),
                5: .failed(.unkillable), 6: .killed,
                7: .gone,
            ])
        XCTAssertEqual(report.killed, [6])
    }

    func testAConnectionLostWhileWatchingLeavesTheOutcomeUnknown() async throws {
        let plan = try await prepare([3])
        await server.set { $0.failureAfterKill = ServerError(.connectionLost, code: 2013, "lost") }
        let report = try await commit(plan)
        XCTAssertEqual(report.outcomes, [3: .unknown])
    }
}
