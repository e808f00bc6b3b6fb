import Foundation
import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// How tasks of a real killd begin, go on and end.
final class KillTaskLifeTests: XCTestCase {
    func testGoesOnAfterKilldWasKilled() async throws {
        try await withTasks { scene in
            try scene.create(#""User":"app2""#)
            for _ in 0..<2 {
                let victim = try await scene.open()
                try await scene.assertEnded(victim)
                scene.killd.kill()
                try await scene.killd.start()
            }
            let last = try await scene.open()
            try await scene.assertEnded(last)
            XCTAssertEqual(try scene.tasks().map(\.State), ["running"])
            try scene.cancel()
        }
    }

    func testATaskThatKilldCouldNotEndIsEndedAsOfItsTime() async throws {
        try await withTasks { scene in
            try scene.create(#""User":"app2""#, lasting: 1)
            scene.killd.kill()
            let endsAt = ContinuousClock.now + .seconds(2)
            let survivor = try await scene.open()
            try await eventually("the end of its time") { ContinuousClock.now > endsAt }
            try await scene.killd.start()
            let task = try scene.tasks()[0]
            XCTAssertEqual(task.State, "expired")
            XCTAssertEqual(task.EndedAt, task.EndsAt)
            XCTAssertNotNil(task.EndedAt)
            try await scene.letLooksPass()
            await survivor.assertAllAnswer()
        }
    }

    func testEndsWithItsDuration() async throws {
        try await withTasks { scene in
            let victim = try await scene.open()
            try scene.create(#""User":"app2","Command":"Sleep""#, lasting: 5)
            try await scene.assertEnded(victim)
            try await eventually("the end of the task") { try scene.tasks()[0].State == "expired" }
            let survivor = try await scene.open()
            try await scene.letLooksPass()
            await survivor.assertAllAnswer()
            try assertNothingToCancel(scene)
            try scene.create(#""User":"nobody""#)
            try scene.cancel()
        }
    }

    func testACancelledTaskKillsNobodyAnyMore() async throws {
        try await withTasks { scene in
            try assertNothingToCancel(scene)
            try scene.create(#""User":"app2","Command":"Sleep""#)
            try await scene.assertEnded(try await scene.open())
            try scene.cancel()
            let survivor = try await scene.open()
            try await scene.letLooksPass()
            await survivor.assertAllAnswer()
            try assertNothingToCancel(scene)
            // A restart does not bring it back.
            scene.killd.kill()
            try await scene.killd.start()
            try await scene.letLooksPass()
            await survivor.assertAllAnswer()
        }
    }

    /// The KILL is on its way to the server when the cancellation comes: it is answered after the KILL was.
    func testACancellationIsAnsweredWhenTheKillUnderWayIsOver() async throws {
        try await onEveryServer { server in
            let gate = try KillGate(to: server.database.port, holding: .kill)
            try await withTasks(on: server, configure: { $0.passThrough(gate) }) { scene in
                let victim = try await scene.open()
                try scene.create(#""User":"app2""#)
                try await eventually("the KILL") { gate.wasReached }
                let cancellation = try scene.client.send("CancelKillTask", members: "")
                try await eventually("the cancellation") { try scene.tasks()[0].State == "suspended" }
                gate.open(.forward)
                XCTAssertEqual(try cancellation.wait().Status, 1)
                XCTAssertEqual(try scene.tasks()[0].State, "cancelled")
                try await scene.assertEnded(victim)
                let survivor = try await scene.open()
                try await scene.letLooksPass()
                await survivor.assertAllAnswer()
            }
        }
    }

    func testAnInstanceHasOneTaskAtATime() async throws {
        try await withTasks { scene in
            try scene.create(#""User":"nobody""#)
            let survivor = try await scene.open()
            let refused = try scene.client.call("CreateKillTask", members: #""Duration":-1,"User":"app2""#)
            assertRefused(refused, "UnsupportedOperation.HasDuplicatedTask")
            try await scene.letLooksPass()
            await survivor.assertAllAnswer()
            XCTAssertEqual(try scene.tasks().map(\.User), ["nobody"])
            try scene.cancel()
        }
    }

    func testNothingIsKilledWhileTheDiskIsFull() async throws {
        let disk = try await SmallDisk.mount()
        try await withTasks(configure: { $0.store = "\(disk.path)/killd.sqlite" }) { scene in
            try scene.create(#""User":"app2""#)
            let killsBefore = try await scene.killsRun()
            try disk.fill()
            let victim = try await scene.open()
            let begin = ContinuousClock.now
            try await eventually("three looks") {
                try scene.killd.log.contains("a kill task fails") && ContinuousClock.now > begin + .seconds(3)
            }
            try await scene.assertKillsRun(0, since: killsBefore)
            await victim.assertAllAnswer()
            XCTAssertEqual(try scene.killd.log.ranges(of: "a kill task fails").count, 1)

            try disk.makeRoom()
            try await scene.assertEnded(victim)
            try await eventually("the recovery") { try scene.killd.log.contains("a kill task works again") }
            try scene.cancel()
        }
    }

    func testATaskWhoseAccountMayNotAnyMoreDoesNotRun() async throws {
        try await withTasks(configure: { $0.accounts.append(.init(name: "alice")) }) { scene in
            try scene.create(#""User":"app2""#)
            scene.killd.kill()
            var configuration = scene.killd.configuration
            configuration.accounts[0].may = ["list"]
            configuration.accounts[1].may = ["rule", "list"]
            try JSONEncoder().encode(configuration).write(to: URL(fileURLWithPath: scene.killd.configurationFile))
            try await scene.killd.start()
            let survivor = try await scene.open()
            try await eventually("the warning") { try scene.killd.log.contains("a kill task does not run") }
            XCTAssertEqual(try scene.tasks().map(\.State), ["suspended"])
            let refused = try scene.client.call("CancelKillTask", members: "")
            assertRefused(refused, "AuthFailure.UnauthorizedOperation")

            let alice = try SigningClient(scene.killd, as: configuration.accounts[1])
            let begin = ContinuousClock.now
            try await eventually("some looks") { ContinuousClock.now > begin + .seconds(2) }
            XCTAssertEqual(try alice.call("CancelKillTask", members: "").Status, 1)
            XCTAssertEqual(try scene.tasks().map(\.CancelledBy), ["alice"])
            await survivor.assertAllAnswer()
        }
    }

    func testIsNotCreatedWhereKilldCouldNotDoItsWork() async throws {
        try await withTasks(configure: { configuration in
            configuration.instances[0].user = "watcher"
        }) { scene in
            try await scene.administrator.query("DROP USER IF EXISTS watcher@'%'")
            try await scene.administrator.query(RealServer.creation(of: "watcher"))
            func assertRefused(_ words: String) throws {
                let answer = try scene.client.call("CreateKillTask", members: #""Duration":-1,"User":"app2""#)
                EndToEndTests.assertRefused(answer, "FailedOperation", words)
            }
            try assertRefused("lacks the privilege `PROCESS`")
            try await scene.administrator.query("GRANT PROCESS ON *.* TO watcher@'%'")
            let privilege = scene.server.kind == .mariadb ? "CONNECTION ADMIN" : "CONNECTION_ADMIN"
            try assertRefused("lacks the privilege `\(privilege)`")
            XCTAssertEqual(try scene.tasks().count, 0)
            try await scene.administrator.query("DROP USER watcher@'%'")
        }
    }

    func testEveryWrongRequestIsRefused() async throws {
        var configuration = KilldConfiguration(port: try PrivateDatabase.freePort())
        configuration.accounts[0].may = ["*"]
        configuration.accounts.append(.init(name: "reader"))
        let killd = try await KilldProcess.start(configuration)
        let client = try SigningClient(killd)
        func value(_ name: String) -> (code: String, words: String) { ("InvalidParameterValue", "parameter `\(name)`") }
        let rows: [(members: String, expected: (code: String, words: String))] = [
            ("", ("MissingParameter", "`Duration`")), (#""Duration":"1""#, ("InvalidParameter", "`Duration`")),
            (#""Duration":0"#, value("Duration")), (#""Duration":-2"#, value("Duration")),
            (#""Duration":315360001"#, value("Duration")),
            (#""Duration":1,"User":"""#, value("User")), (#""Duration":1,"User":"  ""#, value("User")),
            (#""Duration":1,"Host":"""#, value("Host")), (#""Duration":1,"DB":"""#, value("DB")),
            (#""Duration":1,"DB":"a,,b""#, value("DB")), (#""Duration":1,"DB":"a, ""#, value("DB")),
            (#""Duration":1,"Command":"Sleep,""#, value("Command")), (#""Duration":1,"Info":"""#, value("Info")),
            (#""Duration":1,"Infos":[]"#, value("Infos")), (#""Duration":1,"Infos":["a",""]"#, value("Infos")),
            (#""Duration":1,"Time":-1"#, value("Time")),
            (#""Duration":1,"Info":"a","Infos":["b"]"#, ("InvalidParameterCombination", "`Info` and `Infos`")),
            (#""Duration":1,"Product":"cynosdb""#, value("Product")),
            (#""Duration":1,"State":"x""#, ("UnknownParameter", "`State`")),
            // All is well but that there is no server.
            (#""Duration":315360000,"Time":0,"DB":" a , b ""#, ("FailedOperation", "cannot be reached")),
        ]
        for (members, expected) in rows {
            let answer = try client.call("CreateKillTask", members: members)
            assertRefused(answer, expected.code, expected.words)
        }
        let reader = try SigningClient(killd, as: configuration.accounts[1])
        for (action, members) in [("CreateKillTask", #""Duration":1"#), ("CancelKillTask", "")] {
            assertRefused(try reader.call(action, members: members), "AuthFailure.UnauthorizedOperation", action)
            let elsewhere = try SigningClient(killd, instance: "cdb-unknown")
            let answer = try elsewhere.call(action, members: members)
            assertRefused(answer, "InvalidParameterValue", "InstanceId is invalid")
        }
        XCTAssertEqual(try client.call("DescribeKillTasks", [String: String]()).Tasks?.count, 0)
        assertRefused(try client.call("DescribeKillTasks", ["Limit": 0]), "InvalidParameterValue", "`Limit`")
        assertRefused(try client.call("DescribeKillTasks", ["Offset": 10_001]), "InvalidParameterValue", "`Offset`")
        try await killd.stop()
    }

    private func assertNothingToCancel(_ scene: Scene, file: StaticString = #filePath, line: UInt = #line) throws {
        let answer = try scene.client.call("CancelKillTask", members: "")
        assertRefused(answer, "ResourceNotFound", "no running kill task", file: file, line: line)
    }
}
