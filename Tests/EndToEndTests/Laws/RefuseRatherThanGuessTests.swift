import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// Law 8: what keeps killd from its work, as the API and `killd check` say it.
final class RefuseRatherThanGuessTests: XCTestCase {
    func testNamesAWrongPassword() async throws {
        try await withKilld {
            $0.instances[0].password = "wrong"
        } _: { scene in
            try await assertRefused(scene, "refused the service's account", check: "Access denied")
        }
    }

    func testNamesAServerThatCannotBeReached() async throws {
        let port = try PrivateDatabase.freePort()
        try await withKilld {
            $0.instances[0].port = port
        } _: { scene in
            try await assertRefused(scene, "cannot be reached", check: "127.0.0.1:\(port)")
        }
    }

    func testNamesAProxyThatNumbersConnectionsItself() async throws {
        try await onEveryServer { server in
            let proxy = try TCPProxy.renumbering(server.database.port)
            try await withKilld(KilldConfiguration(port: proxy.port), on: server) { scene in
                try await assertRefused(scene, "A proxy stands before", check: "a proxy answers")
            }
            proxy.stop()
        }
    }

    func testRefusesAServerWithoutTLSWhereTLSIsRequired() async throws {
        let server = try RealServer.start(.mariadb, options: ["--skip-ssl"])
        try await server.createAccounts()
        var configuration = KilldConfiguration(port: server.database.port)
        configuration.instances[0].tls = "required"
        try await withKilld(configuration, on: server) { scene in
            try await assertRefused(scene, "TLS is required", check: "is required")
        }
    }

    func testUsesTLSWhereItIsRequired() async throws {
        let server = try RealServer.shared(.mysql)
        try await server.createAccounts()
        var configuration = KilldConfiguration(port: server.database.port)
        configuration.instances[0].tls = "required"
        try await withKilld(configuration, on: server) { scene in
            XCTAssertNil(try scene.client.prepare([UInt64(1)]).Error)
        }
    }

    func testAsksForTheGrantsThatItLacksAndNoMore() async throws {
        try await withKilld {
            $0.instances[0].user = "newcomer"
        } _: { scene in
            try await scene.administrator.query("DROP USER IF EXISTS newcomer@'%'")
            try await scene.administrator.query(RealServer.creation(of: "newcomer"))
            try await assertRefused(scene, "`PROCESS`", check: "GRANT PROCESS ON *.* TO 'newcomer'@'%';")

            let lacking = try await check(scene)
            let problems = lacking.output.split(separator: "\n").filter { $0.contains("PROBLEM") }
            let grants = problems.compactMap { line in
                line.firstRange(of: "GRANT ").map { line[$0.lowerBound...] }
            }
            XCTAssertEqual(grants.count, 2, lacking.output)
            for grant in grants { try await scene.administrator.query(String(grant)) }

            let complete = try await check(scene)
            XCTAssertEqual(complete.status, 0, complete.output)
            XCTAssertFalse(complete.output.contains("PROBLEM"), complete.output)
            let victims = try await ClientSessions.open(1, on: scene.server)
            let planned = await victims.threadIDs
            // A connection keeps the rights with which it logged in.
            try await scene.killd.stop()
            try await scene.killd.start()
            XCTAssertEqual(try scene.client.commit(scene.client.prepare(planned).ticket()).Threads, planned)
            await victims.assertNoneAnswers()
        }
    }

    func testRefusesToPlanWhatItsAccountMayNotCarryOut() async throws {
        try await onEveryServer { server in
            let administrator = try await server.administrator()
            try await administrator.query(RealServer.creation(of: "observer"))
            try await administrator.query("GRANT PROCESS ON *.* TO observer@'%'")
            var configuration = KilldConfiguration(port: server.database.port)
            configuration.instances[0].user = "observer"
            try await withKilld(configuration, on: server) { scene in
                let privilege = server.kind == .mariadb ? "CONNECTION ADMIN" : "CONNECTION_ADMIN"
                try await assertRefused(
                    scene, "lacks the privilege `\(privilege)`", check: "GRANT \(privilege) ON *.* TO 'observer'@'%';")
                // After the GRANT, without a restart.
                try await administrator.query("GRANT \(privilege) ON *.* TO observer@'%'")
                let victim = try await ClientSessions.open(1, on: server)
                let planned = await victim.threadIDs
                XCTAssertEqual(try scene.client.commit(scene.client.prepare(planned).ticket()).Threads, planned)
                try await administrator.query("DROP USER observer@'%'")
            }
        }
    }

    /// On MySQL, SYSTEM_USER protects a session from every account that has it not.
    func testASessionThatItsAccountMayNotKillIsMissingFromTheAnswer() async throws {
        let server = try RealServer.shared(.mysql)
        try await server.createAccounts()
        try await withKilld(KilldConfiguration(port: server.database.port), on: server) { scene in
            let victim = try await ClientSessions.open(1, on: server)
            let planned = await victim.threadIDs
            let ticket = try scene.client.prepare([scene.administrator.threadID] + planned).ticket()
            XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
            _ = try await scene.administrator.query("SELECT 1")
            let plan = try scene.client.describe(ticket: ticket)
            XCTAssertEqual(plan.Threads.map(\.Outcome), ["denied", "killed"])
        }
    }

    /// With `performance_schema_show_processlist` the list lacks what performance_schema lacks.
    func testRefusesAListThatPerformanceSchemaHasNoRoomFor() async throws {
        let server = try RealServer.start(.mysql, options: ["--performance-schema-max-thread-instances=60"])
        try await server.createAccounts()
        let administrator = try await server.administrator()
        try await administrator.query("GRANT SELECT ON performance_schema.* TO killd@'%'")
        try await withKilld(KilldConfiguration(port: server.database.port), on: server) { scene in
            let crowd = try await ClientSessions.open(80, on: server)
            let all = await crowd.threadIDs
            let planned = Array(all.suffix(2))
            let warned = try await check(scene)
            XCTAssertEqual(warned.status, 0, warned.output)
            XCTAssertTrue(warned.output.contains("raise performance_schema_max_thread_instances"), warned.output)

            try await administrator.query("SET GLOBAL performance_schema_show_processlist=ON")
            try await assertRefused(scene, "session list is partial", check: "is partial")
            try await administrator.query("SET GLOBAL performance_schema_show_processlist=OFF")
            // The list is whole again, and says nothing of the THREAD_IDs that were lost.
            XCTAssertEqual(try scene.client.commit(scene.client.prepare(planned).ticket()).Threads, planned)
            let answering = await crowd.answering()
            XCTAssertEqual(answering, Set(all).subtracting(planned))
        }
        server.database.stop()
    }

    /// Checks that Prepare fails and says so in `words`, and that `killd check` fails and says so in others.
    private func assertRefused(
        _ scene: Scene, _ words: String, check checkWords: String, file: StaticString = #filePath, line: UInt = #line
    ) async throws {
        let sessions = try await ClientSessions.open(1, on: scene.server)
        let answer = try await scene.client.prepare(sessions.threadIDs)
        EndToEndTests.assertRefused(answer, "FailedOperation", words, file: file, line: line)

        let check = try await check(scene)
        XCTAssertEqual(check.status, 1, check.output, file: file, line: line)
        let problem = check.output.split(separator: "\n").first { $0.contains("PROBLEM") } ?? ""
        XCTAssertTrue(problem.contains(checkWords), check.output, file: file, line: line)
        for trace in RealServer.passwordTraces {
            XCTAssertFalse((check.output + check.error).contains(trace), trace, file: file, line: line)
        }
    }

    private func check(_ scene: Scene) async throws -> FinishedProgram {
        try await KilldProcess.run(["check", "--config", scene.killd.configurationFile])
    }
}
