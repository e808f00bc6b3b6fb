import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// A server that has no connection left (error 1040), which is when killd is needed most.
final class FullServerTests: XCTestCase {
    func testIsServedOverTheConnectionThatIsOpen() async throws {
        try await withKilldOnEveryServer { scene in
            let (victims, planned) = try await scene.openTwo()
            // Makes sure that there is a connection.
            _ = try scene.client.prepare(planned)
            try await withFullServer(scene.server) {
                let ticket = try scene.client.prepare(planned).ticket()
                XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
            }
            await victims.assertNoneAnswers()
        }
    }

    func testManyCommitsAtOnceShareTheConnectionThatIsOpen() async throws {
        try await withKilldOnEveryServer { scene in
            let victims = try await ClientSessions.open(8, on: scene.server)
            let planned = await victims.threadIDs
            _ = try scene.client.prepare(planned)
            try await withFullServer(scene.server) {
                let tickets = try planned.map { try scene.client.prepare([$0]).ticket() }
                let pending = try tickets.map { try scene.client.sendCommit($0) }
                for (answer, victim) in zip(pending, planned) {
                    let answer = try answer.wait()
                    XCTAssertEqual(answer.Threads, [victim], "\(answer)")
                }
            }
            await victims.assertNoneAnswers()
        }
    }

    func testAKilldThatStartsNowComesInByTheAdministrativeAddress() async throws {
        try await withKilldOnEveryServer { server, instance in
            instance.adminHost = "127.0.0.1"
            instance.adminPort = server.adminPort
        } _: { scene in
            let (victims, planned) = try await scene.openTwo()
            try await scene.killd.stop()
            try await withFullServer(scene.server) {
                try await scene.killd.start()
                let ticket = try scene.client.prepare(planned).ticket()
                XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
            }
            await victims.assertNoneAnswers()
        }
    }

    func testAKilldThatStartsNowWithoutSuchAnAddressSaysSo() async throws {
        try await withKilldOnEveryServer { scene in
            let (victims, planned, ticket) = try await scene.prepareTwo()
            try await scene.killd.stop()
            let killsBefore = try await scene.killsRun()
            try await withFullServer(scene.server) {
                try await scene.killd.start()
                assertRefused(try scene.client.prepare(planned), "FailedOperation", "no connection left")
                assertRefused(try scene.client.commit(ticket), "FailedOperation", "no connection left")
                try await scene.assertKillsRun(0, since: killsBefore)
            }
            await victims.assertAllAnswer()
            XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
            await victims.assertNoneAnswers()
        }
    }

    private func withKilldOnEveryServer(
        configure: (RealServer, inout KilldConfiguration.Instance) -> Void = { _, _ in },
        _ body: (Scene) async throws -> Void
    ) async throws {
        try await onEveryServer { server in
            for tls in ["disabled", "preferred"] {
                var configuration = KilldConfiguration(port: server.database.port)
                configuration.instances[0].tls = tls
                configure(server, &configuration.instances[0])
                try await withKilld(configuration, on: server, body)
            }
        }
    }
}
