import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// Which sessions of a real server a task ends. The victims are of `app2`; the bystanders of every scene are of `app`.
final class KillTaskTests: XCTestCase {
    /// For each condition a session that fulfils it, and one that differs in it.
    func testEachConditionSparesTheSessionThatDiffersInIt() async throws {
        try await withTasks { scene in
            let elsewhere = try await scene.open(from: "127.0.0.2")
            let here = try await scene.host(of: elsewhere.threadIDs[0])
            try await scene.assertEnds("\"Host\":\"\(here)\"", { try await scene.open(from: "127.0.0.2") }) {
                try await scene.open()
            }

            try await scene.administrator.query("CREATE DATABASE IF NOT EXISTS d2")
            try await scene.administrator.query("GRANT ALL ON d2.* TO app2@'%'")
            try await scene.assertEnds(#""DB":"other, d""#, { try await scene.open("USE d") }) {
                try await scene.open("USE d2")
            }
            try await scene.assertEnds(#""Command":"query""#, { try await scene.run("SELECT SLEEP(600)") }) {
                try await scene.open()
            }
            try await scene.assertEnds(#""Info":"SELECT SLEEP""#, { try await scene.run("SELECT SLEEP(600)") }) {
                try await scene.run("DO SLEEP(600)")
            }
            let keywords = #""Infos":["nightly","batch"]"#
            try await scene.assertEnds(keywords, { try await scene.run("DO /* batch, nightly */ SLEEP(600)") }) {
                try await scene.run("DO /* batch */ SLEEP(600)")
            }
        }
    }

    /// What a client sends for a variable that was not set is no condition, and no lack of one either.
    func testAConditionThatIsNullOrBlankEndsNobody() async throws {
        try await withTasks { scene in
            let spared = try await scene.open()
            let kills = try await scene.killsRun()
            let all = ["Host", "User", "DB", "Command", "Time", "Info", "Infos"]
            var refusals: [(String, String)] = all.map { ($0, "\"\($0)\":null") }
            refusals += all.map {
                (
                    $0,
                    "\"User\":\"app2\",\"\($0)\":null".replacingOccurrences(
                        of: #""User":"app2","User""#, with: #""User""#)
                )
            }
            refusals += ["Host", "User", "DB", "Command", "Info"].flatMap { name in
                ["", " ", "\\t\\n", "\\u3000"].map { (name, "\"\(name)\":\"\($0)\"") }
            }
            refusals += [
                ("DB", #""DB":" , ""#), ("DB", #""DB":"d,""#), ("Command", #""Command":",Sleep""#),
                ("Infos", #""Infos":[]"#), ("Infos", #""Infos":["a"," "]"#), ("Time", #""Time":-1"#),
            ]
            for (name, members) in refusals {
                let answer = try scene.client.call("CreateKillTask", members: #""Duration":-1,"# + members)
                assertRefused(answer, "InvalidParameterValue", "`\(name)`")
            }
            let allNull = all.map { "\"\($0)\":null" }.joined(separator: ",")
            let answer = try scene.client.call("CreateKillTask", members: #""Duration":-1,"# + allNull)
            assertRefused(answer, "InvalidParameterValue", "null")
            let listed = try scene.client.call("CreateKillTask", members: #""Duration":-1,"Infos":["a",null]"#)
            assertRefused(listed, "MissingParameter", "`Infos.1`")
            XCTAssertEqual(try scene.tasks().count, 0)
            try await scene.assertKillsRun(0, since: kills)
            await spared.assertAllAnswer()
        }
    }

    func testTheUserSparesEverybodyElse() async throws {
        try await withTasks { scene in
            let victims = try await ClientSessions.open(3, on: scene.server, as: "app2")
            try scene.create(#""User":"app2""#)
            try await scene.assertEnded(victims)
            try scene.cancel()
        }
    }

    /// é as one code point and as two: one word to a reader, two accounts to a server.
    func testTheUserSparesWhoseNameLooksTheSame() async throws {
        let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
        try await withTasks { scene in
            for user in [composed, decomposed] {
                try await scene.administrator.query(RealServer.creation(of: "'\(user)'"))
            }
            let victims = try await ClientSessions.open(2, on: scene.server, as: composed)
            let spared = try await ClientSessions.open(2, on: scene.server, as: decomposed)
            try scene.create("\"User\":\"\(composed)\"")
            try await scene.assertEnded(victims)
            try scene.cancel()
            await spared.assertAllAnswer()
        }
    }

    func testTheTimeSparesTheSessionThatHasNotReachedIt() async throws {
        try await withTasks { scene in
            let old = try await scene.open()
            let id = await old.threadIDs[0]
            try await eventually("the age of the session") {
                try await scene.processList(id, "TIME").flatMap { Int($0) } ?? 0 > 2
            }
            let young = try await scene.open()
            try scene.create(#""User":"app2","Time":2"#)
            try await scene.assertEnded(old)
            try scene.cancel()
            await young.assertAllAnswer()
        }
    }

    func testARuleWithoutConditionsSparesWhoIsNeverKilled() async throws {
        try await withTasks(configure: { configuration in
            for index in configuration.instances.indices {
                configuration.instances[index].protectedUsers = ["app", PrivateDatabase.rootUser]
            }
        }) { scene in
            var before: [ThreadID: String] = [:]
            try await eventually("killd's first connection") {
                before = try await scene.sessions().filter { ["killd", "event_scheduler"].contains($0.value) }
                return before.values.contains("killd")
            }
            let killsBefore = try await scene.killsRun()
            let victims = try await scene.open()
            try scene.create("")
            try await scene.assertEnded(victims)
            let later = try await scene.open()
            try await scene.assertEnded(later)
            try scene.cancel()
            let after = try await scene.sessions().filter { before[$0.key] != nil }
            XCTAssertEqual(after, before)
            try await scene.assertKillsRun(try scene.tasks()[0].SessionsKilled, since: killsBefore)
        }
    }

    func testTheHistoryShowsWhatEachTaskKilled() async throws {
        try await withTasks { scene in
            // In a database of their own: MySQL may not have noticed yet that sessions of other tests are over.
            let victims = try await ClientSessions.open(2, on: scene.server, as: "app2")
            let ids = await victims.threadIDs
            for index in ids.indices { try await victims.run("USE d", on: index) }
            try scene.create(#""User":"app2","Infos":["x"]"#)
            try scene.cancel()
            try scene.create(#""User":"app2","DB":"d""#)
            try await scene.assertEnded(victims)
            try scene.cancel()

            let tasks = try scene.tasks()
            XCTAssertEqual(tasks.map(\.State), ["cancelled", "cancelled"])
            XCTAssertEqual(tasks.map(\.SessionsKilled), [2, 0])
            XCTAssertEqual(tasks.map(\.User), ["app2", "app2"])
            XCTAssertEqual(tasks.map(\.Infos), [nil, ["x"]])
            XCTAssertEqual(tasks.map(\.CancelledBy), ["ci", "ci"])
            let plans = try XCTUnwrap(scene.client.call("DescribeKillPlans", [String: String]()).Plans)
            XCTAssertEqual(plans.map(\.Task), [tasks[0].TaskName])
            let plan = try scene.client.describe(name: plans[0].PlanName)
            XCTAssertEqual(plan.Task, tasks[0].TaskName)
            XCTAssertEqual(Set(plan.Threads.map(\.Id)), Set(ids))
            XCTAssertEqual(plan.Threads.map(\.Outcome), ["killed", "killed"])

            func killd(_ words: String...) async throws -> String {
                let command = try await KilldProcess.run(
                    words + ["--endpoint", scene.killd.endpoint], environment: scene.killd.credentials())
                XCTAssertEqual(command.status, 0, command.error)
                return command.output
            }
            let history = try await killd("history")
            XCTAssertTrue(history.contains(tasks[0].TaskName) && history.contains(plan.PlanName), history)
            let list = try await killd("history", "--tasks")
            XCTAssertTrue(list.contains("cancelled by ci") && list.contains("User app2; DB d"), list)
            let shown = try await killd("show", plan.PlanName)
            XCTAssertTrue(shown.contains("Task      \(tasks[0].TaskName)"), shown)
        }
    }

    /// MySQL only: SYSTEM_USER protects root's session there.
    func testASessionThatKilldMayNotEndMakesNoPlanASecond() async throws {
        let server = try RealServer.shared(.mysql)
        try await server.createAccounts()
        try await withTasks(on: server) { scene in
            try scene.create("\"User\":\"\(PrivateDatabase.rootUser)\"")
            try await scene.letLooksPass()
            let plans = try XCTUnwrap(scene.client.call("DescribeKillPlans", members: "").Plans)
            XCTAssertEqual(plans.map(\.Outcomes), [["denied": 1]])
            try scene.cancel()
        }
    }
}
