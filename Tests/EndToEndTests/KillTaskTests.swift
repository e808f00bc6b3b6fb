import Foundation
import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// Rules that end sessions for a time. The bystanders of every scene are sessions of `app`.
final class KillTaskTests: XCTestCase {
    private struct Rule: Encodable {
        var InstanceId = "cdb-test"
        var Duration = -1
        var User: String?
        var Host: String?
        var DB: String?
        var Command: String?
        var Info: String?
        var Infos: [String]?
        var Time: Int?
    }

    private struct OneCondition {
        let name: String
        let rule: Rule
        /// What the sessions run that are to die, and what those that differ in the condition only.
        let victim: String
        let neighbour: String
    }

    private let conditions = [
        OneCondition(name: "DB", rule: Rule(User: "app2", DB: "none, d"), victim: "USE d", neighbour: "DO 0"),
        OneCondition(
            name: "Command", rule: Rule(User: "app2", Command: "Connect,query"), victim: "SELECT SLEEP(60)",
            neighbour: "DO 0"),
        OneCondition(
            name: "Info", rule: Rule(User: "app2", Info: "SELECT SLEEP(61"), victim: "SELECT SLEEP(61)",
            neighbour: "SELECT  SLEEP(4.61)"),
        OneCondition(
            name: "Infos", rule: Rule(User: "app2", Infos: ["SLEEP", "marked"]), victim: "SELECT /* marked */ SLEEP(60)",
            neighbour: "SELECT SLEEP(4.62)"),
    ]

    func testEndsTheSessionsForWhichEveryConditionHoldsAndNoOther() async throws {
        try await withKilld(configure: { $0.accounts[0].may = ["*"] }) { scene in
            for condition in conditions {
                let sessions = try await ClientSessions.open(2, on: scene.server, as: "app2")
                let ids = await sessions.threadIDs
                try await sessions.send(condition.neighbour, on: 1)
                try await sessions.send(condition.victim, on: 0)
                if condition.victim.hasPrefix("USE") { _ = try await sessions.receive(on: 0) }
                XCTAssertEqual(try scene.create(condition.rule).Status, 1, condition.name)
                try await scene.assertGone([ids[0]])
                XCTAssertEqual(try scene.cancel().Status, 1, condition.name)
                _ = try await sessions.receive(on: 1)
                let answering = await sessions.answering()
                XCTAssertEqual(answering, [ids[1]], condition.name)
            }
            let tasks = try XCTUnwrap(scene.client.call("DescribeKillTasks", [String: String]()).Tasks)
            XCTAssertEqual(tasks.map(\.State), conditions.map { _ in "cancelled" })
            XCTAssertEqual(tasks.map(\.SessionsKilled), conditions.map { _ in 1 })
            XCTAssertEqual(tasks.map(\.CancelledBy), conditions.map { _ in "ci" })
            let plans = try XCTUnwrap(scene.client.call("DescribeKillPlans", [String: String]()).Plans)
            XCTAssertEqual(plans.map(\.Task), tasks.map(\.TaskName))
            XCTAssertEqual(plans.map(\.Outcomes), conditions.map { _ in ["killed": 1] })
        }
    }

    func testSparesSessionsThatAreNotOldEnough() async throws {
        try await withKilld(configure: { $0.accounts[0].may = ["*"] }) { scene in
            let old = try await ClientSessions.open(1, on: scene.server, as: "app2")
            let id = await old.threadIDs[0]
            try await eventually("a session that waits for four seconds") {
                let rows = try await scene.administrator.query(
                    "SELECT TIME FROM information_schema.PROCESSLIST WHERE ID = \(id)").first?.rows
                return rows?.first?.first.flatMap { $0 }.flatMap { Int($0) } ?? 0 >= 4
            }
            let young = try await ClientSessions.open(1, on: scene.server, as: "app2")
            _ = try scene.create(Rule(User: "app2", Time: 3))
            try await scene.assertGone([id])
            _ = try scene.cancel()
            await young.assertAllAnswer()
        }
    }

    func testARuleWithoutConditionsSparesWhoIsNeverKilled() async throws {
        let spared = ["app", PrivateDatabase.rootUser]
        try await withKilld(configure: { $0.accounts[0].may = ["*"]; $0.instances[0].protectedUsers = spared }) { scene in
            let victims = try await ClientSessions.open(3, on: scene.server, as: "app2")
            let ids = await victims.threadIDs
            let killd = try await scene.sessions().filter { $0.value == "killd" || $0.value == "event_scheduler" }
            _ = try scene.create(Rule())
            try await scene.assertGone(ids)
            _ = try scene.cancel()
            let after = try await scene.sessions()
            XCTAssertTrue(Set(killd.keys).isSubset(of: after.keys), "\(killd) \(after)")
            await victims.assertNoneAnswers()
        }
    }

    func testGoesOnAfterKilldDiedAndIsEndedByCancelling() async throws {
        try await withKilld(configure: { $0.accounts[0].may = ["*"] }) { scene in
            _ = try scene.create(Rule(User: "app2"))
            scene.killd.kill()
            let victims = try await ClientSessions.open(2, on: scene.server, as: "app2")
            try await scene.killd.start()
            try await scene.assertGone(await victims.threadIDs)
            assertRefused(try scene.create(Rule(User: "app")), "UnsupportedOperation.HasDuplicatedTask")
            _ = try scene.cancel()
            assertRefused(try scene.cancel(), "ResourceNotFound", "Nothing was cancelled")

            // While another task does its work, nobody is ended for the one that was cancelled.
            let spared = try await ClientSessions.open(1, on: scene.server, as: "app2")
            let others = try await ClientSessions.open(1, on: scene.server, as: "app2")
            try await others.send("SELECT SLEEP(64)")
            _ = try scene.create(Rule(Info: "SELECT SLEEP(64)"))
            try await scene.assertGone(await others.threadIDs)
            _ = try scene.cancel()
            await spared.assertAllAnswer()
        }
    }

    func testEndsByItselfWhenItsDurationIsOver() async throws {
        try await withKilld(configure: { $0.accounts[0].may = ["*"] }) { scene in
            _ = try scene.create(Rule(Duration: 1, User: "app2"))
            try await eventually("the end of the task") {
                try scene.client.call("DescribeKillTasks", [String: String]()).Tasks?.map(\.State) == ["expired"]
            }
            let later = try await ClientSessions.open(1, on: scene.server, as: "app2")
            assertRefused(try scene.cancel(), "ResourceNotFound")
            await later.assertAllAnswer()
        }
    }

    func testNothingIsKilledWhileNothingCanBeWritten() async throws {
        try await withKilld(configure: { $0.accounts[0].may = ["*"] }) { scene in
            _ = try scene.create(Rule(User: "app2"))
            // Not by refusing all writes: the log is a file as well.
            let store = scene.killd.storeFile
            try FileManager.default.moveItem(atPath: store, toPath: store + ".away")
            let victims = try await ClientSessions.open(2, on: scene.server, as: "app2")
            try await eventually("the failure in the log") { try scene.killd.log.contains("a kill task fails") }
            await victims.assertAllAnswer()
            try FileManager.default.moveItem(atPath: store + ".away", toPath: store)
            try await scene.assertGone(await victims.threadIDs)
            _ = try scene.cancel()
        }
    }

    func testASessionThatCannotBeKilledIsNotInAPlanASecond() async throws {
        let server = try RealServer.shared(.mysql)
        try await server.createAccounts()
        var configuration = KilldConfiguration(port: server.database.port)
        configuration.accounts[0].may = ["*"]
        try await withKilld(configuration, on: server) { scene in
            try await scene.administrator.query(
                """
                \(RealServer.creation(of: "mighty"));
                GRANT SYSTEM_USER ON *.* TO mighty@'%'; GRANT ALL ON d.* TO mighty@'%'
                """)
            let mighty = try await ClientSessions.open(1, on: server, as: "mighty")
            try await mighty.run("USE d")
            _ = try scene.create(Rule(DB: "d"))
            // Each is another plan, so there were as many looks.
            for _ in 0..<3 {
                let victim = try await ClientSessions.open(1, on: server, as: "app2")
                try await victim.run("USE d")
                try await scene.assertGone(await victim.threadIDs)
            }
            _ = try scene.cancel()
            let plans = try XCTUnwrap(scene.client.call("DescribeKillPlans", [String: String]()).Plans)
            XCTAssertEqual(plans.compactMap { $0.Outcomes["killed"] }, [1, 1, 1])
            XCTAssertEqual(plans.compactMap { $0.Outcomes["denied"] }, [1])
            await mighty.assertAllAnswer()
        }
    }

    func testARuleThatIsNotMeantOrNotAllowedIsRefused() async throws {
        var configuration = KilldConfiguration(port: try PrivateDatabase.freePort())
        configuration.accounts[0].may = ["list", "prepare", "commit"]
        var ruler = KilldConfiguration.Account(name: "ruler")
        ruler.may = ["rule"]
        configuration.accounts.append(ruler)
        let killd = try await KilldProcess.start(configuration)
        assertRefused(try SigningClient(killd).call("CreateKillTask", Rule()), "AuthFailure.UnauthorizedOperation")
        let client = try SigningClient(killd, as: ruler)
        for rule in [
            Rule(Duration: 0), Rule(Duration: -2), Rule(Duration: 315_360_001), Rule(User: ""), Rule(Host: ""),
            Rule(DB: "a,,b"), Rule(Command: ""), Rule(Info: ""), Rule(Infos: []), Rule(Infos: ["a", ""]), Rule(Time: -1),
        ] {
            assertRefused(try client.call("CreateKillTask", rule), "InvalidParameterValue")
        }
        assertRefused(
            try client.call("CreateKillTask", Rule(Info: "a", Infos: ["b"])), "InvalidParameterCombination")
        try await killd.stop()
    }
}

extension Scene {
    fileprivate func create(_ rule: some Encodable) throws -> APIAnswer { try client.call("CreateKillTask", rule) }

    fileprivate func cancel() throws -> APIAnswer {
        try client.call("CancelKillTask", ["InstanceId": "cdb-test"])
    }
}
