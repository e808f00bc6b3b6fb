import Foundation
import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// The commands, as somebody at a terminal or a script uses them.
final class CommandTests: XCTestCase {
    func testLeadFromNothingToEndedSessions() async throws {
        try await onEveryServer { server in
            let bystanders = try await Bystanders.open(on: server)
            let victims = try await ClientSessions.open(2, on: server)
            let planned = await victims.threadIDs
            let folder = try TestFolder()
            let file = folder.file("killd.json")

            let written = try await KilldProcess.run(["init", "--output", file])
            XCTAssertEqual(written.status, 0, written.error)
            let again = try await KilldProcess.run(["init", "--output", file])
            XCTAssertEqual(again.status, 1, "a configuration was overwritten")

            let starter = try folder.text(of: "killd.json")
            let edited = starter.replacing("3306", with: "\(server.database.port)")
                .replacing("127.0.0.1:8155", with: "127.0.0.1:0")
            try folder.write(Data(edited.utf8), to: "killd.json")
            var environment = ["KILLD_MYSQL_PASSWORD": RealServer.password]
            let check = try await KilldProcess.run(["check", "--config", file], environment: environment)
            XCTAssertEqual(check.status, 0, check.output + check.error)

            let serve = try RunningProgram(
                KilldProcess.path, ["serve", "--config", file], environment: environment)
            let endpoint = try await KilldProcess.endpoint(of: serve)
            let configuration = try JSONDecoder().decode(StarterConfiguration.self, from: Data(edited.utf8))
            let account = try XCTUnwrap(configuration.accounts.first)
            environment = [
                "TENCENTCLOUD_SECRET_ID": account.secretId, "TENCENTCLOUD_SECRET_KEY": account.secretKey,
            ]
            func client(_ command: String, _ words: [String], json: Bool = false) async throws -> FinishedProgram {
                let options = ["--endpoint", endpoint, "--instance", "cdb-local001"] + (json ? ["--json"] : [])
                return try await KilldProcess.run([command] + options + words, environment: environment)
            }

            let table = try await client("sessions", ["--limit", "10000"])
            let ids = table.output.split(separator: "\n").dropFirst().compactMap { $0.split(separator: " ").first }
            XCTAssertTrue(planned.allSatisfy { ids.contains(Substring($0.description)) }, table.output)
            let sessions = try await client("sessions", ["--limit", "1"], json: true)
            XCTAssertEqual(try self.answer(sessions).ProcessList?.count, 1)

            let prepared = try await client("prepare", [planned[0].description])
            XCTAssertEqual(prepared.status, 0, prepared.error)
            let ticket = try XCTUnwrap(prepared.output.split(whereSeparator: \.isWhitespace).last.map(String.init))
            XCTAssertEqual(prepared.output, "SqlExecId  \(ticket)\n")
            func show(_ plan: String, json: Bool = false) async throws -> FinishedProgram {
                try await KilldProcess.run(
                    ["show", "--endpoint", endpoint] + (json ? ["--json"] : []) + [plan], environment: environment)
            }
            let plan = try await show(ticket)
            XCTAssertEqual(plan.status, 0, plan.error)
            XCTAssertTrue(plan.output.contains("prepared; can be committed until "), plan.output)
            let row = try XCTUnwrap(plan.output.split(separator: "\n").first { $0.hasPrefix("\(planned[0]) ") })
            XCTAssertTrue(row.contains(" app "), plan.output)
            let shown = try self.answer(await show(ticket, json: true))
            let name = try XCTUnwrap(shown.Plan?.PlanName)
            XCTAssertTrue(plan.output.contains(name), plan.output)

            for _ in 0..<2 {
                let committed = try await client("commit", [ticket])
                XCTAssertEqual(committed.output, "Ended: \(planned[0])\n", committed.error)
                XCTAssertEqual(committed.status, 0)
            }
            let answering = await victims.answering()
            XCTAssertEqual(answering, [planned[1]])
            let ended = try await show(name)
            XCTAssertTrue(ended.output.contains("killed"), ended.output)
            XCTAssertFalse(ended.output.contains(ticket), ended.output)
            let history = try await client("history", ["--limit", "1"])
            XCTAssertEqual(history.output.split(separator: "\n").count, 2, history.output)
            XCTAssertTrue(history.output.contains("\(name) ") && history.output.contains("1 killed"), history.output)
            let listed = try self.answer(await client("history", [], json: true))
            XCTAssertEqual(listed.Plans?.map(\.PlanName), [name])

            let preparedJSON = try self.answer(await client("prepare", [planned[1].description], json: true))
            XCTAssertEqual(preparedJSON.Threads, [])
            let committedJSON = try self.answer(await client("commit", [XCTUnwrap(preparedJSON.SqlExecId)], json: true))
            XCTAssertEqual(committedJSON.Threads, [planned[1]])
            await victims.assertNoneAnswers()

            let nobody = try await client("prepare", ["4000000000"])
            let nobodysTicket = try XCTUnwrap(nobody.output.split(whereSeparator: \.isWhitespace).last.map(String.init))
            let nothing = try await client("commit", [nobodysTicket])
            XCTAssertEqual(nothing.output, "No session was ended.\nNot ended: 4000000000 (gone)\n")
            XCTAssertEqual(nothing.status, 0)

            await bystanders.assertAllAnswer()
            serve.send(SIGTERM)
            let status = try await serve.end()
            XCTAssertEqual(status, 0)
        }
    }

    func testExitStatusTellsRefusedFromWrongUsage() async throws {
        let killd = try await KilldProcess.start(KilldConfiguration(port: PrivateDatabase.freePort()))
        let nowhere = try "http://127.0.0.1:\(PrivateDatabase.freePort())"
        let instance = ["--instance", "cdb-test"]
        let cases: [(words: [String], endpoint: String, status: Int32, says: String)] = [
            (["commit"] + instance + ["AEnnKexGijsX"], killd.endpoint, 1, "ResourceNotFound"),
            (["prepare"] + instance + ["1"], killd.endpoint, 1, "FailedOperation"),
            (["sessions", "--instance", "cdb-other"], killd.endpoint, 1, "InstanceId is invalid"),
            (["sessions", "--secret-key", "wrong"] + instance, killd.endpoint, 1, "AuthFailure.SignatureFailure"),
            (["sessions"] + instance, nowhere, 1, "cannot be reached"),
            (["prepare"] + instance + ["0"], killd.endpoint, 2, "no thread id"),
            (["commit"] + instance, killd.endpoint, 2, "exactly one SqlExecId"),
            (["show"], killd.endpoint, 2, "exactly one plan"),
            (["show", "plan-abcdefghijkl"], killd.endpoint, 1, "ResourceNotFound"),
            (["show", "AEnnKexGijsX"], killd.endpoint, 1, "ResourceNotFound"),
            (["history", "--limit", "many"], killd.endpoint, 2, "--limit: expected a whole number"),
            (["history", "--instance", "cdb-other"], killd.endpoint, 1, "InstanceId is invalid"),
            (["sessions", "--force"] + instance, killd.endpoint, 2, "--force"),
        ]
        for (words, endpoint, status, says) in cases {
            let command = try await KilldProcess.run(
                words + ["--endpoint", endpoint], environment: killd.credentials())
            XCTAssertEqual(command.status, status, "\(words): \(command.error)")
            XCTAssertEqual(command.output, "", "\(words)")
            XCTAssertTrue(command.error.contains(says), "\(words): \(command.error)")
        }
        try await killd.stop()
    }

    func testAMistakeInTheConfigurationIsNamedBeforeAnythingStarts() async throws {
        let valid = String(decoding: try JSONEncoder().encode(KilldConfiguration(port: 3306)), as: UTF8.self)
        let cases = [
            ("{", #"{"force":true,"#, "force: there is no such key"),
            (#""preferred""#, #""always""#, "instances.0.tls: expected one of"),
            (#""list""#, #""lists""#, #"accounts.0.may: "lists" is none of"#),
            ("127.0.0.1:0", "127.0.0.1", "listen: expected HOST:PORT"),
            (#""port":3306"#, #""port":65536"#, "instances.0.port: expected a whole number from 1 to 65535"),
            ("[", "[,", "not JSON: line 1, column "),
        ]
        for (part, replacement, says) in cases {
            let range = try XCTUnwrap(valid.range(of: part), valid)
            let folder = try TestFolder()
            let text = valid.replacingCharacters(in: range, with: replacement)
            let file = try folder.write(Data(text.utf8), to: "killd.json")
            for command in ["serve", "check"] {
                let refused = try await KilldProcess.run([command, "--config", file])
                XCTAssertEqual(refused.status, 1, text)
                XCTAssertEqual(refused.output, "", text)
                XCTAssertTrue(refused.error.contains(says), "\(text)\n\(refused.error)")
            }
            XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: folder.path), ["killd.json"])
        }
    }

    func testTheDemoEndsItsSessionsAndLeavesNothingBehind() async throws {
        _ = try RealServer.shared(.mariadb)
        let folder = try TestFolder()
        let demo = try await KilldProcess.run(["demo"], environment: ["TMPDIR": folder.path])
        XCTAssertEqual(demo.status, 0, demo.error)
        let story = [
            "needs `1` more of `1` approvals", "Approved by: `nobody`. Can approve: `alice`.",
            #""Approvals":["alice"]"#, "The planned sessions are dead",
        ]
        var rest = demo.output[...]
        for words in story {
            let place = try XCTUnwrap(rest.range(of: words), "\(words) comes too early, or not at all: \(demo.output)")
            rest = rest[place.upperBound...]
        }
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: folder.path), [])
    }

    func testTheDemoThatIsKeptEndsWithCtrlCAndLeavesNothingBehind() async throws {
        _ = try RealServer.shared(.mariadb)
        let folder = try TestFolder()
        let demo = try RunningProgram(
            KilldProcess.path, ["demo", "--keep"], environment: ["TMPDIR": folder.path])
        try await eventually("the end of the story") {
            try demo.output.contains("keep running") || !demo.isRunning
        }
        demo.send(SIGINT)
        let status = try await demo.end()
        XCTAssertEqual(status, 0)
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: folder.path), [])
    }

    private struct StarterConfiguration: Decodable {
        struct Account: Decodable {
            let secretId: String
            let secretKey: String
        }
        let accounts: [Account]
    }

    /// What a command printed with `--json`, of whichever action.
    private struct Answer: Decodable {
        struct Process: Decodable { let ID: String }
        let ProcessList: [Process]?
        struct Plan: Decodable { let PlanName: String }
        let Threads: [ThreadID]?
        let SqlExecId: String?
        let Plan: Plan?
        let Plans: [Plan]?
    }

    private func answer(_ command: FinishedProgram) throws -> Answer {
        XCTAssertEqual(command.status, 0, command.error)
        let envelope = try JSONDecoder().decode([String: Answer].self, from: Data(command.output.utf8))
        return try XCTUnwrap(envelope["Response"], command.output)
    }
}
