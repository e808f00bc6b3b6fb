import MySQLSessions
import SessionKill
import TestSupport
import XCTest

final class KillTests: XCTestCase {
    func testEndsAnIdleSessionAndASleepingOne() async throws {
        try await withKilld { scene in
            let victims = try await ClientSessions.open(2, on: scene.server)
            let planned = await victims.threadIDs
            try await victims.send("SELECT SLEEP(600)", on: 1)

            let prepared = try scene.client.prepare(planned)
            XCTAssertEqual(prepared.Threads, [])
            let beforeCommit = try await scene.sessions()
            XCTAssertTrue(planned.allSatisfy(beforeCommit.keys.contains), "Prepare ended a session")

            let committed = try scene.client.commit(prepared.ticket())
            XCTAssertEqual(committed.Threads, planned)
            XCTAssertEqual(committed.SqlExecId, prepared.SqlExecId)
            XCTAssertNotEqual(committed.RequestId, prepared.RequestId)
            try await scene.assertGone(planned)
            _ = try await assertThrows(ClientError.self) { try await victims.run("SELECT 1", on: 0) }
            _ = try await assertThrows(ClientError.self) { try await victims.receive(on: 1) }
        }
    }

    func testFreesTheRowLockThatAnotherSessionWaitsFor() async throws {
        try await withKilld { scene in
            let holder = try await ClientSessions.open(1, on: scene.server)
            let waiter = try await ClientSessions.open(1, on: scene.server)
            try await holder.run("DROP TABLE IF EXISTS d.locks")
            try await holder.run("CREATE TABLE d.locks (id INT PRIMARY KEY, value INT)")
            try await holder.run("INSERT INTO d.locks VALUES (1, 10)")
            try await holder.run("BEGIN")
            try await holder.run("UPDATE d.locks SET value = 1000")
            try await waiter.send("UPDATE d.locks SET value = value + 1")
            try await eventually("the wait for the lock", pause: .milliseconds(250)) {
                try await scene.administrator.query(
                    "SELECT 1 FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT'"
                ).first?.rows.isEmpty == false
            }

            let planned = await holder.threadIDs
            let committed = try scene.client.commit(scene.client.prepare(planned).ticket())
            XCTAssertEqual(committed.Threads, planned)
            _ = try await waiter.receive()
            let value = try await waiter.run("SELECT value FROM d.locks")
            XCTAssertEqual(value, [["11"]])
        }
    }
}
