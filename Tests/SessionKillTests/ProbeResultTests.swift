import SessionKill
import Synchronization
import XCTest

final class ProbeResultTests: KillEngineTestCase {
    private let time = Time()

    private func instance(
        _ server: any DatabaseServer,
        sleep: @escaping @Sendable (Duration) async throws -> Void = { _ in try await Task.sleep(for: .seconds(600)) }
    ) -> Instance {
        Instance(
            id: InstanceID(rawValue: "cdb-2"), server: server, protectedUsers: [],
            clock: .init(now: { [time] in time.now }, sleep: sleep))
    }

    func testAsksForTheFingerprintOnly() async throws {
        let snapshots = await [instance(server)].snapshots()
        let fingerprint = await server.fingerprint
        XCTAssertEqual(snapshots, [.answered(fingerprint)])
        let scopes = await server.scopes
        XCTAssertEqual(scopes, [.server])
    }

    func testAServerIsAskedOnceASecondHoweverManyWantToKnow() async throws {
        let instance = instance(server)
        await withTaskGroup(of: [ProbeResult].self) { group in
            for _ in 0..<50 { group.addTask { await [instance].snapshots() } }
        }
        time.advance(by: .milliseconds(999))
        _ = await [instance].snapshots()
        var scopes = await server.scopes
        XCTAssertEqual(scopes, [.server])

        await server.set { $0.failure = ServerError(.unreachable, "nobody there") }
        time.advance(by: .milliseconds(1))
        let snapshots = await [instance].snapshots()
        XCTAssertEqual(snapshots, [.failed])
        // That it is away is known for a second too.
        await server.set { $0.failure = nil }
        let known = await [instance].snapshots()
        XCTAssertEqual(known, [.failed])
        time.advance(by: .seconds(1))
        let later = await [instance].snapshots()
        let fingerprint = await server.fingerprint
        XCTAssertEqual(later, [.answered(fingerprint)])
        scopes = await server.scopes
        XCTAssertEqual(scopes.count, 2)
    }

    func testAServerThatFailsDoesNotKeepTheOthersFromAnswering() async throws {
        let failing = ScriptedServer([])
        await failing.set { $0.failure = ServerError(.unreachable, "nobody there") }
        let snapshots = await [instance(failing), instance(server)].snapshots()
        let fingerprint = await server.fingerprint
        XCTAssertEqual(snapshots, [.failed, .answered(fingerprint)])
    }

    /// The clock's sleep is over at once, the server's answer never comes.
    func testAServerThatSaysNothingIsGivenUpAtTheLimit() async throws {
        let instance = instance(SilentServer(), sleep: clock.sleep)
        let snapshots = await [instance].snapshots()
        XCTAssertEqual(snapshots, [.unfinished])
        XCTAssertEqual(clock.slept, .seconds(2))
        // Who asks then does not wait again.
        time.advance(by: .seconds(2))
        let known = await [instance].snapshots()
        XCTAssertEqual(known, [.unfinished])
        XCTAssertEqual(clock.slept, .seconds(2))
    }
}

/// Moved by the test.
private final class Time: Sendable {
    private let instant = Mutex(ContinuousClock.now)

    var now: ContinuousClock.Instant { instant.withLock { $0 } }

    func advance(by duration: Duration) { instant.withLock { $0 += duration } }
}

/// Takes ten minutes for everything.
private struct SilentServer: DatabaseServer {
    func withConnection<Answer: Sendable>(
        preferring connection: ConnectionIdentity?, _ body: @Sendable (any ServerConnection) async throws -> Answer
    ) async throws -> Answer { throw await silence() }

    func withConnection<Answer: Sendable>(
        as login: DatabaseLogin, _ body: @Sendable (any ServerConnection) async throws -> Answer
    ) async throws -> Answer { throw await silence() }

    func observe(_ scope: ObservationScope) async throws -> ServerObservation { throw await silence() }

    private func silence() async -> any Error {
        try? await Task.sleep(for: .seconds(600))
        return CancellationError()
    }
}
