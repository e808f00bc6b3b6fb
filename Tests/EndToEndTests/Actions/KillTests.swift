import MySQLSessions
import PrivateDatabase
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

    func testTheTransactionOfAnEndedSessionIsUndone() async throws {
        try await withKilld { scene in
            let victim = try await ClientSessions.open(1, on: scene.server)
            try await victim.run("DROP TABLE IF EXISTS d.large")
            try await victim.run("CREATE TABLE d.large (id INT AUTO_INCREMENT PRIMARY KEY, value INT)")
            try await victim.run("INSERT INTO d.large (value) VALUES (1)")
            for _ in 0..<15 { try await victim.run("INSERT INTO d.large (value) SELECT 1 FROM d.large") }
            try await victim.run("BEGIN")
            try await victim.run("UPDATE d.large SET value = 2")

            let planned = await victim.threadIDs
            let committed = try scene.client.commit(scene.client.prepare(planned).ticket())
            XCTAssertEqual(committed.Threads, planned)
            // A locking read waits for the rows that are still being undone.
            let sum = try await scene.administrator.query("SELECT SUM(value) FROM d.large FOR UPDATE")
            XCTAssertEqual(sum.first?.rows, [["32768"]])
        }
    }

    func testASecondCommitKillsNothingAndAnswersTheSame() async throws {
        try await withKilld { scene in
            let victims = try await ClientSessions.open(3, on: scene.server)
            let planned = await victims.threadIDs
            let ticket = try scene.client.prepare(planned).ticket()
            let killsBefore = try await scene.killsRun()

            XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
            try await scene.assertKillsRun(planned.count, since: killsBefore)
            let kills = try await scene.killsRun()
            for _ in 0..<2 {
                let committed = try scene.client.commit(ticket)
                XCTAssertEqual(committed.Threads, planned)
                XCTAssertEqual(committed.SqlExecId, ticket)
                try await scene.assertKillsRun(0, since: kills)
            }
            await victims.assertNoneAnswers()
        }
    }

    func testOfManyCommitsAtOnceOneKillsAndAllAnswerTheSame() async throws {
        try await withKilld { scene in
            let victims = try await ClientSessions.open(3, on: scene.server)
            let planned = await victims.threadIDs
            let ticket = try scene.client.prepare(planned).ticket()
            let killsBefore = try await scene.killsRun()

            let pending = try (0..<32).map { _ in try scene.client.sendCommit(ticket) }
            for answer in pending { XCTAssertEqual(try answer.wait().Threads, planned) }
            try await scene.assertKillsRun(planned.count, since: killsBefore)
            await victims.assertNoneAnswers()
        }
    }

    func testRefusesAnIDThatIsNone() async throws {
        try await withKilld { scene in
            let victim = try await ClientSessions.open(1, on: scene.server)
            let id = await UInt64(victim.threadIDs[0].rawValue)
            // MySQL cuts the last one to the victim's.
            for none in [0, 1 << 32, 1 << 32 + id] {
                assertRefused(try scene.client.prepare([id, none]), "InvalidParameterValue", "`\(none)`")
            }
            await victim.assertAllAnswer()
        }
    }

    func testAnIDWithoutASessionIsAcceptedAndMissingFromTheAnswer() async throws {
        try await withKilld { scene in
            let victims = try await ClientSessions.open(1, on: scene.server)
            let planned = await victims.threadIDs
            let nobody = try XCTUnwrap(ThreadID(4_000_000_000))
            let committed = try scene.client.commit(scene.client.prepare([nobody] + planned).ticket())
            XCTAssertEqual(committed.Threads, planned)

            let nothing = try scene.client.commit(scene.client.prepare([nobody]).ticket())
            XCTAssertEqual(nothing.Threads, [])
            await victims.assertNoneAnswers()
        }
    }

    func testAnIDThatStandsTwiceIsKilledOnce() async throws {
        try await withKilld { scene in
            let victims = try await ClientSessions.open(1, on: scene.server)
            let planned = await victims.threadIDs
            let killsBefore = try await scene.killsRun()
            let committed = try scene.client.commit(scene.client.prepare(planned + planned).ticket())
            XCTAssertEqual(committed.Threads, planned)
            try await scene.assertKillsRun(1, since: killsBefore)
            await victims.assertNoneAnswers()
        }
    }

    func testSparesProtectedUsers() async throws {
        try await withKilld {
            $0.instances[0].protectedUsers = ["repl", "app2"]
        } _: { scene in
            let protected = try await ClientSessions.open(2, on: scene.server, as: "app2")
            let victims = try await ClientSessions.open(1, on: scene.server)
            let planned = await victims.threadIDs
            let ticket = try await scene.client.prepare(protected.threadIDs + planned).ticket()
            XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
            await victims.assertNoneAnswers()
            await protected.assertAllAnswer()
        }
    }

    func testSparesItsOwnConnectionsAlsoThoseOfAnotherInstanceOnTheServer() async throws {
        let configure = { (configuration: inout KilldConfiguration) in
            configuration.instances.append(configuration.instances[0])
            configuration.instances[1].id = "cdb-twin"
        }
        try await withKilld(configure: configure) { scene in
            let victims = try await ClientSessions.open(1, on: scene.server)
            let planned = await victims.threadIDs
            try await scene.killd.stop()
            let others = try await scene.sessions()
            try await scene.killd.start()
            // Makes sure that there is a connection to find.
            _ = try scene.client.prepare(planned)
            let own = try await scene.sessions().filter { $0.value == "killd" && others[$0.key] == nil }.map(\.key)
            XCTAssertFalse(own.isEmpty)

            let twin = try SigningClient(scene.killd, instance: "cdb-twin")
            let ticket = try twin.prepare(own + planned).ticket()
            XCTAssertEqual(try twin.commit(ticket).Threads, planned)
            let after = try await scene.sessions()
            XCTAssertTrue(own.allSatisfy { after[$0] == "killd" })
            await victims.assertNoneAnswers()
        }
    }

    func testSparesTheEventScheduler() async throws {
        try await withKilld { scene in
            try await scene.administrator.query("SET GLOBAL event_scheduler = ON")
            var scheduler: [ThreadID] = []
            try await eventually("the event scheduler") {
                scheduler = try await scene.sessions().filter { $0.value == "event_scheduler" }.map(\.key)
                return scheduler.count == 1
            }
            let victims = try await ClientSessions.open(1, on: scene.server)
            let planned = await victims.threadIDs
            let ticket = try scene.client.prepare(scheduler + planned).ticket()
            let killsBefore = try await scene.killsRun()
            XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
            // The servers of today would survive it, or refuse.
            try await scene.assertKillsRun(planned.count, since: killsBefore)
            let after = try await scene.sessions()
            XCTAssertEqual(scheduler.map { after[$0] }, ["event_scheduler"])
            try await scene.administrator.query("SET GLOBAL event_scheduler = OFF")
            await victims.assertNoneAnswers()
        }
    }
}
