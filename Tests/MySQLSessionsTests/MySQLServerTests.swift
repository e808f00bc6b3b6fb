@testable import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

final class MySQLServerTests: XCTestCase {
    func testNoMoreConnectionsThanTheLimitAndNobodyIsLeftOut() async throws {
        try await onEveryServer { server in
            let database = MySQLServer(server.configuration(), connectionLimit: 3)
            let ids = try await withThrowingTaskGroup(of: Set<ThreadID>.self) { group in
                for _ in 0..<40 {
                    group.addTask { try await database.withConnection { try await $0.observe(.sessions).ownThreadIDs } }
                }
                return try await group.reduce(into: Set()) { $0.formUnion($1) }
            }
            XCTAssertLessThanOrEqual(ids.count, 3)
            await database.close()
        }
    }

    func testAFreedConnectionGoesToTheCallerThatHasWaitedLongest() async throws {
        let fake = try FakeMySQLServer()
        let database = MySQLServer(fake.configuration(), connectionLimit: 1)
        var overtaken = 0
        for _ in 0..<300 {
            let served = Locked<[Int]>([])
            @Sendable func call(_ number: Int) -> Task<Void, any Error> {
                Task { try await database.withConnection { _ in served.withLock { $0.append(number) } } }
            }
            let callers = try await database.withConnection { _ in
                let first = call(0)
                try await eventually("the first one waits", pause: .zero) { await !database.pool.line.isEmpty }
                return [first] + (1...8).map(call)
            }
            for caller in callers { try await caller.value }
            if served.withLock({ $0.first }) != 0 { overtaken += 1 }
        }
        XCTAssertEqual(overtaken, 0)
        await database.close()
        fake.stop()
    }

    func testWhoWaitsForABusyConnectionGivesUpAtTheDeadlineOrWhenCancelled() async throws {
        try await onEveryServer { server in
            var configuration = server.configuration()
            configuration.deadlines.freeConnection = .milliseconds(200)
            let database = MySQLServer(configuration, connectionLimit: 1)
            try await database.withConnection { _ in
                let late = try await assertThrows(ServerError.self) {
                    try await database.withConnection { _ in }
                }
                XCTAssertTrue(late.description.contains("busy"), "\(late)")
                let cancelled = Task { try await database.withConnection { _ in } }
                cancelled.cancel()
                let error = try await assertThrows((any Error).self) { try await cancelled.value }
                XCTAssertTrue(error is CancellationError, "\(error)")
            }
            // The connection is free again.
            try await database.withConnection { _ = try await $0.observe(.sessions) }
            await database.close()
        }
    }

    func testAConnectionThatDiedIdleIsReplaced() async throws {
        try await onEveryServer { server in
            let database = MySQLServer(server.configuration())
            try await database.start()
            let first = try await database.withConnection { try await $0.observe(.sessions).ownThreadIDs }
            let root = try await server.administrator()
            for id in first { try await root.query("KILL \(id)") }
            let second = try await database.withConnection { try await $0.observe(.sessions).ownThreadIDs }
            XCTAssertEqual(second.count, 1)
            XCTAssertTrue(second.isDisjoint(with: first))
            await database.close()
        }
    }

    func testASnapshotIsTakenAgainWhereItsConnectionHadDiedIdle() async throws {
        try await onEveryServer { server in
            let database = MySQLServer(server.configuration())
            try await database.start()
            let first = try await database.observe(.sessions)
            let root = try await server.administrator()
            for id in first.ownThreadIDs { try await root.query("KILL \(id)") }
            let second = try await database.observe(.sessions)
            XCTAssertNil(first.fingerprint.difference(from: second.fingerprint))
            XCTAssertTrue(second.ownThreadIDs.isDisjoint(with: first.ownThreadIDs))
            XCTAssertTrue(second.sessions.contains { second.ownThreadIDs.contains($0.id) })
            await root.close()
            await database.close()
        }
    }

    func testTheKeepAliveReplacesAConnectionThatDied() async throws {
        try await onEveryServer { server in
            let database = MySQLServer(server.configuration())
            try await database.start()
            let first = await database.ownThreadIDs
            await database.verifyIdleConnections()
            let unchanged = await database.ownThreadIDs
            XCTAssertEqual(unchanged, first)
            let root = try await server.administrator()
            for id in first { try await root.query("KILL \(id)") }
            await database.verifyIdleConnections()
            let second = await database.ownThreadIDs
            XCTAssertEqual(second.count, 1)
            XCTAssertTrue(second.isDisjoint(with: first))
            await database.close()
        }
    }

    func testComesBackAfterARestart() async throws {
        let server = try RealServer.start(.mariadb)
        try await server.createAccounts()
        let database = MySQLServer(server.configuration())
        let before = try await database.withConnection { try await $0.observe(.sessions).fingerprint }
        try server.database.restart()
        let after = try await database.withConnection { try await $0.observe(.sessions).fingerprint }
        XCTAssertEqual(before.uniqueID, after.uniqueID)
        XCTAssertNotEqual(before.connectionCount, after.connectionCount)
        server.database.stop()
        let error = try await assertThrows(ServerError.self) { try await database.withConnection { _ in } }
        XCTAssertEqual(error.reason, .unreachable, "\(error)")
        await database.close()
    }

    func testServesManyOverAsFewConnectionsAsItsAccountMayHave() async throws {
        try await onEveryServer { server in
            let root = try await server.administrator()
            for few in [1, 2] {
                try await root.query("DROP USER IF EXISTS few@'%'; \(RealServer.creation(of: "few"))")
                let privilege = server.kind == .mariadb ? "CONNECTION ADMIN" : "CONNECTION_ADMIN"
                try await root.query("GRANT PROCESS, \(privilege) ON *.* TO few@'%'")
                try await server.remember("few")
                try await root.query("ALTER USER few@'%' WITH MAX_USER_CONNECTIONS \(few)")
                let database = MySQLServer(server.configuration(user: "few"), connectionLimit: 4)
                // None is open yet: of those that are about to be, all but so many are refused.
                let ids = try await withThrowingTaskGroup(of: Set<ThreadID>.self) { group in
                    for _ in 0..<12 {
                        group.addTask {
                            try await database.withConnection { connection in
                                try await connection.observe(.sessions).ownThreadIDs
                            }
                        }
                    }
                    return try await group.reduce(into: Set()) { $0.formUnion($1) }
                }
                XCTAssertTrue((1...few).contains(ids.count), "\(ids.count) of \(few) on \(server.kind)")
                try await database.checkUsable()
                await database.close()
            }
            try await root.query("DROP USER few@'%'")
            await root.close()
        }
    }

    func testServesAFullServerOverTheConnectionThatIsOpen() async throws {
        try await onEveryServer { server in
            let database = MySQLServer(server.configuration(), connectionLimit: 4)
            try await database.start()
            try await withFullServer(server) {
                // More at once than there are connections: each must be served by the one that is open.
                let observations = try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<8 {
                        group.addTask {
                            try await database.withConnection { try await $0.observe(.sessions).ownThreadIDs.count }
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                XCTAssertEqual(observations.count, 8)

                let newcomer = MySQLServer(server.configuration())
                let error = try await assertThrows(ServerError.self) { try await newcomer.start() }
                XCTAssertEqual(error.reason, .tooManyConnections, "\(error)")

                var configuration = server.configuration()
                configuration.adminAddress = .tcp(host: "127.0.0.1", port: server.adminPort, tls: .disabled)
                let administrator = MySQLServer(configuration)
                try await administrator.start()
                let seen = try await administrator.withConnection { try await $0.observe(.sessions).sessions.count }
                XCTAssertGreaterThan(seen, 10)
                await administrator.close()
            }
            await database.close()
        }
    }
}
