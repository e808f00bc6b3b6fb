import Cryptography
import SessionKill
import StoreContract
import XCTest

/// What Prepare keeps for whoever is to agree to a plan.
final class PreviewTests: KillEngineTestCase {
    private func details(of thread: ThreadID, in plan: KillPlan) throws -> PinnedDetails {
        let pinned = plan.content.threads.first { $0.id == thread }
        return try XCTUnwrap(pinned?.session?.details, "\(thread)")
    }

    private func run(_ statement: String, in thread: ThreadID) async {
        await server.set { server in
            for index in server.sessions.indices where server.sessions[index].id == thread {
                server.sessions[index].details.statement = statement
            }
        }
    }

    func testAShortStatementIsKeptWhole() async throws {
        await run("SELECT 1", in: 3)
        let statement = try details(of: 3, in: try await prepare([3])).statement
        XCTAssertEqual(statement, .shown(text: "SELECT 1", length: 8))
    }

    func testALongStatementIsCutBetweenTwoCharacters() async throws {
        // At most 40 bytes here.
        let cases = [
            (String(repeating: "x", count: 41), String(repeating: "x", count: 40)),
            (String(repeating: "日", count: 20), String(repeating: "日", count: 13)),
            (String(repeating: "x", count: 39) + "e\u{301}!", String(repeating: "x", count: 39)),
            (String(repeating: "x", count: 37) + "🇨🇳!", String(repeating: "x", count: 37)),
            // One character that is longer than the limit is cut between its scalars.
            ("e" + String(repeating: "\u{301}", count: 30), "e" + String(repeating: "\u{301}", count: 19)),
        ]
        for (statement, beginning) in cases {
            await run(statement, in: 3)
            let kept = try details(of: 3, in: try await prepare([3])).statement
            XCTAssertEqual(kept, .shown(text: beginning, length: statement.utf8.count), statement)
        }
    }

    func testAnInstanceThatHidesStatementsKeepsTheirDigestsOnly() async throws {
        await run("SELECT card FROM customers", in: 3)
        let hiding = Instance(
            id: InstanceID(rawValue: "cdb-1"), server: server, protectedUsers: [], hidesStatements: true)
        let plan = try await engine.prepare(.threads([3, 4]), on: hiding, for: "ci", recordHistory: true)
        let digest = hexadecimal(try Digest.sha256.hash("SELECT card FROM customers".utf8))
        XCTAssertEqual(try details(of: 3, in: plan).statement, .hidden(sha256: digest))
        XCTAssertNil(try details(of: 4, in: plan).statement)
    }

    func testWithoutHistoryOnlyIdentitiesAreKeptAndNobodyAsksForLocks() async throws {
        await run("SELECT 1", in: 3)
        let plan = try await prepare([3, 999], recordHistory: false)
        XCTAssertEqual(plan.content.threads.map(\.session?.identity), [Session.idle(3).identity, nil])
        XCTAssertEqual(plan.content.threads.map(\.session?.details), [nil, nil])
        XCTAssertNil(plan.content.impact)
        let scopes = await server.scopes
        XCTAssertEqual(scopes, [.sessions])
        let report = try await commit(plan)
        XCTAssertEqual(report.outcomes, [3: .killed, 999: .gone])
    }

    func testTellsWhoIsProtected() async throws {
        await server.set { server in
            server.sessions += [.idle(101, user: "repl", command: "Binlog Dump GTID"), .idle(106, user: "monitor")]
        }
        let plan = try await prepare([101, 106, 1])
        XCTAssertEqual(
            try [101, 106, 1].map { try details(of: $0, in: plan).protection }, [.replication, .protectedUser, nil])
    }

    private static let row = Lock(kind: .row, object: "shop.orders", index: "PRIMARY", mode: "X")
    private static let table = Lock(kind: .metadata, object: "shop.orders", mode: "SHARED_READ")

    private func wait(_ waits: [(waiter: ThreadID, holder: ThreadID?)], for lock: Lock = row) async {
        let known = waits.map { LockWait(waiter: $0.waiter, holder: $0.holder, lock: lock) }
        await server.set { $0.lockWaits.known += known }
    }

    func testTellsWhichLocksOthersWaitForMostWantedFirst() async throws {
        await wait([(10, 1), (11, 1), (12, 2)])
        await wait([(13, 1)], for: Self.table)
        let plan = try await prepare([1, 2, 3])
        XCTAssertEqual(
            try details(of: 1, in: plan).wantedLocks,
            [WantedLock(lock: Self.row, waiters: 2), WantedLock(lock: Self.table, waiters: 1)])
        XCTAssertEqual(try details(of: 2, in: plan).wantedLocks, [WantedLock(lock: Self.row, waiters: 1)])
        XCTAssertEqual(try details(of: 3, in: plan).wantedLocks, [])
        XCTAssertEqual(plan.content.impact, PlanImpact(freedSessions: 4, unexplainedWaiters: 0))
    }

    func testCountsWhoIsFreedAtOnceAndInTurn() async throws {
        // 10 waits for 1, and 11 and 12 for what 10 holds; 13 waits for 1 and 2, 14 for nobody's XA transaction.
        await wait([(10, 1), (11, 10), (12, 10), (13, 1), (13, 2), (14, nil), (14, 1)])
        func freed(_ threads: ThreadID...) async throws -> Int? {
            try await prepare(threads).content.impact?.freedSessions
        }
        let alone = try await prepare([1, 2, 10])
        XCTAssertEqual(try [1, 2, 10].map { try details(of: $0, in: alone).freedSessions }, [3, 0, 2])
        let counts = [try await freed(1), try await freed(2), try await freed(1, 2), try await freed(1, 10)]
        XCTAssertEqual(counts, [3, 0, 4, 2])
    }

    func testALockOfAPreparedXATransactionIsWantedButNotFreed() async throws {
        await server.set { server in
            for index in server.sessions.indices where server.sessions[index].id == 1 {
                server.sessions[index].details.preparedXA = .present
            }
            // 10 and 11 wait for what was prepared, 12 for a name that 1 has taken by GET_LOCK.
            server.lockWaits.known = [
                LockWait(waiter: 10, holder: 1, lock: Self.row), LockWait(waiter: 11, holder: 1, lock: Self.table),
                LockWait(waiter: 12, holder: 1, lock: Lock(kind: .user, object: "nightly")),
            ]
        }
        let plan = try await prepare([1])
        let details = try details(of: 1, in: plan)
        XCTAssertEqual(details.wantedLocks.map(\.waiters), [1, 1, 1])
        XCTAssertEqual(details.freedSessions, 1)
        XCTAssertEqual(plan.content.impact?.freedSessions, 1)
    }

    func testAHostThatTheServerMayHaveCutIsMarked() {
        for (length, end, mayLackPort) in [
            (62, "", false), (63, "", true), (64, "", false), (57, ":51444", false), (58, ":5144", true),
            (62, ":", true), (58, "51444", true), (57, ".51444", true),
        ] {
            let host = String(repeating: "h", count: length) + end
            XCTAssertEqual(SessionIdentity(id: 1, user: "app", host: host).mayLackPort, mayLackPort, host)
        }
    }

    func testNobodyIsFreedByThoseWhoAreProtected() async throws {
        await server.set { $0.sessions.append(.idle(106, user: "monitor")) }
        await wait([(10, 106)])
        let plan = try await prepare([106])
        XCTAssertEqual(try details(of: 106, in: plan).freedSessions, 1)
        XCTAssertEqual(plan.content.impact?.freedSessions, 0)
    }

    func testSessionsThatWaitInACircleAreNotFreedByNobody() async throws {
        await wait([(10, 11), (11, 10), (12, 10)])
        let plan = try await prepare([1, 10])
        XCTAssertEqual(try details(of: 1, in: plan).freedSessions, 0)
        XCTAssertEqual(try details(of: 10, in: plan).freedSessions, 2)
    }

    func testTellsHowManyWaitForLocksWhoseHoldersAreNotTold() async throws {
        await server.set { $0.lockWaits.unexplained = [3, 10, 11] }
        let plan = try await prepare([3])
        XCTAssertEqual(plan.content.impact, PlanImpact(freedSessions: 0, unexplainedWaiters: 2))
    }

    func testAThousandWaitersBehindAThousandHoldersAreCountedInTime() async throws {
        let holders = (1...1_000).map { ThreadID(integerLiteral: $0 + 10_000) }
        let waiters = (1...1_000).map { ThreadID(integerLiteral: $0 + 20_000) }
        await server.set { $0.sessions += holders.map { .idle($0.rawValue) } }
        await wait(zip(waiters, holders).map { (waiter: $0, holder: $1) })
        await wait(waiters.map { (waiter: $0, holder: holders[0]) }, for: Self.table)
        let plan = try await prepare(holders)
        XCTAssertEqual(plan.content.impact?.freedSessions, 1_000)
        XCTAssertEqual(try details(of: holders[0], in: plan).freedSessions, 1)
    }
}
