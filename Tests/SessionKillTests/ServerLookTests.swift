import SessionKill
import XCTest

final class ServerLookTests: KillEngineTestCase {
    private func instance(_ server: any DatabaseServer) -> Instance {
        Instance(id: InstanceID(rawValue: "cdb-2"), server: server, protectedUsers: [])
    }

    private func patientEngine() -> KillEngine {
        KillEngine(
            store: store, settings: .init(planLifetime: 600, killWait: .seconds(3)),
            clock: .init(now: clock.now, sleep: { _ in try await Task.sleep(for: .seconds(600)) }))
    }

    func testAsksForTheFingerprintOnly() async throws {
        let looks = await patientEngine().look(at: [instance], within: .seconds(2))
        let fingerprint = await server.fingerprint
        XCTAssertEqual(looks, [.answered(fingerprint)])
        let scopes = await server.scopes
        XCTAssertEqual(scopes, [.server])
    }

    func testAServerThatFailsDoesNotKeepTheOthersFromAnswering() async throws {
        let failing = ScriptedServer([])
        await failing.set { $0.failure = ServerError(.unreachable, "nobody there") }
        let looks = await patientEngine().look(at: [instance(failing), instance], within: .seconds(2))
        let fingerprint = await server.fingerprint
        XCTAssertEqual(looks, [.failed, .answered(fingerprint)])
    }

    /// The clock's sleep is over at once, the server's answer never comes.
    func testAServerThatSaysNothingIsGivenUpAtTheLimit() async throws {
        let looks = await engine.look(at: [instance(SilentServer())], within: .seconds(2))
        XCTAssertEqual(looks, [.unfinished])
        XCTAssertEqual(clock.slept, .seconds(2))
    }
}

/// Takes ten minutes for everything.
private struct SilentServer: DatabaseServer {
    func withConnection<Answer: Sendable>(
        _ body: @Sendable (any ServerConnection) async throws -> Answer
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
