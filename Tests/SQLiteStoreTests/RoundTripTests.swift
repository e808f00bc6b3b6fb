import Foundation
import SessionKill
import StoreContract
import XCTest

@testable import SQLiteStore

final class RoundTripTests: StoreTestCase {
    private func assertReadsBackAsInserted(
        _ plan: KillPlan, file: StaticString = #filePath, line: UInt = #line
    ) async throws {
        let store = try await openStore()
        try await store.insert(plan)
        let stored = try await store.plan(with: plan.sqlExecID)
        let expected = StoredPlan(plan: plan, digest: try plan.digest(), state: .prepared)
        XCTAssertEqual(stored, expected, file: file, line: line)
        // Equal strings may differ in their bytes, which the digest would show.
        XCTAssertEqual(try stored?.plan.digest(), expected.digest, file: file, line: line)
    }

    func testReadsBackAPlanWithEveryOptionalPresent() async throws {
        var content = KillPlan.example().content
        content.recordHistory = true
        content.threads = [
            PinnedThread(
                PinnedSession(
                    identity: SessionIdentity(
                        id: .number(4_294_967_295), user: "app", host: "10.0.0.7:50000",
                        performanceSchemaThreadID: .max,
                        client: ClientAttributes(programName: "etl", processID: "4711")),
                    details: PinnedDetails(
                        database: "shop", command: "Query", seconds: -1, state: "updating",
                        statement: .shown(text: "UPDATE t SET a = 1", length: 4_000),
                        transaction: Transaction(id: "1811", age: 9, rowsModified: .max, state: "LOCK WAIT"),
                        preparedXA: .present, protection: .systemThread,
                        wantedLocks: [
                            WantedLock(
                                lock: Lock(kind: .row, object: "shop.orders", index: "PRIMARY", mode: "X"), waiters: 3),
                            WantedLock(lock: Lock(kind: .user, object: "nightly"), waiters: 1),
                        ], freedSessions: 4))),
            PinnedThread(
                PinnedSession(
                    identity: SessionIdentity(
                        id: .number(2), user: "app", host: "localhost",
                        client: ClientAttributes(programName: nil, processID: nil)),
                    details: PinnedDetails(command: "Query", seconds: 0, statement: .hidden(sha256: "ab")))),
            PinnedThread(absent: .number(1)),
        ]
        content.impact = PlanImpact(freedSessions: 4, unexplainedWaiters: 1)
        content.fingerprint.serverID = .max
        content.fingerprint.connectionCount = .max
        content.fingerprint.startedAt = .min
        content.fingerprint.startMark = "8662-02fc00000001"
        try await assertReadsBackAsInserted(
            KillPlan(name: PlanName(rawValue: "plan-a"), sqlExecID: SqlExecID(rawValue: "A"), content: content))
    }

    func testReadsBackAPlanForAProxy() async throws {
        var content = KillPlan.example().content
        content.fingerprint.startedAt = nil
        content.fingerprint.connectionCount = nil
        let held = ServerSession(id: .max, connectionID: 3_221_579_563, address: "10.0.0.1:2881")
        content.threads = [(1, nil), (2, held)].map { id, serverSession in
            PinnedThread(
                PinnedSession(
                    identity: SessionIdentity(
                        id: .number(id), user: "app@t1", host: "10.0.0.7:50000",
                        proxy: ProxySession(
                            id: .max, cluster: "c", tenant: "e\u{301}", transactionCount: .max,
                            serverSession: serverSession)),
                    details: nil))
        }
        try await assertReadsBackAsInserted(
            KillPlan(name: PlanName(rawValue: "plan-a"), sqlExecID: SqlExecID(rawValue: "A"), content: content))
    }

    func testReadsBackAPlanWithEveryOptionalAbsent() async throws {
        var content = KillPlan.example().content
        content.fingerprint.uniqueID = nil
        content.threads = [
            PinnedThread(
                PinnedSession(
                    identity: SessionIdentity(id: .number(7), user: "unauthenticated user", host: "localhost"),
                    details: PinnedDetails(command: "Connect", seconds: nil))),
            PinnedThread(
                PinnedSession(
                    identity: SessionIdentity(id: .number(8), user: "app", host: "localhost"), details: nil)),
        ]
        try await assertReadsBackAsInserted(
            KillPlan(name: PlanName(rawValue: "plan-a"), sqlExecID: SqlExecID(rawValue: "A"), content: content))
    }

    func testReadsBackAPlanWithoutThreads() async throws {
        try await assertReadsBackAsInserted(.example(threads: 0))
    }

    func testReadsBackEveryTextByteForByte() async throws {
        let texts = [
            "", "\0", "before\0after", "订单库 🐬", "e\u{301} and \u{e9}", "\u{feff}mark", "\u{2028}",
            "\"\\/\r\n\t\u{7f}", "'; DROP TABLE plans; --", "\u{1}\u{1f}", "\u{10ffff}",
        ]
        let store = try await openStore()
        for (number, text) in texts.enumerated() {
            var content = KillPlan.example().content
            content.account = AccountName(rawValue: text)
            content.fingerprint.hostname = text
            content.threads = [
                PinnedThread(
                    PinnedSession(
                        identity: SessionIdentity(id: .number(5), user: text, host: text),
                        details: PinnedDetails(
                            database: text, command: text, seconds: 0, state: text,
                            statement: .shown(text: text, length: text.utf8.count))))
            ]
            let plan = KillPlan(
                name: PlanName(rawValue: "plan-\(number)" + text), sqlExecID: SqlExecID(rawValue: "\(number)" + text),
                content: content)
            try await store.insert(plan)
            let stored = try await store.plan(with: plan.sqlExecID)
            XCTAssertEqual(stored?.plan, plan, "\(text.debugDescription)")
            XCTAssertEqual(try stored?.plan.digest(), try plan.digest(), "\(text.debugDescription)")
        }
    }

    func testReadsBackAThousandThreadsInTheirOrder() async throws {
        var content = KillPlan.example(threads: 1_000).content
        content.threads.reverse()
        try await assertReadsBackAsInserted(
            KillPlan(name: PlanName(rawValue: "plan-a"), sqlExecID: SqlExecID(rawValue: "A"), content: content))
    }

    func testReadsBackAStatementOfAMegabyte() async throws {
        var content = KillPlan.example().content
        content.threads = [
            PinnedThread(
                PinnedSession(
                    identity: SessionIdentity(id: .number(5), user: "etl", host: "localhost"),
                    details: PinnedDetails(
                        command: "Query", seconds: 3,
                        statement: .shown(text: String(repeating: "INSERT 日", count: 1 << 17), length: 10 << 17))))
        ]
        try await assertReadsBackAsInserted(
            KillPlan(name: PlanName(rawValue: "plan-a"), sqlExecID: SqlExecID(rawValue: "A"), content: content))
    }

    func testReadsBackEveryOutcome() async throws {
        let failures: [Outcome.Failure] =
            [
                .outlivedKill, .outlivedKillCommitted, .unkillable, .notFoundByGuard, .connectionBroke, .planExpired,
                .taskRevoked, .noLongerMatched, .sparedByInterruptedCommit, .taskInterrupted, .loginRefused,
                .unknownConnection, .notPinnable, .worded(""), .worded("1317: x"),
                .refused(ServerMessage(code: .max, text: "\0 中断")), .refused(ServerMessage(code: 0, text: "")),
            ] + KillObstacle.allCases.map(Outcome.Failure.notPermitted)
        let outcomes: [Outcome] =
            [
                .killed, .rollingBack(rowsLeft: 0), .rollingBack(rowsLeft: .max), .gone, .replaced,
                .protected(.ownConnection), .protected(.replication), .protected(.systemThread),
                .protected(.eventScheduler), .protected(.protectedUser), .denied(.untold),
                .denied(.byServer(message: "no")), .denied(.ownSessionsOnly), .xaPrepared, .xaUnknown,
                .alreadyCommitted, .ended, .unknown,
            ] + failures.map(Outcome.failed)
        let store = try await openStore()
        // One thread more than there are outcomes: about that one nothing is known.
        let plan = KillPlan.example(threads: outcomes.count + 1)
        let decided = Dictionary(uniqueKeysWithValues: zip(plan.content.threads.map(\.id), outcomes))
        try await store.insert(plan)
        let claimed = try await store.claim(plan.name, intending: Array(decided.keys), at: commit)
        let finished = try await store.finish(plan.name, as: .committed, outcomes: decided, at: end)
        let stored = try await store.plan(with: plan.sqlExecID)
        XCTAssertTrue(claimed && finished != nil)
        XCTAssertEqual(stored?.state, .ended(.committed, at: end, outcomes: decided))
    }

    func testAnswersNothingForAnUnknownTicket() async throws {
        let store = try await openStore()
        try await store.insert(.example())
        for ticket in ["", "TICKET1", "ticket", "ticket1\0", "ticket1 "] {
            let stored = try await store.plan(with: SqlExecID(rawValue: ticket))
            XCTAssertNil(stored, ticket)
        }
    }

    func testKeepsTheDigestOfTheMomentOfStoring() async throws {
        let store = try await openStore()
        try await store.insert(.example())
        try await store.execute("UPDATE threads SET user = 'somebody-else'")
        let stored = try await store.plan(with: KillPlan.example().sqlExecID)
        XCTAssertEqual(stored?.digest, try KillPlan.example().digest())
        XCTAssertNotEqual(stored?.digest, try stored?.plan.digest())
    }

    func testReportsARowThatMakesNoSenseAsDamage() async throws {
        let store = try await openStore()
        try await store.insert(.example())
        let damages = [
            "UPDATE threads SET details = '{}'",
            "UPDATE threads SET client = '[]'",
            "UPDATE plans SET impact = '{}'",
            "UPDATE plans SET fingerprint = '[1]'",
            "UPDATE plans SET account = CAST(x'ff' AS TEXT)",
            "UPDATE threads SET outcome = 'rolling-back', outcome_detail = '99999999999999999999'; "
                + "UPDATE plans SET state = 'committed', committing_since = 1, ended_at = 1",
        ]
        for damage in damages {
            try await store.execute(damage)
            let error = try await storeError { _ = try await store.plan(with: KillPlan.example().sqlExecID) }
            try await store.execute("DELETE FROM plans")
            try await store.insert(.example())
            XCTAssertEqual(error.reason, .damaged, damage)
            XCTAssertFalse(error.description.contains("ticket1"), error.description)
        }
    }
}
