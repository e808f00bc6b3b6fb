import MySQLSessions
import SessionKill
import TestSupport
import XCTest

/// Law 6 on real servers: what counts as killed is over, with all that it held.
final class OKIsNotDeathTests: XCTestCase {
    /// Commits the end of one session and returns its outcome, which Commit's `Threads` agrees with.
    private func outcome(
        of session: ClientSessions, in scene: Scene, file: StaticString = #filePath, line: UInt = #line
    ) async throws -> PlanDescription.Thread {
        let planned = await session.threadIDs
        let ticket = try scene.client.prepare(planned).ticket()
        let committed = try scene.client.commit(ticket)
        XCTAssertEqual(committed.Threads, planned, "\(committed)", file: file, line: line)
        return try XCTUnwrap(scene.client.describe(ticket: ticket).Threads.first, file: file, line: line)
    }

    /// Makes `d.heavy` with 2^17 rows, more than fit into the server's memory, if it is not there yet: every test
    /// leaves it as it was.
    private func makeHeavyTable(_ scene: Scene) async throws {
        let maker = try await ClientSessions.open(1, on: scene.server)
        guard try await maker.run("SHOW TABLES FROM d LIKE 'heavy'").isEmpty else { return }
        try await maker.run("CREATE TABLE d.heavy (id INT PRIMARY KEY AUTO_INCREMENT, p CHAR(200)) ENGINE=InnoDB")
        try await maker.run("INSERT INTO d.heavy (p) VALUES ('x')")
        for _ in 0..<17 { try await maker.run("INSERT INTO d.heavy (p) SELECT p FROM d.heavy") }
    }

    /// Whether a row of `d.heavy` is locked by somebody.
    private func heavyRowIsLocked(_ scene: Scene) async throws -> Bool {
        do {
            try await scene.administrator.query("SELECT id FROM d.heavy WHERE id = 1 FOR UPDATE NOWAIT")
            return false
        } catch let error where [1_205, 3_572].contains(error.code) {
            return true
        }
    }

    func testAnIdleSessionInALargeTransactionIsKilledWhenAllIsUndone() async throws {
        try await withKilld {
            $0.killWaitSeconds = 60
        } _: { scene in
            try await makeHeavyTable(scene)
            let victim = try await ClientSessions.open(1, on: scene.server)
            try await victim.run("BEGIN")
            try await victim.run("UPDATE d.heavy SET p = 'y'")
            let thread = try await outcome(of: victim, in: scene)
            XCTAssertEqual(thread.Outcome, "killed")
            let locked = try await heavyRowIsLocked(scene)
            XCTAssertFalse(locked)
        }
    }

    func testARollbackThatOutlastsTheWaitIsReportedWithTheRowsLeft() async throws {
        // killd looks at the transactions once all the same, a quarter of a second after the KILL.
        try await withKilld {
            $0.killWaitSeconds = 0
        } _: { scene in
            try await makeHeavyTable(scene)
            let victim = try await ClientSessions.open(1, on: scene.server)
            try await victim.run("BEGIN")
            // Twice, so that there is more to undo than a fast machine undoes in that time.
            for letter in ["y", "z"] { try await victim.run("UPDATE d.heavy SET p = '\(letter)'") }
            let thread = try await outcome(of: victim, in: scene)
            let locked = try await heavyRowIsLocked(scene)
            if thread.Outcome == "killed" {
                XCTAssertFalse(locked)
                throw XCTSkip("this machine undid 2^18 changes within a quarter of a second")
            }
            XCTAssertEqual(thread.Outcome, "rolling-back")
            let rows = try XCTUnwrap(thread.OutcomeDetail.flatMap { Int($0) })
            XCTAssertTrue((1...1 << 18).contains(rows), "\(rows)")
            try await eventually("the rollback's end", pause: .milliseconds(300), within: .seconds(60)) {
                try await !heavyRowIsLocked(scene)
            }
        }
    }

    func testARunningUpdateIsKilledWhenAllIsUndone() async throws {
        try await withKilld {
            $0.killWaitSeconds = 60
        } _: { scene in
            try await makeHeavyTable(scene)
            let victim = try await ClientSessions.open(1, on: scene.server)
            try await victim.send("UPDATE d.heavy SET p = CONCAT('w', RAND())")
            try await eventually("rows are changed", pause: .milliseconds(300)) {
                let rows = try await scene.administrator.query(
                    "SELECT 1 FROM information_schema.INNODB_TRX WHERE trx_rows_modified > 0")
                return rows.first?.rows.isEmpty == false
            }
            let thread = try await outcome(of: victim, in: scene)
            XCTAssertEqual(thread.Outcome, "killed")
            let changed = try await scene.administrator.query("SELECT COUNT(*) FROM d.heavy WHERE p <> 'x'")
            XCTAssertEqual(changed.first?.rows, [["0"]])
        }
    }

    func testASessionWhoseClientDoesNotReadIsKilled() async throws {
        try await withKilld { scene in
            try await makeHeavyTable(scene)
            let victim = try await ClientSessions.open(1, on: scene.server)
            try await victim.send("SELECT a.p, b.p FROM d.heavy a, d.heavy b LIMIT 100000000")
            let id = await victim.threadIDs[0]
            try await eventually("the server waits for the client") {
                let rows = try await scene.administrator.query("SHOW PROCESSLIST").first?.rows ?? []
                let state = rows.first { $0[0] == id.description }?[6] ?? ""
                return ["Sending to client", "Writing to net"].contains(state)
            }
            let thread = try await outcome(of: victim, in: scene)
            XCTAssertEqual(thread.Outcome, "killed")
            try await scene.assertGone([id])
        }
    }

    func testTheNamedLockOfAKilledSessionIsFree() async throws {
        try await withKilld { scene in
            let victim = try await ClientSessions.open(1, on: scene.server)
            try await victim.run("SELECT GET_LOCK('batch', 1)")
            let thread = try await outcome(of: victim, in: scene)
            XCTAssertEqual(thread.Outcome, "killed")
            let free = try await scene.administrator.query("SELECT IS_FREE_LOCK('batch')")
            XCTAssertEqual(free.first?.rows, [["1"]])
        }
    }

    func testAnAlterThatWaitedForAKilledSessionGoesThrough() async throws {
        try await withKilld { scene in
            let victim = try await ClientSessions.open(1, on: scene.server)
            let waiter = try await ClientSessions.open(1, on: scene.server)
            try await victim.run("DROP TABLE IF EXISTS d.waited")
            try await victim.run("CREATE TABLE d.waited (id INT PRIMARY KEY) ENGINE=InnoDB")
            try await victim.run("BEGIN")
            try await victim.run("SELECT * FROM d.waited")
            try await waiter.send("ALTER TABLE d.waited ADD COLUMN more INT")
            let id = await waiter.threadIDs[0]
            try await eventually("the ALTER waits") {
                let rows = try await scene.administrator.query("SHOW PROCESSLIST").first?.rows ?? []
                return rows.first { $0[0] == id.description }?[6] == "Waiting for table metadata lock"
            }
            let thread = try await outcome(of: victim, in: scene)
            XCTAssertEqual(thread.Outcome, "killed")
            _ = try await waiter.receive()
        }
    }
}
