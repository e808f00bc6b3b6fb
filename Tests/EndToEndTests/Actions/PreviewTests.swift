import Foundation
import MySQLSessions
import SessionKill
import TestSupport
import XCTest

/// What a plan tells whoever is to agree to it, and afterwards how it went.
final class PreviewTests: XCTestCase {
    /// Of each kind of server one whose performance_schema killd's account may read, as the README advises.
    private func onEveryServerWithVisibility(
        configure: (inout KilldConfiguration) -> Void = { _ in }, file: StaticString = #filePath, line: UInt = #line,
        _ body: (Scene) async throws -> Void
    ) async throws {
        try await withKilld(configure: configure, file: file, line: line) { scene in
            try await scene.administrator.query("GRANT SELECT ON performance_schema.* TO killd@'%'")
            // A connection keeps the rights with which it logged in.
            try await scene.killd.stop()
            try await scene.killd.start()
            do {
                try await body(scene)
            } catch {
                try await scene.administrator.query("REVOKE SELECT ON performance_schema.* FROM killd@'%'")
                throw error
            }
            try await scene.administrator.query("REVOKE SELECT ON performance_schema.* FROM killd@'%'")
        }
    }

    /// InnoDB shows transactions as they were up to 100 ms ago, killd up to 250 ms.
    private func eventually(
        _ what: String, file: StaticString = #filePath, line: UInt = #line, _ condition: () throws -> Bool
    ) async throws {
        try await TestSupport.eventually(what, pause: .milliseconds(300), file: file, line: line, condition)
    }

    private func table(_ name: String, rows: Int, by session: ClientSessions) async throws {
        try await session.run("DROP TABLE IF EXISTS d.\(name)")
        try await session.run("CREATE TABLE d.\(name) (id INT PRIMARY KEY, value INT) ENGINE=InnoDB")
        for id in 1...rows { try await session.run("INSERT INTO d.\(name) VALUES (\(id), 0)") }
    }

    func testTellsWhatASessionHoldsWhoWaitsForItAndWhatItsEndWouldUndo() async throws {
        try await onEveryServerWithVisibility { scene in
            let holder = try await ClientSessions.open(1, on: scene.server)
            let waiters = try await ClientSessions.open(2, on: scene.server)
            try await table("preview", rows: 3, by: holder)
            try await holder.run("USE d")
            try await holder.run("BEGIN")
            // One by one, or the gap behind the last row would be locked too.
            for row in 1...3 { try await holder.run("UPDATE preview SET value = 1 WHERE id = \(row)") }
            try await waiters.run("BEGIN", on: 0)
            // The second waits for the first, which waits for the holder.
            try await waiters.run("INSERT INTO d.preview VALUES (9, 9)", on: 0)
            try await waiters.send("UPDATE d.preview SET value = 2 WHERE id = 1", on: 0)
            try await waiters.send("UPDATE d.preview SET value = 3 WHERE id = 9", on: 1)

            let id = await holder.threadIDs[0]
            var plan: PlanDescription?
            var ticket = ""
            try await eventually("the waits are seen") {
                ticket = try scene.client.prepare([id]).ticket()
                plan = try scene.client.describe(ticket: ticket)
                return plan?.FreedSessions == 2
            }
            let thread = try XCTUnwrap(plan?.Threads.first)
            XCTAssertEqual(thread.User, "app")
            XCTAssertEqual(thread.DB, "d")
            XCTAssertEqual(thread.Command, "Sleep")
            XCTAssertEqual(thread.Transaction?.RowsModified, 3)
            XCTAssertEqual(thread.FreedSessions, 2)
            let wanted = try XCTUnwrap(thread.WantedLocks?.first)
            XCTAssertEqual(wanted.Kind, "row")
            XCTAssertEqual(wanted.Object, "d.preview")
            XCTAssertEqual(wanted.Index, "PRIMARY")
            XCTAssertEqual(wanted.Waiters, 1)
            XCTAssertEqual(plan?.UnexplainedWaiters, 0)
            XCTAssertNil(thread.Outcome)

            XCTAssertEqual(try scene.client.commit(ticket).Threads, [id])
            _ = try await waiters.receive(on: 0)
            try await waiters.run("COMMIT", on: 0)
            _ = try await waiters.receive(on: 1)
            XCTAssertEqual(try scene.client.describe(ticket: ticket).Threads.map(\.Outcome), ["killed"])
        }
    }

    func testTellsWhoWaitsForAMetadataLockAndForANamedOne() async throws {
        try await onEveryServerWithVisibility { scene in
            let reader = try await ClientSessions.open(1, on: scene.server)
            let others = try await ClientSessions.open(3, on: scene.server)
            try await table("altered", rows: 1, by: reader)
            try await reader.run("BEGIN")
            try await reader.run("SELECT * FROM d.altered")
            try await reader.run("SELECT GET_LOCK('nightly', 1)")
            try await others.send("ALTER TABLE d.altered ADD COLUMN more INT", on: 0)
            let id = await reader.threadIDs[0]
            let client = try scene.client
            func plan() throws -> PlanDescription { try client.describe(ticket: client.prepare([id]).ticket()) }
            let tellsHolders = scene.server.kind == .mysql
            func seen(_ plan: PlanDescription) -> Int? { tellsHolders ? plan.FreedSessions : plan.UnexplainedWaiters }
            try await eventually("the ALTER waits") { try seen(plan()) == 1 }
            try await others.send("SELECT * FROM d.altered", on: 1)
            try await eventually("the SELECT waits behind the ALTER") { try seen(plan()) == 2 }
            try await others.send("SELECT GET_LOCK('nightly', 20)", on: 2)
            try await eventually("somebody waits for the name") { try seen(plan()) == 3 }

            let last = try plan()
            if tellsHolders {
                let wanted = try XCTUnwrap(last.Threads[0].WantedLocks)
                XCTAssertEqual(
                    wanted.map { "\($0.Kind) \($0.Object) \($0.Waiters)" },
                    ["metadata d.altered 1", "user nightly 1"])
                XCTAssertEqual(last.UnexplainedWaiters, 0)
            }
            XCTAssertEqual(try client.commit(client.prepare([id]).ticket()).Threads, [id])
            for index in 0..<3 { _ = try await others.receive(on: index) }
        }
    }

    func testTellsThatAPreparedXATransactionWouldOutliveItsSession() async throws {
        try await onEveryServerWithVisibility { scene in
            let session = try await ClientSessions.open(1, on: scene.server)
            try await table("distributed", rows: 1, by: session)
            try await session.run("XA START 'order-7'")
            try await session.run("UPDATE d.distributed SET value = 1")
            try await session.run("XA END 'order-7'")
            try await session.run("XA PREPARE 'order-7'")
            let id = await session.threadIDs[0]
            try await eventually("the transaction is seen to be prepared") {
                let plan = try scene.client.describe(ticket: scene.client.prepare([id]).ticket())
                return plan.Threads[0].XaPrepared == true
            }
            let ticket = try scene.client.prepare([id]).ticket()
            XCTAssertEqual(try scene.client.commit(ticket).Threads, [id])
            XCTAssertEqual(try scene.client.describe(ticket: ticket).Threads[0].Outcome, "xa-prepared")
            try await scene.administrator.query("XA ROLLBACK 'order-7'")
        }
    }

    private func prepareXA(_ name: String, in table: String, by session: ClientSessions) async throws {
        try await session.run("XA START '\(name)'")
        try await session.run("UPDATE d.\(table) SET value = 1")
        try await session.run("XA END '\(name)'")
        try await session.run("XA PREPARE '\(name)'")
    }

    func testWhoWaitsForAPreparedXATransactionIsNotCountedAsFreed() async throws {
        try await onEveryServerWithVisibility { scene in
            let session = try await ClientSessions.open(1, on: scene.server)
            let waiter = try await ClientSessions.open(1, on: scene.server)
            try await table("prepared", rows: 1, by: session)
            try await prepareXA("order-8", in: "prepared", by: session)
            try await waiter.send("UPDATE d.prepared SET value = 2")
            let id = await session.threadIDs[0]
            let waiting = await waiter.threadIDs[0]
            try await TestSupport.eventually("somebody waits") {
                let rows = try await scene.administrator.query("SHOW PROCESSLIST").first?.rows ?? []
                return rows.first { $0[0] == waiting.description }?[6]?.lowercased() == "updating"
            }
            var plan: PlanDescription?
            try await eventually("the transaction is seen to be prepared") {
                plan = try scene.client.describe(ticket: scene.client.prepare([id]).ticket())
                return plan?.Threads[0].XaPrepared == true
            }
            XCTAssertEqual(plan?.FreedSessions, 0)
            XCTAssertEqual(plan?.Threads[0].FreedSessions, 0)
            if scene.server.kind == .mariadb { XCTAssertEqual(plan?.Threads[0].WantedLocks?.map(\.Waiters), [1]) }
            XCTAssertEqual(try scene.client.commit(scene.client.prepare([id]).ticket()).Threads, [id])
            // It still waits; the lock's owner is gone.
            let stillWaiting = try await scene.administrator.query(
                "SELECT 1 FROM information_schema.INNODB_TRX WHERE trx_state='LOCK WAIT'"
            ).first?.rows
            XCTAssertEqual(stillWaiting, [["1"]])
            try await scene.administrator.query("XA ROLLBACK 'order-8'")
            _ = try await waiter.receive()
        }
    }

    /// MySQL shows a prepared XA transaction apart from its session, and this account not whose it is.
    func testWithoutVisibilityNobodyIsSaidToLeaveNoPreparedXATransactionBehind() async throws {
        try await withKilld { scene in
            let sessions = try await ClientSessions.open(3, on: scene.server)
            try await table("unseen", rows: 1, by: sessions)
            let ids = await sessions.threadIDs
            let innocent = try scene.client.prepare([ids[2]]).ticket()
            XCTAssertEqual(try scene.client.describe(ticket: innocent).Threads[0].XaPrepared, false)
            try await prepareXA("order-9", in: "unseen", by: sessions)
            var ticket = ""
            try await eventually("the prepared transaction is seen") {
                ticket = try scene.client.prepare(Array(ids[0...1])).ticket()
                let threads = try scene.client.describe(ticket: ticket).Threads
                return threads[0].XaPrepared == true || threads[0].XaUnknown == true
            }
            XCTAssertEqual(try scene.client.commit(ticket).Threads, Array(ids[0...1]))
            let outcomes = try scene.client.describe(ticket: ticket).Threads.map(\.Outcome)
            // MariaDB keeps it with its session until that ends.
            let expected = scene.server.kind == .mariadb ? ["xa-prepared", "killed"] : ["xa-unknown", "xa-unknown"]
            XCTAssertEqual(outcomes, expected)
            try await scene.administrator.query("XA ROLLBACK 'order-9'")
            // Twice: what killd has read may be older than what was read here first.
            var readings = 0
            try await TestSupport.eventually("InnoDB shows it no more", pause: .milliseconds(300)) {
                let rows = try await scene.administrator.query("SELECT 1 FROM information_schema.INNODB_TRX")
                readings = rows.first?.rows.isEmpty == true ? readings + 1 : 0
                return readings == 2
            }
            XCTAssertEqual(try scene.client.commit(innocent).Threads, [ids[2]])
            XCTAssertEqual(try scene.client.describe(ticket: innocent).Threads[0].Outcome, "killed")
        }
    }

    func testTellsWhoWouldBeSpared() async throws {
        try await onEveryServerWithVisibility(configure: { $0.instances[0].protectedUsers = ["app2"] }) { scene in
            let protected = try await ClientSessions.open(1, on: scene.server, as: "app2")
            let ordinary = try await ClientSessions.open(1, on: scene.server)
            let nobody = try XCTUnwrap(ThreadID(4_000_000_000))
            let ids = await protected.threadIDs + ordinary.threadIDs + [nobody]
            let plan = try scene.client.describe(ticket: scene.client.prepare(ids).ticket())
            XCTAssertEqual(plan.Threads.map(\.Id), ids)
            XCTAssertEqual(plan.Threads.map(\.Protection), ["protected-user", nil, nil])
            XCTAssertEqual(plan.Threads.map(\.Found), [true, true, false])
        }
    }

    func testKeepsOfStatementsWhatTheConfigurationSays() async throws {
        let configure = { (configuration: inout KilldConfiguration) in
            configuration.maximumStatementBytes = 20
            configuration.instances.append(configuration.instances[0])
            configuration.instances[1].id = "cdb-discreet"
            configuration.instances[1].statements = "hidden"
        }
        try await onEveryServerWithVisibility(configure: configure) { scene in
            let session = try await ClientSessions.open(1, on: scene.server)
            let statement = "SELECT SLEEP(60), '订单订单订单'"
            try await session.send(statement)
            let id = await session.threadIDs[0]
            let discreet = try SigningClient(scene.killd, instance: "cdb-discreet")
            func thread(_ client: SigningClient) throws -> PlanDescription.Thread {
                try XCTUnwrap(client.describe(ticket: client.prepare([id]).ticket()).Threads.first)
            }
            try await eventually("the statement runs") { try thread(scene.client).Info != nil }
            let shown = try thread(scene.client)
            XCTAssertEqual(shown.Info, "SELECT SLEEP(60), '")
            XCTAssertEqual(shown.InfoLength, statement.utf8.count)
            XCTAssertNil(shown.InfoSha256)
            let hidden = try thread(discreet)
            XCTAssertNil(hidden.Info)
            XCTAssertEqual(hidden.InfoSha256?.count, 64)
            let store = try scene.killd.storeBytes()
            XCTAssertNil(store.firstRange(of: Array("订单".utf8)), "the statement's rest is in the store")
        }
    }

    func testShowsAPlanByItsNameWithoutGivingAwayTheTicket() async throws {
        let configure = { (configuration: inout KilldConfiguration) in
            configuration.accounts.append(.init(name: "approver"))
            configuration.accounts[1].may = ["list"]
            configuration.accounts.append(.init(name: "stranger"))
            configuration.accounts[2].instances = ["cdb-other"]
            configuration.accounts.append(.init(name: "committer"))
            configuration.accounts[3].may = ["commit"]
        }
        try await onEveryServerWithVisibility(configure: configure) { scene in
            let victims = try await ClientSessions.open(1, on: scene.server)
            let planned = await victims.threadIDs
            let ticket = try scene.client.prepare(planned).ticket()
            let own = try scene.client.describe(ticket: ticket)
            XCTAssertEqual(own.State, "prepared")
            XCTAssertEqual(own.Account, "ci")
            XCTAssertEqual(own.Digest.count, 64)

            let accounts = scene.killd.configuration.accounts
            let approver = try SigningClient(scene.killd, as: accounts[1])
            XCTAssertEqual(try approver.describe(name: own.PlanName).Digest, own.Digest)
            let raw = try approver.raw("DescribeKillPlan", ["PlanName": own.PlanName])
            XCTAssertTrue(raw.contains(own.PlanName))
            XCTAssertFalse(raw.contains(ticket))
            assertRefused(try approver.commit(own.PlanName), "AuthFailure.UnauthorizedOperation")

            let stranger = try SigningClient(scene.killd, as: accounts[2])
            assertRefused(try stranger.call("DescribeKillPlan", ["PlanName": own.PlanName]), "ResourceNotFound")
            assertRefused(try stranger.call("DescribeKillPlan", ["SqlExecId": ticket]), "ResourceNotFound")
            let committer = try SigningClient(scene.killd, as: accounts[3])
            assertRefused(
                try committer.call("DescribeKillPlan", ["PlanName": own.PlanName]), "AuthFailure.UnauthorizedOperation")
            assertRefused(
                try scene.client.call("DescribeKillPlan", ["PlanName": "plan-x"]), "ResourceNotFound", "PlanName")
            assertRefused(try scene.client.call("DescribeKillPlan", [String: String]()), "MissingParameter")
            assertRefused(
                try scene.client.call("DescribeKillPlan", ["PlanName": own.PlanName, "SqlExecId": ticket]),
                "InvalidParameterCombination")

            XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
            XCTAssertEqual(try approver.describe(name: own.PlanName).State, "committed")
        }
    }

    func testTheHistoryShowsRecordedPlansAndTheStoreOnlyWhatTheLawsNeedOfTheOthers() async throws {
        try await onEveryServerWithVisibility { scene in
            let victims = try await ClientSessions.open(2, on: scene.server)
            let ids = await victims.threadIDs
            try await victims.send("SELECT SLEEP(60), 'unrecorded'", on: 1)
            let nobody = try XCTUnwrap(ThreadID(4_000_000_000))
            let recorded = try scene.client.prepare([ids[0], nobody]).ticket()
            let unrecorded = try scene.client.prepare([ids[1]], recordHistory: false).ticket()
            XCTAssertEqual(try scene.client.commit(recorded).Threads, [ids[0]])
            for _ in 0..<2 { XCTAssertEqual(try scene.client.commit(unrecorded).Threads, [ids[1]]) }

            let plans = try XCTUnwrap(scene.client.call("DescribeKillPlans", [String: String]()).Plans)
            XCTAssertEqual(plans.map(\.State), ["committed"])
            XCTAssertEqual(plans.map(\.Outcomes), [["killed": 1, "gone": 1]])
            let hidden = try scene.client.describe(ticket: unrecorded)
            XCTAssertEqual(hidden.Threads.map(\.Outcome), ["killed"])
            XCTAssertEqual(hidden.Threads.map(\.User), ["app"])
            XCTAssertEqual(hidden.Threads.map(\.Command), [nil])
            XCTAssertNil(try scene.killd.storeBytes().firstRange(of: Array("unrecorded".utf8)))

            for (limit, offset) in [(0, 0), (101, 0), (20, 10_001)] {
                assertRefused(
                    try scene.client.call("DescribeKillPlans", ["Limit": limit, "Offset": offset]),
                    "InvalidParameterValue")
            }
            assertRefused(
                try scene.client.call("DescribeKillPlans", ["InstanceId": "cdb-other"]), "InvalidParameterValue",
                "InstanceId is invalid")
        }
    }
}
