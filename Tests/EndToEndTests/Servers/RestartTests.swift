import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// A server that is started again right after a Prepare, where strangers soon have the ids of the plan. Over a Unix
/// socket all of them come from `localhost`, so that it is up to the server's fingerprint alone.
final class RestartTests: XCTestCase {
    func testNobodyOfTheNextServerProcessIsEndedOverTCP() async throws {
        try await onEveryServer(from: { try RealServer.start($0) }) { server in
            try await restartAfterPrepare(server, KilldConfiguration(port: server.database.port)) { count in
                try await ClientSessions.open(count, on: server)
            }
        }
    }

    func testNobodyOfTheNextServerProcessIsEndedOverAUnixSocket() async throws {
        try await onEveryServer(from: { try RealServer.start($0) }) { server in
            var configuration = KilldConfiguration(port: 0)
            configuration.instances[0].host = nil
            configuration.instances[0].port = nil
            configuration.instances[0].socket = server.database.socket
            try await restartAfterPrepare(server, configuration) { count in
                try await ClientSessions.open(count, at: server.database.socket)
            }
        }
    }

    private func restartAfterPrepare(
        _ server: RealServer, _ configuration: KilldConfiguration, _ open: (Int) async throws -> ClientSessions
    ) async throws {
        let killd = try await KilldProcess.start(configuration)
        for round in 0..<Self.rounds {
            try await server.restart()
            // Its connections are to a server that is gone; what remains is what the plan's record says.
            killd.kill()
            try await killd.start()
            let client = try SigningClient(killd)
            let planned = try await open(25)
            let ids = await planned.threadIDs
            // As early as killd lets anybody plan.
            var ticket: String?
            try await eventually("a plan", pause: .milliseconds(10)) {
                let answer = try client.prepare(ids)
                guard let error = answer.Error else {
                    ticket = try answer.ticket()
                    return true
                }
                XCTAssertEqual(error.Code, "FailedOperation")
                XCTAssertTrue(error.Message.contains("started a moment ago"), error.Message)
                return false
            }
            try await server.restart()
            let strangers = try await open(30)
            let strangersIDs = await strangers.threadIDs
            XCTAssertFalse(Set(strangersIDs).isDisjoint(with: ids), "round \(round): nobody has the ids")
            killd.kill()
            try await killd.start()
            let refused = try SigningClient(killd).commit(try XCTUnwrap(ticket))
            assertRefused(refused, "OperationDenied", "was restarted since Prepare")
            let answering = await strangers.answering()
            XCTAssertEqual(answering, Set(strangersIDs), "round \(round)")
            _ = planned
        }
        try await killd.stop()
    }

    private static let rounds = 1
}
