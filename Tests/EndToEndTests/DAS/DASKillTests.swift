import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// Tasks of DAS clients on real servers.
final class DASKillTests: XCTestCase {
    // MARK: Whom they end

    func testEndsTheNamedSessionsAndTellsOfEachAsItWas() async throws {
        try await withDAS { scene, das in
            let (victims, ids) = try await scene.openTwo()
            try await victims.run("SET autocommit=0")
            try await scene.administrator.query("CREATE TABLE IF NOT EXISTS d.rows (id INT) ENGINE=InnoDB")
            try await victims.run("INSERT INTO d.rows VALUES (1)")
            let host = try await scene.shownHost(of: ids[0])
            let created = try das.create([("KillAllSessions", "False"), ("SessionIds", list(ids + [ids[0]]))])
            XCTAssertEqual(created.status, 200, "\(created)")
            XCTAssertEqual(created.body["Code"] as? Int, 200)
            XCTAssertEqual(created.body["Success"] as? Bool, true)
            XCTAssertNotNil(created.text.wholeMatch(of: /[0-9a-f]{32}/))
            let result = try await das.ended(created.text)
            XCTAssertEqual(result.state, "SUCCESS")
            XCTAssertEqual(result.sessions, ids.map { Int($0.rawValue) })
            XCTAssertEqual(result.counts, [2, 0, 0])
            XCTAssertEqual(result.reasons, [ids[0]: "SESSION_KILLED", ids[1]: "SESSION_KILLED"])
            let row = result.rows[0]
            XCTAssertEqual(row["User"] as? String, "app")
            XCTAssertEqual(row["Host"] as? String, host)
            XCTAssertEqual(row["Command"] as? String, "Sleep")
            XCTAssertEqual(row["Active"] as? Bool, true)
            XCTAssertEqual(result.rows[1]["Active"] as? Bool, false)
            XCTAssertNotNil(
                (row["TaskId"] as? String)?.wholeMatch(of: /task_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/))
            await victims.assertNoneAnswers()
        }
    }

    func testEndsAllButThoseOfIgnoredUsersInEitherQuotation() async throws {
        try await withDAS { scene, das in
            for users in ["['app','\(PrivateDatabase.rootUser)']", "[\"app\", \"\(PrivateDatabase.rootUser)\"]"] {
                let victims = try await ClientSessions.open(3, on: scene.server, as: "app2")
                let ids = await victims.threadIDs
                let created = try das.create([("KillAllSessions", "True"), ("IgnoredUsers", users)])
                let result = try await das.ended(created.text)
                XCTAssertEqual(result.state, "SUCCESS", "\(result)")
                XCTAssertEqual(ids.map { result.reasons[$0] }, Array(repeating: "SESSION_KILLED", count: 3))
                let ignored = result.reasons.values.count { $0 == "SESSION_IGNORED_USER" }
                XCTAssertGreaterThanOrEqual(ignored, 11)
                XCTAssertTrue(result.reasons.values.contains("SESSION_INTERNAL_USER_OR_COMMAND"))
                XCTAssertEqual(result.counts.reduce(0, +), result.sessions.count)
                await victims.assertNoneAnswers()
            }
        }
    }

    func testAnIgnoredUsersSessionIsSparedThoughItIsNamed() async throws {
        try await withDAS { scene, das in
            let victims = try await ClientSessions.open(1, on: scene.server, as: "app2")
            let (ignored, ids) = try await scene.openTwo()
            let all = list(await victims.threadIDs + ids)
            let created = try das.create([
                ("KillAllSessions", "false"), ("SessionIds", all), ("IgnoredUsers", "['app']"),
            ])
            let result = try await das.ended(created.text)
            XCTAssertEqual(result.counts, [1, 0, 2])
            await victims.assertNoneAnswers()
            await ignored.assertAllAnswer()
        }
    }

    func testASessionThatTookOverAnIdBetweenLookAndKillIsLeftAlone() async throws {
        try await onEveryServer { server in
            let gate = try KillGate(to: server.database.port, holding: .kill)
            try await withDAS(on: server, configure: { $0.passThrough(gate) }) { scene, das in
                let (victims, ids) = try await scene.openTwo()
                let created = try das.create([("KillAllSessions", "false"), ("SessionIds", list(ids))])
                try await eventually("the KILL") { gate.wasReached }
                try await victims.changeUser(to: "app2", on: 1)
                gate.open(.forward)
                let result = try await das.ended(created.text)
                XCTAssertEqual(result.reasons, [ids[0]: "SESSION_KILLED", ids[1]: "SESSION_EXPIRED"])
                XCTAssertEqual(result.counts, [1, 0, 0])
                let answering = await victims.answering()
                XCTAssertEqual(answering, [ids[1]])
            }
        }
    }

    func testTwoTasksAtOnceOnTheSameSessionsEndThemOnce() async throws {
        try await withDAS { scene, das in
            let victims = try await ClientSessions.open(60, on: scene.server, as: "app2")
            let ids = await victims.threadIDs
            let first = try das.create([("KillAllSessions", "false"), ("SessionIds", list(Array(ids[..<40])))])
            let second = try das.create([("KillAllSessions", "false"), ("SessionIds", list(Array(ids[20...])))])
            let results = (try await das.ended(first.text), try await das.ended(second.text))
            let killed = results.0.counts[0] + results.1.counts[0]
            // A session whose KILL both had sent before it was gone may have died of either.
            XCTAssertTrue((60...80).contains(killed), "\(results)")
            XCTAssertEqual(results.0.counts[1] + results.1.counts[1], 0)
            await victims.assertNoneAnswers()
        }
    }

    // MARK: As whom

    func testARefusedLoginKillsNobodyAndSaysSoOfEverySession() async throws {
        try await withDAS { scene, das in
            let (victims, ids) = try await scene.openTwo()
            let kills = try await scene.killsRun()
            for (user, password) in [(DASScene.killer, "wrong"), ("nobody", DASScene.killersPassword)] {
                let created = try das.create(
                    [("KillAllSessions", "false"), ("SessionIds", list(ids))], as: user, password: password)
                let result = try await das.ended(created.text)
                XCTAssertEqual(result.state, "FAILURE")
                XCTAssertEqual(result.reasons, [ids[0]: "SESSION_ACCOUNT_ERROR", ids[1]: "SESSION_ACCOUNT_ERROR"])
                XCTAssertEqual(result.counts, [0, 2, 0])
            }
            try await scene.assertKillsRun(0, since: kills)
            await victims.assertAllAnswer()
        }
    }

    func testALoginWithoutTheRightEndsItsOwnSessionsOnly() async throws {
        try await withDAS { scene, das in
            let own = try await ClientSessions.open(2, on: scene.server, as: "app2")
            let (others, ids) = try await scene.openTwo()
            let created = try das.create(
                [("KillAllSessions", "false"), ("SessionIds", list(await own.threadIDs + ids))], as: "app2",
                password: RealServer.password)
            let result = try await das.ended(created.text)
            XCTAssertEqual(result.state, "SUCCESS")
            XCTAssertEqual(result.counts, [2, 2, 0])
            XCTAssertEqual(ids.map { result.reasons[$0] }, ["SESSION_NO_PERMISSION", "SESSION_NO_PERMISSION"])
            await own.assertNoneAnswers()
            await others.assertAllAnswer()
            let next = try das.create(
                [("KillAllSessions", "false"), ("SessionIds", list(ids))], as: "app2", password: RealServer.password)
            let failed = try await das.ended(next.text)
            XCTAssertEqual(failed.state, "FAILURE")
            await others.assertAllAnswer()
        }
    }

    func testKilldsOwnAccountEndsSessionsForWhoAsksForThat() async throws {
        try await withDAS(configure: {
            $0.instances[0].protectedUsers = ["app", PrivateDatabase.rootUser]
        }) { scene, das in
            let victims = try await ClientSessions.open(2, on: scene.server, as: "app2")
            let ids = await victims.threadIDs
            let created = try das.call(
                "CreateKillInstanceSessionTaskWithMaintainUser",
                [("KillAllSessions", "false"), ("SessionIds", list([ids[0]]))])
            let one = try await das.ended(created.text)
            XCTAssertEqual(one.counts, [1, 0, 0])
            let all = try das.call("KillInstanceAllSession")
            XCTAssertEqual(all.body["Code"] as? String, "200")
            XCTAssertEqual(all.body["Success"] as? String, "true")
            let result = try await das.ended(all.text)
            XCTAssertEqual(result.reasons[ids[1]], "SESSION_KILLED")
            await victims.assertNoneAnswers()
        }
    }

    // MARK: What is refused

    func testBadParametersKillNobody() async throws {
        try await withDAS { scene, das in
            let (victims, ids) = try await scene.openTwo()
            let kills = try await scene.killsRun()
            let wrapping = UInt64(ids[0].rawValue) + 4_294_967_296
            let named = ("SessionIds", list(ids))
            let cases: [[DASRequest.Pair]] = [
                [("KillAllSessions", "false")], [("KillAllSessions", "false"), ("SessionIds", "[]")],
                [("KillAllSessions", "false"), ("SessionIds", "[\(wrapping)]")],
                [("KillAllSessions", "false"), ("SessionIds", "[\(ids[0]),]")],
                [("KillAllSessions", "false"), ("SessionIds", "\(ids[0])")],
                [("KillAllSessions", "false"), named, ("IgnoredUsers", "app")],
                [("KillAllSessions", "false"), named, ("NodeId", "pi-1")],
                [("KillAllSessions", "true"), ("IgnoredUsers", "['app'")],
            ]
            for parameters in cases {
                let answer = try das.create(parameters)
                XCTAssertEqual(answer.status, 400, "\(parameters): \(answer)")
                XCTAssertEqual(answer.code, "InvalidParams", "\(parameters): \(answer)")
            }
            // Sent blank they would spare nobody, or end the sessions of every node.
            for name in ["IgnoredUsers", "NodeId", "IgnoredUser"] {
                let answer = try das.create([("KillAllSessions", "true"), (name, "")])
                XCTAssertEqual([answer.status.description, answer.code], ["400", "Invalid\(name)"], "\(answer)")
            }
            for users in [" ", "['']", "[' ']", "['app',' ']"] {
                XCTAssertEqual(
                    try das.create([("KillAllSessions", "true"), ("IgnoredUsers", users)]).code, "InvalidParams", users)
            }
            XCTAssertEqual(try das.create([named]).code, "MissingKillAllSessions")
            XCTAssertEqual(try das.create([named, ("KillAllSessions", "yes")]).code, "InvalidKillAllSessions")
            let unknown = try DASClient(killd: scene.killd, instance: "rm-none").create([("KillAllSessions", "true")])
            XCTAssertEqual([unknown.status.description, unknown.code], ["400", "InvalidParams"])
            try await scene.assertKillsRun(0, since: kills)
            await victims.assertAllAnswer()
        }
    }

    func testAnAccountDoesWhatItMayAndIsToldOfItsOwnTasksOnly() async throws {
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        try await withDAS(
            on: server,
            configure: { configuration in
                var reader = KilldConfiguration.Account(name: "reader")
                reader.may = ["list"]
                var killer = KilldConfiguration.Account(name: "killer")
                killer.may = ["prepare", "commit"]
                var stranger = KilldConfiguration.Account(name: "stranger")
                stranger.instances = ["rm-other"]
                configuration.accounts += [reader, killer, stranger]
                configuration.instances.append(configuration.instances[0])
                configuration.instances[1].id = "rm-other"
            }
        ) { scene, das in
            func client(_ name: String, _ instance: String = "cdb-test") -> DASClient {
                DASClient(killd: scene.killd, account: .init(name: name), instance: instance)
            }
            let (victims, ids) = try await scene.openTwo()
            let parameters: [DASRequest.Pair] = [("KillAllSessions", "false"), ("SessionIds", list([ids[0]]))]
            var answer = try client("reader").create(parameters)
            XCTAssertEqual([answer.status.description, answer.code], ["403", "NoPermission"])
            answer = try client("killer").call("GetMySQLAllSessionAsync")
            XCTAssertEqual([answer.status.description, answer.code], ["403", "NoPermission"])
            answer = try client("stranger").create(parameters)
            XCTAssertEqual([answer.status.description, answer.code], ["400", "InvalidParams"])

            // With a login that is refused, a task of all sessions is no list of them.
            let failing: [DASRequest.Pair] = [("KillAllSessions", "true"), ("IgnoredUsers", "['app2']")]
            for (name, seesUsers) in [("killer", false), ("ci", true)] {
                let task = try client(name).create(failing, password: "wrong").text
                let result = try await client(name).ended(task)
                XCTAssertEqual(result.state, "FAILURE")
                XCTAssertGreaterThanOrEqual(result.counts[1], ids.count)
                XCTAssertTrue(ids.allSatisfy { result.reasons[$0] == "SESSION_ACCOUNT_ERROR" })
                for column in ["User", "Host", "Command"] {
                    let isBlank = result.rows.allSatisfy { $0[column] as? String == "" }
                    XCTAssertEqual(isBlank, !seesUsers, "\(name): \(column)")
                }
            }

            let task = try client("killer").create(parameters).text
            let result = try await client("killer").ended(task)
            XCTAssertEqual(result.counts, [1, 0, 0])
            XCTAssertEqual(result.rows.map { $0["User"] as? String }, ["app"])
            for other in [das, client("killer", "rm-other")] {
                answer = try other.result(task)
                XCTAssertEqual([answer.status.description, answer.code], ["404", "TaskNotFound"])
            }
            let listing = try das.call("GetMySQLAllSessionAsync").data["ResultId"] as? String ?? ""
            for other in [client("reader"), DASClient(killd: scene.killd, instance: "rm-other")] {
                answer = try other.call("GetMySQLAllSessionAsync", [("ResultId", listing)])
                XCTAssertEqual([answer.status.description, answer.code], ["404", "ResultNotFound"])
            }
            let answering = await victims.answering()
            XCTAssertEqual(answering, [ids[1]])
        }
    }
}
