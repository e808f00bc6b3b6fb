import SessionKill
import TestSupport
import XCTest

// What the promises are about: plans, tasks and times that differ in a number.

let preparation = UnixTime(milliseconds: 1_790_000_100_123)
let commit = UnixTime(milliseconds: 1_790_000_200_456)
let end = UnixTime(milliseconds: 1_790_000_200_999)
let instance = InstanceID(rawValue: "cdb-1")

func thread(_ number: UInt32) -> ThreadID { ThreadID(number)! }
func threads(_ numbers: UInt32...) -> [ThreadID] { numbers.map(thread) }

func plan(
    _ number: Int = 1, threads numbers: [UInt32] = [1, 2, 3], on instance: String = "cdb-1",
    task: KillTaskName? = nil, recordHistory: Bool = true, review: ReviewTerms? = nil, requestedBy: PersonName? = nil
) -> KillPlan {
    let pinned = numbers.map { number in
        PinnedThread(
            PinnedSession(
                identity: SessionIdentity(id: thread(number), user: "app", host: "10.0.0.7:\(40_000 + number)"),
                details: PinnedDetails(database: "shop", command: "Sleep", seconds: 12)))
    }
    return KillPlan(
        name: PlanName(rawValue: "plan-\(number)"), sqlExecID: SqlExecID(rawValue: "ticket\(number)"),
        content: KillPlan.Content(
            account: "ci", instance: InstanceID(rawValue: instance), task: task, preparedAt: preparation,
            expiresAt: preparation.advanced(bySeconds: 600), recordHistory: recordHistory,
            fingerprint: ServerFingerprint(
                uniqueID: "3a9f", hostname: "db1", port: 3306, serverID: 1, version: "9.7.4",
                startedAt: 1_700_000_000, connectionCount: 500),
            threads: pinned, requestedBy: requestedBy, reason: requestedBy.map { _ in "stuck" }, review: review))
}

func killTask(_ number: Int = 1, on instance: String = "cdb-1", endsAt: UnixTime? = nil) throws -> KillTask {
    KillTask(
        name: KillTaskName(rawValue: "task-\(number)"), instance: InstanceID(rawValue: instance), account: "ci",
        rule: try KillRule(user: "app"), createdAt: preparation, endsAt: endsAt)
}

func sessionTask(_ number: Int = 1) -> SessionTask {
    let digit = String(number, radix: 16)
    return SessionTask(
        id: SessionTaskID(rawValue: String(repeating: "0", count: 32 - digit.count) + digit), account: "ci",
        target: SessionTaskTarget(instance: instance, node: nil), plan: PlanName(rawValue: "plan-\(number)"),
        createdAt: preparation)
}

func sessions(_ outcome: SessionTaskOutcome?) -> [TaskedSession] {
    threads(2, 1).map { TaskedSession(id: $0, row: nil, outcome: outcome) }
}

/// Fails unless the store refuses what it is asked, as nothing that the disk is to blame for.
func assertRefused(
    _ words: String, file: StaticString = #filePath, line: UInt = #line, _ body: () async throws -> some Any
) async throws {
    let error = try await assertThrows(StoreError.self, file: file, line: line, body)
    XCTAssertEqual(error.reason, .other, "\(words): \(error)", file: file, line: line)
}

/// Fails unless of many that ask at the same moment exactly one is told true.
func assertOneIsTrue(
    file: StaticString = #filePath, line: UInt = #line, _ ask: @escaping @Sendable (Int) async throws -> Bool
) async throws {
    let responses = try await withThrowingTaskGroup(of: Bool.self) { group in
        for number in 0..<32 { group.addTask { try await ask(number) } }
        return try await group.reduce(into: []) { $0.append($1) }
    }
    XCTAssertEqual(responses.count { $0 }, 1, "\(responses)", file: file, line: line)
}

/// For names that stand in a test.
extension AccountName: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self.init(rawValue: value) }
}
