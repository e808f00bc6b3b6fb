import Accounts
import Foundation
import SQLiteStore
import ScriptedServers
import SessionKill
import Synchronization
import TestSupport
import XCTest

/// A clock that the test sets: whoever sleeps by it advances it.
final class SceneClock: Sendable {
    private let time = Mutex(UnixTime(milliseconds: 1_796_000_000_000))

    var now: UnixTime { time.withLock { $0 } }

    func advance(by duration: Duration) {
        time.withLock { $0 = UnixTime(milliseconds: $0.milliseconds + Int64(duration / .milliseconds(1))) }
    }

    var clock: KillEngine.Clock {
        KillEngine.Clock(
            now: { self.now },
            sleep: { duration in
                // Whoever only wants to know that time is over must not take it from others.
                await Task.yield()
                try Task.checkCancellation()
                self.advance(by: duration)
            })
    }
}

extension Seed {
    /// A file of `Seeds`.
    static func file(_ name: String) throws -> Seed {
        let url = try XCTUnwrap(Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Seeds"))
        return try Seed(json: Array(Data(contentsOf: url)))
    }

    /// The names of all of them.
    static func files() throws -> [String] {
        let folder = try XCTUnwrap(Bundle.module.url(forResource: "Seeds", withExtension: nil))
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }
            .map { String($0.dropLast(5)) }.sorted()
    }
}

extension ThreadID: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: UInt32) { self.init(value)! }
}

extension AccountName: ExpressibleByStringLiteral {
    public init(stringLiteral text: String) { self.init(rawValue: text) }
}

/// The servers of a seed, and an engine with a store of its own that commits on one of them.
final class Scene: Sendable {
    let seed: Seed
    let time = SceneClock()
    let servers: [String: ScriptedServer]
    let database: SQLiteStore
    let store: StagedStore
    let engine: KillEngine
    let instance: Instance
    private static let stores = Result { try MemoryStores() }

    /// - Parameter id: of the instance that is meant; the first if `nil`.
    init(_ seed: Seed, _ id: String? = nil) async throws {
        self.seed = seed
        let clock = time.clock
        var servers: [String: ScriptedServer] = [:]
        for instance in seed.instances {
            servers[instance.id] = ScriptedServer(instance.server, name: instance.id, clock: clock)
            for node in instance.nodes {
                let name = "\(instance.id)/\(node.id)"
                servers[name] = ScriptedServer(node.server, name: name, clock: clock)
            }
        }
        self.servers = servers
        database = try await Self.stores.get().open(at: time.now)
        store = StagedStore(database)
        engine = Self.engine(store, clock)
        let meant = try XCTUnwrap(seed.instances.first { id == nil || $0.id == id })
        instance = Instance(
            id: InstanceID(rawValue: meant.id), server: try XCTUnwrap(servers[meant.id]),
            protectedUsers: meant.protectedUsers, hidesStatements: meant.hidesStatements, approvals: meant.approvals)
        engine.replace(authority())
    }

    convenience init(_ file: String, _ id: String? = nil) async throws { try await self.init(Seed.file(file), id) }

    private static func engine(_ store: any PlanStore, _ clock: KillEngine.Clock) -> KillEngine {
        KillEngine(
            store: store, settings: KillEngine.Settings(planLifetime: 600, killWait: .seconds(3)), clock: clock)
    }

    /// As killd has it after it was started anew.
    func engineAfterRestart() -> KillEngine {
        let engine = Self.engine(database, time.clock)
        engine.replace(authority())
        return engine
    }

    /// By the seed's accounts.
    ///
    /// - Parameter obstacle: why nobody may be killed.
    func authority(obstacle: KillObstacle? = nil) -> KillAuthority {
        let instance = instance
        return KillAuthority(
            { _ in obstacle.map { .failure($0) } ?? .success(instance) },
            accounts: seed.accounts.map { account in
                KillAuthority.AccountRights(
                    account: AccountName(rawValue: account.name), person: PersonName(rawValue: account.person)
                ) { right, _ in
                    switch right {
                    case .prepare: account.permissions.contains(.prepare)
                    case .approve: account.permissions.contains(.approve)
                    case .commit: account.permissions.contains(.commit)
                    case .breakGlass: account.permissions.contains(.breakGlass)
                    }
                }
            }, verify: { _, _ in true })
    }

    var server: ScriptedServer {
        get throws { try XCTUnwrap(servers[instance.id.rawValue]) }
    }

    let account: AccountName = "standin"

    func prepare(_ selection: Selection, recordHistory: Bool = true) async throws -> KillPlan {
        try await engine.prepare(
            selection, on: instance, for: Caller(account), asking: PrepareTerms(recordHistory: recordHistory))
    }

    func prepare(_ ids: [ThreadID]) async throws -> KillPlan { try await prepare(.threads(ids)) }

    func commit(_ plan: KillPlan) async throws -> CommitReport {
        try await engine.commit(plan.sqlExecID, on: instance, for: account)
    }

    func run(_ ids: [ThreadID]) async throws -> CommitReport { try await commit(prepare(ids)) }

    /// How a plan ended.
    func outcomes(of plan: PlanName) async throws -> (outcomes: [ThreadID: Outcome], guards: [ThreadID: KillGuard]) {
        let stored = try await database.plan(named: plan)
        guard case .ended(_, _, let outcomes, let guards)? = stored?.state else { return ([:], [:]) }
        return (outcomes, guards)
    }
}

/// A store beside which things happen.
final class StagedStore: PlanStore {
    struct Stage: Sendable {
        /// killd dies once a claim is on record.
        var diesAfterClaim = false
        var fails = false
        var beforeClaim: @Sendable (PlanName, PlanClaim) async throws -> Void = { _, _ in }
        var afterClaim: @Sendable () async -> Void = {}
        /// Somebody changes the stored plans.
        var changesDigests = false
    }

    private let base: SQLiteStore
    private let stage = Mutex(Stage())

    init(_ base: SQLiteStore) { self.base = base }

    func set(_ change: @Sendable (inout Stage) -> Void) { stage.withLock { change(&$0) } }

    static let full = StoreError(.cannotWrite, "the disk is full")

    func insert(_ plan: KillPlan, by caller: Caller) async throws(StoreError) -> AuditReceipt {
        try await base.insert(plan, by: caller)
    }

    func plan(with sqlExecID: SqlExecID) async throws(StoreError) -> StoredPlan? {
        guard let stored = try await base.plan(with: sqlExecID) else { return nil }
        guard stage.withLock({ $0.changesDigests }) else { return stored }
        return StoredPlan(
            plan: stored.plan, digest: String(repeating: "0", count: 64), preparer: stored.preparer,
            state: stored.state, decisions: stored.decisions)
    }

    func plan(named name: PlanName) async throws(StoreError) -> StoredPlan? { try await base.plan(named: name) }

    func plans(_ query: PlanQuery, at time: UnixTime) async throws(StoreError) -> [SessionKill.PlanSummary] {
        try await base.plans(query, at: time)
    }

    func record(_ decision: Decision, on plan: PlanName) async throws(StoreError) -> DecisionResult {
        try await base.record(decision, on: plan)
    }

    func claim(_ plan: PlanName, _ claim: PlanClaim) async throws(StoreError) -> ClaimResult {
        let stage = stage.withLock { $0 }
        do {
            try await stage.beforeClaim(plan, claim)
        } catch {
            throw Self.full
        }
        let result = try await base.claim(plan, claim)
        if stage.diesAfterClaim { throw Self.full }
        await stage.afterClaim()
        return result
    }

    func finish(
        _ plan: PlanName, as ending: PlanEnding, outcomes: [ThreadID: Outcome], guards: [ThreadID: KillGuard],
        at time: UnixTime
    ) async throws(StoreError) -> AuditReceipt? {
        if stage.withLock({ $0.fails }) { throw Self.full }
        return try await base.finish(plan, as: ending, outcomes: outcomes, guards: guards, at: time)
    }

    func receiptOfEnd(of plan: PlanName) async throws(StoreError) -> AuditReceipt? {
        try await base.receiptOfEnd(of: plan)
    }

    func revision() async throws(StoreError) -> Int64 { try await base.revision() }
}
