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

    func advance(by duration: Duration) { time.withLock { $0 = $0.advanced(by: duration) } }

    var clock: KillEngine.Clock {
        KillEngine.Clock(now: { self.now }, sleep: { self.advance(by: $0) })
    }
}

extension UnixTime {
    fileprivate func advanced(by duration: Duration) -> UnixTime {
        UnixTime(milliseconds: milliseconds + Int64(duration / .milliseconds(1)))
    }
}

extension Seed {
    /// A file of `Seeds`.
    static func file(_ name: String) throws -> Seed {
        let url = try XCTUnwrap(Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Seeds"))
        return try Seed(json: Array(Data(contentsOf: url)))
    }

    /// One instance with these sessions, in JSON.
    static func of(sessions: String, server: String = "{}", more: String = "") throws -> Seed {
        try Seed(
            json: Array(#"{"instances":[{"id":"cdb-1"\#(more),"server":\#(server),"sessions":\#(sessions)}]}"#.utf8))
    }
}

extension ThreadID: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: UInt32) { self.init(value)! }
}

/// A seed's servers, and an engine with a store of its own that commits on them.
final class Scene: Sendable {
    let seed: Seed
    let time = SceneClock()
    let servers: [String: ScriptedServer]
    let store: SQLiteStore
    let engine: KillEngine
    private let folder: TestFolder

    init(_ seed: Seed, killWait: Duration = .seconds(3)) async throws {
        self.seed = seed
        folder = try TestFolder()
        let clock = time.clock
        servers = seed.instances.reduce(into: [:]) { servers, instance in
            servers[instance.id] = ScriptedServer(instance.server, name: instance.id, clock: clock)
        }
        store = try await SQLiteStore.open(path: folder.file("scene.sqlite"), at: time.now)
        engine = KillEngine(
            store: store, settings: KillEngine.Settings(planLifetime: 600, killWait: killWait), clock: clock)
    }

    var instance: Instance {
        get throws {
            let instance = seed.instances[0]
            return Instance(
                id: InstanceID(rawValue: instance.id), server: try XCTUnwrap(servers[instance.id]),
                protectedUsers: instance.protectedUsers, hidesStatements: instance.hidesStatements,
                approvals: instance.approvals)
        }
    }

    func prepare(_ ids: [ThreadID]) async throws -> KillPlan {
        try await engine.prepare(
            .threads(ids), on: instance, for: AccountName(rawValue: "standin"), recordHistory: true)
    }

    func commit(_ plan: KillPlan) async throws -> CommitReport {
        try await engine.commit(plan.sqlExecID, on: instance, for: AccountName(rawValue: "standin"))
    }

    func run(_ ids: [ThreadID]) async throws -> CommitReport { try await commit(prepare(ids)) }
}
