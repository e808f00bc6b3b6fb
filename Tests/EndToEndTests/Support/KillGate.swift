import Dispatch
import PrivateDatabase
import Synchronization
import TestSupport

/// Stands between killd and its database server, and holds up the first packet that kills, the response to it, or the
/// first look at the sessions after it was armed.
final class KillGate: Sendable {
    enum Place: Sendable { case kill, answer, snapshot }
    enum Decision: Sendable { case forward, drop }

    let proxy: TCPProxy
    private let passage: Passage

    init(to port: UInt16, holding place: Place) throws {
        let passage = Passage()
        self.passage = passage
        proxy = try TCPProxy(
            to: port,
            fromClient: { bytes in
                if place == .snapshot, passage.isArmed.load(ordering: .sequentiallyConsistent),
                    bytes.firstRange(of: Array("SHOW FULL PROCESSLIST".utf8)) != nil
                {
                    return passage.hold() == .drop ? .cut : .forward(bytes)
                }
                guard bytes.firstRange(of: Array("KILL CONNECTION".utf8)) != nil else { return .forward(bytes) }
                passage.killWasSeen.store(true, ordering: .sequentiallyConsistent)
                return place == .kill && passage.hold() == .drop ? .cut : .forward(bytes)
            },
            fromServer: { bytes in
                guard place == .answer, passage.killWasSeen.load(ordering: .sequentiallyConsistent) else {
                    return .forward(bytes)
                }
                return passage.hold() == .drop ? .cut : .forward(bytes)
            })
    }

    /// From now on looks are held.
    func arm() { passage.isArmed.store(true, ordering: .sequentiallyConsistent) }

    /// Whether something is or was held.
    var wasReached: Bool { passage.wasReached.load(ordering: .sequentiallyConsistent) }

    /// Lets go what is held.
    func open(_ decision: Decision) { passage.open(decision) }

    private final class Passage: Sendable {
        let killWasSeen = Atomic(false)
        let isArmed = Atomic(false)
        let wasReached = Atomic(false)
        private let decision = Mutex(Decision.drop)
        private let opened = DispatchSemaphore(value: 0)

        /// Waits for a decision about the first packet; those after it are let through.
        func hold() -> Decision {
            guard !wasReached.exchange(true, ordering: .sequentiallyConsistent) else { return .forward }
            _ = opened.wait(timeout: .now() + 30)
            return decision.withLock { $0 }
        }

        func open(_ decision: Decision) {
            self.decision.withLock { $0 = decision }
            opened.signal()
        }
    }
}

/// Runs `body` on every kind of server with a killd that reaches it through a gate.
func withKilldBehindGate(
    holding place: KillGate.Place, file: StaticString = #filePath, line: UInt = #line,
    _ body: (Scene, KillGate) async throws -> Void
) async throws {
    try await onEveryServer { server in
        let gate = try KillGate(to: server.database.port, holding: place)
        var configuration = KilldConfiguration(port: server.database.port)
        configuration.passThrough(gate)
        try await withKilld(configuration, on: server, file: file, line: line) { try await body($0, gate) }
    }
}

extension KilldConfiguration {
    /// Has killd reach all its instances by way of the gate.
    mutating func passThrough(_ gate: KillGate) {
        for index in instances.indices {
            instances[index].port = gate.proxy.port
            // Or the gate could not read along.
            instances[index].tls = "disabled"
        }
    }
}
