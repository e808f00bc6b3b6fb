import SessionKill
import StoreContract
import Synchronization
import TestSupport
import XCTest

/// What session tasks do to sessions.
final class SessionTaskTests: SessionTaskTestCase {
    // MARK: Whom a task ends

    func testEndsTheNamedSessionsAsTheCallerAndNoOther() async throws {
        let stored = try await run(.threads([5, 3, 5, 999]))
        XCTAssertEqual(stored.sessions.map(\.id), [5, 3, 999])
        XCTAssertEqual(stored.outcomes, [5: .decided(.killed), 3: .decided(.killed), 999: .decided(.gone)])
        XCTAssertEqual(stored.ending, .success)
        await assertKilled([3, 5])
        let (callers, left) = (await server.delegatedKills, await server.sessions.count)
        XCTAssertEqual(callers, [3: "dba", 5: "dba"])
        XCTAssertEqual(left, 28)
        try await assertReported(["created", "ended success: 2 killed, 0 failed, 0 spared"])
    }

    func testEndsAllButThoseWhoAreNeverKilledAndThoseWhoAreIgnored() async throws {
        await server.set { server in
            server.sessions += [
                .idle(101, user: "monitor"), .idle(102, user: "repl", command: "Binlog Dump GTID"),
                .idle(103, user: "killd"), .idle(104, user: "killd"), .idle(105, user: "event_scheduler"),
                .idle(106, user: "unauthenticated user"), .idle(107, user: "batch"), .idle(108, user: "mysql.sys"),
                .idle(109, user: "aurora"), .idle(110, user: "root"),
            ]
            server.ownThreadIDs = [103]
        }
        let stored = try await run(.all(ignoring: ["batch"]))
        var expected: [ThreadID: SessionTaskOutcome] = [
            101: .decided(.protected(.protectedUser)), 102: .decided(.protected(.replication)),
            103: .decided(.protected(.ownConnection)), 104: .decided(.protected(.ownConnection)),
            105: .decided(.protected(.eventScheduler)), 106: .decided(.protected(.systemThread)),
            107: .ignoredUser, 108: .decided(.protected(.protectedUser)), 109: .decided(.protected(.protectedUser)),
            110: .decided(.killed),
        ]
        for id in UInt32(1)...30 { expected[ThreadID(integerLiteral: id)] = .decided(.killed) }
        XCTAssertEqual(stored.outcomes, expected)
        XCTAssertEqual(stored.sessions.map(\.id), stored.sessions.map(\.id).sorted())
        let left = await server.sessions.map(\.id)
        XCTAssertEqual(left, [101, 102, 103, 104, 105, 106, 107, 108, 109])
        try await assertReported(["created", "ended success: 31 killed, 0 failed, 9 spared"])
    }

    func testIgnoredUsersAreSparedAlsoIfTheirSessionsAreNamed() async throws {
        await server.set { $0.sessions.append(.idle(101, user: "batch")) }
        let stored = try await run(.threads([3, 101], ignoring: ["batch"]))
        XCTAssertEqual(stored.outcomes, [3: .decided(.killed), 101: .ignoredUser])
        await assertKilled([3])
    }

    func testProtectedSessionsAreSparedAlsoIfTheyAreNamed() async throws {
        await server.set { $0.sessions.append(.idle(101, user: "monitor")) }
        let stored = try await run(.threads([101]))
        XCTAssertEqual(stored.outcomes, [101: .decided(.protected(.protectedUser))])
        XCTAssertEqual(stored.ending, .success)
        await assertKilled([])
    }

    func testLeavesASessionThatTookOverTheIdAlone() async throws {
        await server.set { server in
            server.beforeSnapshot = { server, scope in
                guard scope == .transactions else { return }
                await server.set { $0.sessions[$0.sessions.count - 1] = .idle(30, user: "other") }
            }
        }
        let stored = try await run(.threads([3, 30]))
        XCTAssertEqual(stored.outcomes, [3: .decided(.killed), 30: .decided(.replaced)])
        let row = stored.sessions.first { $0.id == 30 }?.row
        XCTAssertEqual(row?.user, "app")
        await assertKilled([3])
    }

    func testSessionsThatComeLaterAreNotEnded() async throws {
        await server.set { server in
            server.beforeSnapshot = { server, scope in
                if scope == .transactions { await server.set { $0.sessions.append(.idle(101)) } }
            }
        }
        let stored = try await run(.all())
        XCTAssertNil(stored.outcomes[101])
        let left = await server.sessions.map(\.id)
        XCTAssertEqual(left, [101])
    }

    func testKeepsTheRowsAsTheyWereWhenTheKillsWereSent() async throws {
        await server.set { server in
            server.beforeSnapshot = { server, scope in
                guard scope == .transactions else { return }
                await server.set { server in
                    server.sessions[2].details = SessionDetails(
                        database: "shop", command: "Query", seconds: 1, state: "executing",
                        statement: "SELECT 1 /* this is longer than forty bytes */")
                    server.sessions.removeAll { $0.id == 4 }
                }
            }
        }
        let stored = try await run(.threads([3, 4]))
        XCTAssertEqual(
            stored.sessions.map(\.row),
            [
                SessionRow(
                    user: "app", host: "10.0.0.7:40003", database: "shop", command: "Query", seconds: 1,
                    state: "executing",
                    statement: .shown(text: "SELECT 1 /* this is longer than forty by", length: 46), isActive: true),
                SessionRow(
                    user: "app", host: "10.0.0.7:40004", database: "shop", command: "Sleep", seconds: 12, state: nil,
                    statement: nil, isActive: false),
            ])
        XCTAssertEqual(stored.outcomes, [3: .decided(.killed), 4: .decided(.gone)])
    }

    func testAnIdleSessionInATransactionIsActive() {
        let transaction = Transaction(id: "1", age: 1, rowsModified: 0, state: "RUNNING")
        XCTAssertTrue(Session.idle(1, transaction: transaction).details.isActive)
        XCTAssertTrue(Session.idle(1, command: "Query").details.isActive)
        XCTAssertTrue(Session.idle(1, command: "Execute").details.isActive)
        XCTAssertFalse(Session.idle(1).details.isActive)
        XCTAssertFalse(Session.idle(1, command: "Binlog Dump").details.isActive)
    }

    func testTwoTasksThatShareASessionEndItOnce() async throws {
        let gate = Gate(for: 1)
        await server.set { $0.beforeKill = { _ in await gate.wait() } }
        // Both have pinned and seen session 4 when the first KILL is sent.
        let first = try await create(.threads([3, 4]))
        try await eventually("the first KILL", pause: .milliseconds(1)) { await gate.arrived == 1 }
        let second = try await create(.threads([4, 5]))
        _ = try await ended(second)
        await gate.open()
        let outcomes = (try await ended(first).outcomes, try await ended(second).outcomes)
        XCTAssertEqual(outcomes.0, [3: .decided(.killed), 4: .decided(.gone)])
        XCTAssertEqual(outcomes.1, [4: .decided(.killed), 5: .decided(.killed)])
    }

    // MARK: Who ends them

    func testARefusedLoginKillsNobodyWithAnyAccount() async throws {
        await server.set { $0.answerToLogin = { _ in ServerError(.loginRefused, code: 1045, "Access denied") } }
        let stored = try await run(.threads([3, 999]))
        XCTAssertEqual(stored.outcomes, [3: .loginRefused, 999: .loginRefused])
        XCTAssertEqual(stored.ending, .failure)
        await assertKilled([])
        let plan = try await plan(of: stored.task)
        guard case .ended(.abandoned, _, let outcomes, _) = plan.state else { return XCTFail("\(plan.state)") }
        XCTAssertEqual(outcomes[3], .failed(.loginRefused))
        try await assertReported(["created", "failed loginRefused", "ended failure: 0 killed, 2 failed, 0 spared"])
    }

    func testARefusalOfKilldsOwnAccountIsNoneOfTheCallersLogin() async throws {
        await server.set { server in
            server.beforeSnapshot = { server, scope in
                let refusal = ServerError(.loginRefused, code: 1045, "killd is refused")
                if scope == .transactions { await server.set { $0.failure = refusal } }
            }
        }
        let stored = try await run(.threads([3]))
        XCTAssertEqual(stored.ending, .error)
        XCTAssertEqual(stored.outcomes, [3: .decided(.failed(.taskInterrupted))])
        await assertKilled([])
    }

    func testALoginThatSeesItsOwnSessionsOnlyEndsThoseOnly() async throws {
        for blind in [true, false] {
            await server.set { server in
                server.sessions += [.idle(101, user: "dba"), .idle(102, user: "other")]
                server.delegatedSnapshot = { snapshot in
                    if blind {
                        snapshot.seesAllSessions = false
                    } else {
                        snapshot.missingKillPrivilege = "CONNECTION_ADMIN"
                    }
                }
            }
            let stored = try await run(.threads([101, 102]))
            XCTAssertEqual(stored.outcomes, [101: .decided(.killed), 102: .decided(.denied(.ownSessionsOnly))])
            XCTAssertEqual(stored.ending, .success)
        }
        await assertKilledTwice(101)
    }

    private func assertKilledTwice(_ id: ThreadID) async {
        let kills = await server.kills
        XCTAssertEqual(kills, [id, id])
    }

    func testALoginWithoutTheRightMakesTheTaskFail() async throws {
        await server.set { $0.delegatedSnapshot = { $0.missingKillPrivilege = "CONNECTION_ADMIN" } }
        let stored = try await run(.threads([3]))
        XCTAssertEqual(stored.outcomes, [3: .decided(.denied(.ownSessionsOnly))])
        XCTAssertEqual(stored.ending, .failure)
        await assertKilled([])
    }

    func testACallersAccountNeedsNothingOfKilldsRightToKill() async throws {
        await server.set { server in
            server.missingKillPrivilege = "CONNECTION_ADMIN"
            server.delegatedSnapshot = { $0.missingKillPrivilege = nil }
        }
        let stored = try await run(.threads([3]))
        XCTAssertEqual(stored.outcomes, [3: .decided(.killed)])
        do {
            _ = try await create(.threads([4]), by: .killd)
            XCTFail("killd's account may not kill")
        } catch let error as ServerError {
            XCTAssertEqual(error.reason, .privilegeMissing("CONNECTION_ADMIN"))
        }
    }

    func testKilldsOwnAccountKillsIfTheTaskIsItsOwn() async throws {
        let stored = try await run(.threads([3]), by: .killd)
        XCTAssertEqual(stored.outcomes, [3: .decided(.killed)])
        let callers = await server.delegatedKills
        XCTAssertEqual(callers, [:])
    }

    func testKillsNobodyIfTheLoginLeadsToAnotherServer() async throws {
        await server.set { $0.delegatedSnapshot = { $0.fingerprint.uniqueID = "another" } }
        let stored = try await run(.threads([3]))
        XCTAssertEqual(stored.ending, .error)
        await assertKilled([])
        let state = try await plan(of: stored.task).state.status
        XCTAssertEqual(state, .stale)
    }

    // MARK: Several servers

    func testATaskForEachServerOrNone() async throws {
        let other = ScriptedServer([.idle(7), .idle(8)])
        let targets = [("pi-1", server), ("pi-2", other)].map { node, server in
            Instance(id: instance.id, node: NodeID(rawValue: node), server: server, protectedUsers: [])
        }
        await other.set { $0.failure = ServerError(.unreachable, "no answer") }
        do {
            _ = try await runner.create(.all(), on: targets, by: try login, for: "ci")
            XCTFail("created")
        } catch let error as ServerError {
            XCTAssertEqual(error.reason, .unreachable)
        }
        await assertKilled([])

        await other.set { $0.failure = nil }
        let tasks = try await runner.create(.all(), on: targets, by: try login, for: "ci")
        XCTAssertEqual(tasks.map(\.target.node?.rawValue), ["pi-1", "pi-2"])
        let ends = (try await ended(tasks[0]), try await ended(tasks[1]))
        XCTAssertEqual([ends.0.sessions.count, ends.1.sessions.count], [30, 2])
        XCTAssertEqual([ends.0.ending, ends.1.ending], [.success, .success])
    }
}
