import MySQLSessions
import PrivateDatabase
import SessionKill
import Synchronization
import TestSupport
import XCTest

/// A connection that is broken, however, leaves the pool, and the next use works.
final class ConnectionLossTests: XCTestCase {
    /// Opens several connections, so that more than one of them is broken.
    private func fill(_ server: MySQLServer) async throws {
        let connected = Arrivals()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    try await server.withConnection { connection in
                        _ = try await connection.observe(.server)
                        connected.count.withLock { $0 += 1 }
                        // All at once: or one would be handed on while another is still being set up.
                        try await eventually("three connections") { connected.count.withLock { $0 == 3 } }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func assertUsable(_ server: MySQLServer, _ what: String) async throws {
        try await server.checkUsable()
        _ = try await server.list()
        _ = try await server.observe(.locks)
        _ = try await server.withConnection { try await $0.observe(.sessions) }
    }

    func testAfterARestartTheNextUseWorksOverTCPAndOverAUnixSocket() async throws {
        for kind in RealServer.Kind.allCases {
            let real = try RealServer.start(kind)
            try await real.createAccounts()
            var local = real.configuration()
            local.address = .unixSocket(path: real.database.socket)
            let servers = [MySQLServer(local), MySQLServer(real.configuration(tls: .preferred))]
            for server in servers { try await fill(server) }
            try real.database.restart()
            for server in servers {
                try await assertUsable(server, "\(kind)")
                try await assertUsable(server, "\(kind)")
            }
            try await servers[0].checkUsable()
            real.database.stop()
            for server in servers {
                let error = try await assertThrows(ServerError.self) { try await server.checkUsable() }
                XCTAssertEqual(error.reason, .unreachable, "\(error)")
                await server.close()
            }
        }
    }

    func testAfterAResetOfEveryIdleConnectionTheNextUseWorks() async throws {
        for content in [FakeServerContent.mysql(), .mariadb()] {
            let fake = try FakeMySQLServer(FakeMySQLServer.Settings(content))
            let server = MySQLServer(fake.configuration())
            for byReset in [true, false] {
                try await fill(server)
                fake.endConnections(byReset: byReset)
                try await eventually("their end") { fake.connectionCount == 0 }
                try await assertUsable(server, "\(byReset)")
            }
            await server.close()
            fake.stop()
        }
    }

    /// A firewall that forgot the connections: nothing answers, and nothing says so.
    func testConnectionsThatSayNothingAnyMoreAreLeftTogether() async throws {
        let fake = try FakeMySQLServer()
        var configuration = fake.configuration()
        // Long enough for a busy machine to set up a connection.
        configuration.deadlines.check = .seconds(3)
        configuration.deadlines.readWrite = .seconds(3)
        let server = MySQLServer(configuration)
        try await fill(server)
        let before = fake.connectionsEver
        fake.muteConnections()
        let begin = ContinuousClock.now
        try await assertUsable(server, "after silence")
        XCTAssertLessThan(begin.duration(to: .now), .seconds(12), "they were waited for one after the other")
        XCTAssertGreaterThan(fake.connectionsEver, before)
        await server.close()
        fake.stop()
    }

    /// What is asked while all connections are in use is what their users heard last.
    func testAServerThatHangsIsNotReady() async throws {
        let fake = try FakeMySQLServer { $0.hasPrefix("SHOW FULL") ? .silence : nil }
        var configuration = fake.configuration()
        configuration.deadlines.readWrite = .seconds(1)
        configuration.deadlines.check = .seconds(1)
        let server = MySQLServer(configuration, connectionLimit: 1)
        // Whoever fails asks again: between two of them the server seems to be well.
        let snapshots = Task { while !Task.isCancelled { _ = try? await server.list() } }
        try await eventually("the list") { fake.statements.contains { $0.hasPrefix("SHOW FULL") } }
        try await eventually("that readiness tells of it") {
            do {
                try await server.checkUsable()
                return false
            } catch { return true }
        }
        snapshots.cancel()
        await server.close()
        await snapshots.value
        fake.stop()
    }
}

private final class Arrivals: Sendable {
    let count = Mutex(0)
}
