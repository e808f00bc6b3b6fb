import MySQLSessions
import SessionKill
import TestSupport
import XCTest

/// killd and the Tencent API before seekdb, which is the SQL kernel of
/// OceanBase 4.3.5 in one process: not a cluster, without tenants and without
/// the proxy.
final class OceanBaseTests: XCTestCase {
    /// Runs `body` with a killd that serves `server`; ten sessions that no test means to kill must answer afterwards.
    private func withKilld(
        on server: SeekDB, configure: (inout KilldConfiguration) -> Void = { _ in },
        file: StaticString = #filePath, line: UInt = #line,
        _ body: (KilldProcess, SigningClient) async throws -> Void
    ) async throws {
        var configuration = KilldConfiguration(port: server.port)
        configure(&configuration)
        let bystanders = try await Bystanders.open(at: server.port)
        let killd = try await KilldProcess.start(configuration)
        try await body(killd, try SigningClient(killd))
        await bystanders.assertAllAnswer(file: file, line: line)
        try await killd.stop(file: file, line: line)
    }

    /// The state in which the server lists each session.
    private func states(_ server: SeekDB) async throws -> [ThreadID: String] {
        let root = try await server.administrator()
        let rows = try await root.query("SELECT ID, STATE FROM information_schema.PROCESSLIST").first?.rows ?? []
        await root.close()
        return rows.reduce(into: [:]) { states, row in
            guard let id = row[0].flatMap({ UInt64($0) }).flatMap({ ThreadID($0) }) else { return }
            states[id] = row[1] ?? ""
        }
    }

    /// A row of a new table that one session holds and another waits for.
    private func openHolderAndWaiter(
        of table: String, on server: SeekDB
    ) async throws -> (holder: ClientSessions, waiter: ClientSessions) {
        let holder = try await ClientSessions.open(1, at: server.port)
        let waiter = try await ClientSessions.open(1, at: server.port)
        try await holder.run("CREATE TABLE d.\(table) (id INT PRIMARY KEY, value INT)")
        try await holder.run("INSERT INTO d.\(table) VALUES (1, 10)")
        try await holder.run("BEGIN")
        try await holder.run("UPDATE d.\(table) SET value = 1000")
        try await waiter.send("UPDATE d.\(table) SET value = value + 1")
        let root = try await server.administrator()
        let id = await waiter.threadIDs[0]
        try await eventually("the wait for the lock") {
            let rows = try await root.query("SELECT 1 FROM oceanbase.V$OB_LOCKS WHERE BLOCK=1 AND SESSION_ID=\(id)")
            return rows.first?.rows.isEmpty == false
        }
        await root.close()
        return (holder, waiter)
    }

    func testEndsWhatIsPlannedAndNothingElse() async throws {
        let server = try await SeekDB.shared()
        try await withKilld(on: server) { _, client in
            let victims = try await ClientSessions.open(3, at: server.port)
            let planned = await victims.threadIDs
            try await victims.send("SELECT SLEEP(600)", on: 1)
            try await victims.run("CREATE TABLE d.unfinished (id INT PRIMARY KEY)")
            try await victims.run("BEGIN", on: 2)
            try await victims.run("INSERT INTO d.unfinished VALUES (1)", on: 2)

            let ticket = try client.prepare(planned).ticket()
            let before = try await states(server)
            XCTAssertTrue(planned.allSatisfy(before.keys.contains), "Prepare ended a session")
            for _ in 0..<2 { XCTAssertEqual(try client.commit(ticket).Threads, planned) }

            let after = try await states(server)
            XCTAssertTrue(planned.allSatisfy { after[$0] == nil })
            let plan = try client.describe(ticket: ticket)
            XCTAssertEqual(plan.Threads.map(\.Outcome), ["killed", "killed", "killed"])
            XCTAssertNotNil(plan.Threads[2].Transaction)
            XCTAssertNil(plan.Threads[2].Transaction?.RowsModified)
            // The row is free, and not there.
            let other = try await ClientSessions.open(1, at: server.port)
            try await other.run("INSERT INTO d.unfinished VALUES (1)")
        }
    }

    func testFreesTheRowLockThatAnotherSessionWaitsFor() async throws {
        let server = try await SeekDB.shared()
        try await withKilld(on: server) { _, client in
            let (holder, waiter) = try await openHolderAndWaiter(of: "freed", on: server)
            let planned = await holder.threadIDs
            let ticket = try client.prepare(planned).ticket()
            XCTAssertEqual(try client.describe(ticket: ticket).Threads.map(\.FreedSessions), [1])
            XCTAssertEqual(try client.commit(ticket).Threads, planned)
            _ = try await waiter.receive()
            let value = try await waiter.run("SELECT value FROM d.freed")
            XCTAssertEqual(value, [["11"]])
        }
    }

    /// OceanBase ends a session that waits for a lock only with its wait, long after it has accepted the KILL; now and
    /// then at once.
    func testASessionThatWaitsForALockIsNotKilledBeforeItIsGone() async throws {
        let server = try await SeekDB.shared()
        try await withKilld(on: server) {
            $0.killWaitSeconds = 1
        } _: { killd, client in
            for attempt in 1... {
                let (holder, waiter) = try await openHolderAndWaiter(of: "late\(attempt)", on: server)
                let planned = await waiter.threadIDs
                let ticket = try client.prepare(planned).ticket()
                let committed = try client.commit(ticket)
                let state = try await states(server)[planned[0]]
                let thread = try XCTUnwrap(client.describe(ticket: ticket).Threads.first)
                if thread.Outcome == "killed" {
                    XCTAssertEqual(committed.Threads, planned)
                    XCTAssertNil(state)
                    if attempt < 5 { continue }
                    return XCTFail("the kernel ended each at once: the test has seen nothing")
                }
                XCTAssertEqual(committed.Threads, [])
                XCTAssertEqual(thread.Outcome, "unknown")
                XCTAssertEqual(state, "SESSION_KILLED")

                // With a longer timeout its end is seen.
                try await killd.reload { $0.killWaitSeconds = 30 }
                let again = try client.prepare(planned).ticket()
                XCTAssertEqual(try client.commit(again).Threads, planned)
                let gone = try await states(server)
                XCTAssertNil(gone[planned[0]])
                await holder.assertAllAnswer()
                let value = try await holder.run("SELECT value FROM d.late\(attempt)")
                XCTAssertEqual(value, [["1000"]])
                return
            }
        }
    }

    /// The kernel cuts the argument of KILL to 32 bits, as MySQL does, and ends a stranger.
    func testAnIDBeyond32BitsIsRefusedAndReachesNoServer() async throws {
        let server = try await SeekDB.shared()
        try await withKilld(on: server) { _, client in
            let stranger = try await ClientSessions.open(1, at: server.port)
            let id = await UInt64(stranger.threadIDs[0].rawValue) + 1 << 32
            assertRefused(try client.prepare([id]), "InvalidParameterValue", "`\(id)`")
            await stranger.assertAllAnswer()
            XCTAssertTrue(server.wasSent("SHOW PROXYSESSION"), "nothing was recorded")
            XCTAssertFalse(server.wasSent("\(id)"))

            // What was refused would have done this.
            let root = try await server.administrator()
            try await root.query("KILL \(id)")
            await root.close()
            await stranger.assertNoneAnswers()
        }
    }

    func testASessionThatTookOverAnIDIsLeftAlone() async throws {
        let server = try await SeekDB.shared()
        try await withKilld(on: server) { _, client in
            let sessions = try await ClientSessions.open(2, at: server.port)
            let planned = await sessions.threadIDs
            let ticket = try client.prepare(planned).ticket()
            try await sessions.changeUser(to: "app2")
            XCTAssertEqual(try client.commit(ticket).Threads, [planned[1]])
            XCTAssertEqual(try client.describe(ticket: ticket).Threads.map(\.Outcome), ["replaced", "killed"])
            let answering = await sessions.answering()
            XCTAssertEqual(answering, [planned[0]])
        }
    }

    /// After a restart the ids begin anew: strangers soon have those of the plan.
    func testARestartBetweenTheStagesMakesThePlanStale() async throws {
        let server = try await SeekDB.start()
        let killd = try await KilldProcess.start(KilldConfiguration(port: server.port))
        let client = try SigningClient(killd)
        let victims = try await ClientSessions.open(2, at: server.port)
        let ticket = try await client.prepare(victims.threadIDs).ticket()
        try await server.restart()
        let strangers = try await ClientSessions.open(20, at: server.port)
        assertRefused(try client.commit(ticket), "OperationDenied", "restarted")
        XCTAssertEqual(try client.describe(ticket: ticket).State, "stale")
        await strangers.assertAllAnswer()
        XCTAssertFalse(server.wasSent("KILL CONNECTION"))
        try await killd.stop()
    }

    func testAKillTaskEndsWhoMeetsItsConditions() async throws {
        let server = try await SeekDB.shared()
        try await withKilld(on: server) {
            $0.accounts[0].may = ["*"]
        } _: { _, client in
            let stranger = try await ClientSessions.open(1, at: server.port)
            let victims = try await ClientSessions.open(2, at: server.port, as: "app2")
            try await victims.send("SELECT SLEEP(600)", on: 1)
            XCTAssertEqual(try client.call("CreateKillTask", members: #""Duration":60,"User":"app2""#).Status, 1)
            let ids = await victims.threadIDs
            try await eventually("their end") {
                let states = try await states(server)
                return ids.allSatisfy { states[$0] == nil }
            }
            XCTAssertEqual(try client.call("CancelKillTask", members: "").Status, 1)
            await stranger.assertAllAnswer()
        }
    }

    func testSparesItsOwnConnectionsAndProtectedUsers() async throws {
        let server = try await SeekDB.shared()
        try await withKilld(on: server) {
            $0.instances[0].protectedUsers = ["app2"]
        } _: { _, client in
            let protected = try await ClientSessions.open(1, at: server.port, as: "app2")
            let root = try await server.administrator()
            let own = try await root.query("SELECT ID FROM information_schema.PROCESSLIST WHERE USER='killd'")
            let ids = try XCTUnwrap(own.first).rows.compactMap { $0[0].flatMap { UInt64($0) } }
                .compactMap { ThreadID($0) }
            XCTAssertFalse(ids.isEmpty)
            let ticket = try await client.prepare(ids + protected.threadIDs).ticket()
            XCTAssertEqual(try client.commit(ticket).Threads, [])
            let outcomes = Set(try client.describe(ticket: ticket).Threads.map(\.Outcome))
            XCTAssertTrue(outcomes.isSubset(of: ["protected", "gone"]), "\(outcomes)")
            await protected.assertAllAnswer()
            await root.close()
        }
    }

    func testCheckSaysWhatIsMissingAndPrepareRefusesWithoutIt() async throws {
        let server = try await SeekDB.shared()
        let root = try await server.administrator()
        try await root.query(RealServer.creation(of: "observer"))
        try await root.query("GRANT PROCESS, SUPER ON *.* TO observer")
        try await withKilld(on: server) {
            $0.instances[0].user = "observer"
        } _: { killd, client in
            let victim = try await ClientSessions.open(1, at: server.port)
            let planned = await victim.threadIDs
            let view = "SELECT ON oceanbase.V$OB_SERVER_STAT"
            assertRefused(try client.prepare(planned), "FailedOperation", "lacks the privilege `\(view)`")
            let before = try await KilldProcess.run(["check", "--config", killd.configurationFile])
            XCTAssertEqual(before.status, 1, before.output)
            XCTAssertTrue(before.output.contains("GRANT \(view) TO 'observer'@'%';"), before.output)
            await victim.assertAllAnswer()

            for view in ["V$OB_SERVER_STAT", "V$OB_TRANSACTION_SCHEDULERS", "__all_virtual_trans_stat"] {
                try await root.query("GRANT SELECT ON oceanbase.\(view) TO observer")
            }
            let after = try await KilldProcess.run(["check", "--config", killd.configurationFile])
            XCTAssertEqual(after.status, 0, after.output)
            XCTAssertTrue(after.output.contains("OceanBase without its proxy"), after.output)
            XCTAssertEqual(try client.commit(client.prepare(planned).ticket()).Threads, planned)
        }
        try await root.query("DROP USER observer")
        await root.close()
    }
}
