import Foundation
import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// Restarts, passwords, clusters and listings of DAS clients on real servers.
final class DASLifeTests: XCTestCase {
    // MARK: A restart in the middle

    func testATaskThatWasCutOffEndsAsAnErrorWithoutAnotherKill() async throws {
        try await onEveryServer { server in
            let gate = try KillGate(to: server.database.port, holding: .answer)
            try await withDAS(on: server, configure: { $0.passThrough(gate) }) { scene, das in
                let (victims, ids) = try await scene.openTwo()
                let task = try das.create([("KillAllSessions", "false"), ("SessionIds", list(ids))]).text
                try await eventually("the answer to the KILL") { gate.wasReached }
                try await scene.assertGone(ids)
                let kills = try await scene.killsRun()
                let running = try TaskResult(das.result(task).data)
                XCTAssertEqual(running.state, "RUNNING")
                XCTAssertEqual(running.sessions, ids.map { Int($0.rawValue) })
                scene.killd.kill()
                gate.open(.drop)
                try await scene.killd.start()
                let result = try await das.ended(task)
                XCTAssertEqual(result.state, "ERROR")
                XCTAssertEqual(result.reasons, [ids[0]: "SESSION_EXPIRED", ids[1]: "SESSION_EXPIRED"])
                XCTAssertEqual(result.rows.map { $0["User"] as? String }, ["app", "app"])
                try await scene.assertKillsRun(0, since: kills)
                let states = "SELECT count(*) FROM plans WHERE state = 'committing'"
                XCTAssertEqual(try StoreReader(scene.killd.storeFile).integers(states), [0])
                withExtendedLifetime(victims) {}
            }
        }
    }

    func testATaskThatWasCutOffBeforeItsKillSparesWhoIsStillThere() async throws {
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        let gate = try KillGate(to: server.database.port, holding: .kill)
        try await withDAS(on: server, configure: { $0.passThrough(gate) }) { scene, das in
            let (victims, ids) = try await scene.openTwo()
            let kills = try await scene.killsRun()
            let task = try das.create([("KillAllSessions", "false"), ("SessionIds", list(ids))]).text
            try await eventually("the KILL") { gate.wasReached }
            scene.killd.kill()
            gate.open(.drop)
            try await scene.killd.start()
            let result = try await das.ended(task)
            XCTAssertEqual(result.state, "ERROR")
            XCTAssertEqual(result.reasons, [ids[0]: "SESSION_OTHER_ERROR", ids[1]: "SESSION_OTHER_ERROR"])
            try await scene.assertKillsRun(0, since: kills)
            await victims.assertAllAnswer()
        }
    }

    // MARK: The password

    func testThePasswordStandsNowhere() async throws {
        try await withDAS(configure: {
            $0.logLevel = "debug"
            $0.operations = .init()
        }) { scene, das in
            let (victims, ids) = try await scene.openTwo()
            let password = "unwritten-\(UUID().uuidString)"
            let parameters: [DASRequest.Pair] = [("KillAllSessions", "false"), ("SessionIds", list(ids))]
            var answers: [String] = []
            let refused = try das.create(parameters, as: DASScene.killer, password: password)
            answers += ["\(refused)", "\(try await das.ended(refused.text))"]
            let taken = try das.create(parameters)
            answers += ["\(taken)", "\(try await das.ended(taken.text))"]
            answers.append("\(try das.create([("KillAllSessions", "false")], password: password))")
            var stranger = das
            stranger.account.secretKey = "wrong"
            answers.append("\(try stranger.create(parameters, password: password))")
            await victims.assertNoneAnswers()

            let arguments = try String(
                contentsOfFile: "/proc/\(try scene.killd.processIdentifier)/cmdline", encoding: .utf8)
            let metrics = try XCTUnwrap(httpGet("/metrics", port: scene.killd.operationsPort))
            let places = [
                "answers": answers.joined(), "log": try await scene.killd.wholeLog(), "arguments": arguments,
                "metrics": metrics,
                "store": String(decoding: try scene.killd.storeBytes(), as: UTF8.self),
            ]
            for (place, text) in places {
                XCTAssertFalse(text.isEmpty, place)
                for secret in [password, DASScene.killersPassword, "s3cret"] {
                    XCTAssertFalse(text.contains(secret), "\(secret) stands in \(place)")
                }
            }
            XCTAssertTrue(places["log"]?.contains(refused.text) == true)
            XCTAssertTrue(places["store"]?.contains(refused.text) == true)
        }
    }

    private func httpGet(_ path: String, port: UInt16) throws -> String? {
        let client = try TestClient(port: port)
        client.send("GET \(path) HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        return client.receive()
    }

    // MARK: Clusters

    func testATaskForEachNodeOfACluster() async throws {
        let first = try RealServer.shared(.mariadb)
        try await first.createAccounts()
        let second = try RealServer.start(.mariadb, options: ["--skip-ssl"])
        try await second.createAccounts()
        let root = try await second.administrator()
        let privileges = "GRANT PROCESS, CONNECTION ADMIN ON *.* TO app@'%'"
        try await root.query(privileges)
        try await withDAS(
            on: first,
            configure: { configuration in
                configuration.instances[0].protectedUsers = [PrivateDatabase.rootUser]
                configuration.instances[0].nodes = [
                    .init(id: "pi-1", port: first.database.port), .init(id: "pi-2", port: second.database.port),
                ]
            }
        ) { scene, das in
            try await scene.administrator.query(privileges)
            let users = ("IgnoredUsers", "['app']")
            let victims = [
                try await ClientSessions.open(2, on: first, as: "app2"),
                try await ClientSessions.open(3, on: second, as: "app2"),
            ]
            let ids = list(await victims[0].threadIDs)
            // Whose ids, without a node?
            for parameters in [[], [("NodeId", "pi-3")]] as [[DASRequest.Pair]] {
                let answer = try das.create(
                    [("KillAllSessions", "false"), ("SessionIds", ids)] + parameters, as: "app",
                    password: RealServer.password)
                XCTAssertEqual(answer.code, "InvalidParams")
            }
            let created = try das.create(
                [("KillAllSessions", "true"), users], as: "app", password: RealServer.password)
            let tasks = try XCTUnwrap(
                JSONSerialization.jsonObject(with: Data(created.text.utf8)) as? [String], "\(created)")
            XCTAssertEqual(tasks.count, 2)
            for (index, task) in tasks.enumerated() {
                let result = try await das.ended(task, node: "pi-\(index + 1)")
                XCTAssertEqual(result.state, "SUCCESS")
                XCTAssertEqual(result.counts[0], index + 2, "\(result)")
                XCTAssertEqual(
                    try das.result(task, node: "pi-\(index + 1)").data["NodeId"] as? String, "pi-\(index + 1)")
                for node in [nil, "pi-\(2 - index)"] {
                    XCTAssertEqual(try das.result(task, node: node).code, "TaskNotFound")
                }
            }
            for victims in victims { await victims.assertNoneAnswers() }

            // One task for one node, whose id stands alone.
            let others = try await ClientSessions.open(1, on: second, as: "app2")
            let one = try das.create(
                [("KillAllSessions", "true"), users, ("NodeId", "pi-2")], as: "app", password: RealServer.password)
            XCTAssertNotNil(one.text.wholeMatch(of: /[0-9a-f]{32}/), one.text)
            _ = try await das.ended(one.text, node: "pi-2")
            await others.assertNoneAnswers()
            let listed = try await listing(das, [("NodeId", "pi-2")])
            XCTAssertFalse((listed["UserStats"] as? [[String: Any]] ?? []).contains { $0["Key"] as? String == "app" })
            try await scene.administrator.query("REVOKE PROCESS, CONNECTION ADMIN ON *.* FROM app@'%'")
        }
        await root.close()
        second.database.stop()
    }

    // MARK: Listings

    func testListsTheSessionsInTwoCallsAndCountsThem() async throws {
        try await withDAS { scene, das in
            try await scene.administrator.query("CREATE TABLE IF NOT EXISTS d.rows (id INT) ENGINE=InnoDB")
            let sessions = try await ClientSessions.open(2, on: scene.server, as: "app2")
            try await sessions.run("USE d")
            try await sessions.run("SET autocommit=0")
            try await sessions.run("INSERT INTO d.rows VALUES (1)")
            let ids = await sessions.threadIDs.map { Int($0.rawValue) }
            let data = try await listing(das)
            let list = try XCTUnwrap(data["SessionList"] as? [[String: Any]])
            let busy = try XCTUnwrap(list.first { $0["SessionId"] as? Int == ids[0] })
            let host = try await scene.shownHost(of: try XCTUnwrap(ThreadID(ids[0])))
            XCTAssertEqual(busy["Client"] as? String, host.split(separator: ":").first.map(String.init))
            XCTAssertEqual(busy["DbName"] as? String, "d")
            XCTAssertEqual(busy["Command"] as? String, "Sleep")
            XCTAssertNotNil((busy["TrxId"] as? String).flatMap { UInt64($0) })
            XCTAssertNotNil(busy["TrxDuration"] as? Int)
            let idle = try XCTUnwrap(list.first { $0["SessionId"] as? Int == ids[1] })
            XCTAssertEqual(
                Set(idle.keys), ["SessionId", "User", "Client", "DbName", "Command", "Time", "State", "SqlText"])
            XCTAssertEqual(data["TotalSessionCount"] as? Int, list.count)
            // The connections of a killd before this one may still be ending.
            try await eventually("a listing without killd's own", pause: .milliseconds(250)) {
                let data = try await listing(das)
                let list = try XCTUnwrap(data["SessionList"] as? [[String: Any]])
                return !list.contains { $0["User"] as? String == "killd" }
            }
            let users = try XCTUnwrap(data["UserStats"] as? [[String: Any]])
            let app2 = try XCTUnwrap(users.first { $0["Key"] as? String == "app2" })
            XCTAssertEqual(Set(app2["ThreadIdList"] as? [Int] ?? []), Set(ids))
            XCTAssertEqual(app2["TotalCount"] as? Int, 2)
            XCTAssertEqual(app2["ActiveCount"] as? Int, 1)
            XCTAssertEqual(app2["UserList"] as? [String], ["app2"])
            let time = try XCTUnwrap(data["TimeStamp"] as? Int)
            XCTAssertEqual(Double(time) / 1_000, Date().timeIntervalSince1970, accuracy: 60)
            withExtendedLifetime(sessions) {}
        }
    }

    func testAListingThatFailsSaysSoInItsState() async throws {
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        try await withDAS(
            on: server,
            configure: { configuration in
                configuration.instances.append(configuration.instances[0])
                configuration.instances[1].id = "rm-away"
                configuration.instances[1].port = 1
            }
        ) { scene, das in
            let das = DASClient(killd: scene.killd, instance: "rm-away")
            let first = try das.call("GetMySQLAllSessionAsync")
            let id = try XCTUnwrap(first.data["ResultId"] as? String)
            var answer = first
            try await eventually("the failure") {
                answer = try das.call("GetMySQLAllSessionAsync", [("ResultId", id)])
                return answer.data["IsFinish"] as? Bool == true
            }
            XCTAssertEqual(answer.status, 200)
            XCTAssertEqual(answer.data["State"] as? String, "FAIL")
            XCTAssertEqual(answer.data["Fail"] as? Bool, true)
            XCTAssertEqual(answer.body["Success"] as? Bool, true)
            let refused = try das.create([("KillAllSessions", "true")])
            XCTAssertEqual(refused.status, 503, "\(refused)")
        }
    }

    private func listing(_ das: DASClient, _ parameters: [DASRequest.Pair] = []) async throws -> [String: Any] {
        let first = try das.call("GetMySQLAllSessionAsync", parameters)
        XCTAssertEqual(first.data["IsFinish"] as? Bool, false)
        XCTAssertEqual(first.data["State"] as? String, "RUNNING")
        XCTAssertNil(first.data["SessionData"])
        let id = try XCTUnwrap(first.data["ResultId"] as? String, "\(first)")
        var data: [String: Any]?
        try await eventually("the listing") {
            let answer = try das.call("GetMySQLAllSessionAsync", parameters + [("ResultId", id)])
            guard answer.data["IsFinish"] as? Bool == true else { return false }
            XCTAssertEqual(answer.data["State"] as? String, "SUCCESS")
            XCTAssertEqual(answer.data["Complete"] as? Bool, true)
            data = answer.data["SessionData"] as? [String: Any]
            return true
        }
        let again = try das.call("GetMySQLAllSessionAsync", parameters + [("ResultId", id)])
        XCTAssertEqual(again.data["State"] as? String, "SUCCESS")
        return try XCTUnwrap(data)
    }
}
