import Foundation
import TestSupport
import XCTest

/// `killd stand-in`, by clients that know nothing of it.
final class StandInTests: XCTestCase {
    /// Ten sessions of `app`, eight of `app2` and one more; and an account by which clients of DAS kill.
    private static let seed: String = {
        let sessions =
            (101...110).map { #"{"id":\#($0),"user":"app"}"# }
            + (201...209).map {
                #"{"id":\#($0),"user":"app2"}"#
            }
        return """
            {"instances":[{"id":"cdb-test","sessions":[\(sessions.joined(separator: ","))],
              "server":{"users":[{"name":"killd","password":"\(password)","may":["PROCESS","CONNECTION_ADMIN"]}]}}]}
            """
    }()
    private static let password = "a password of the seed"

    private func withSeed(_ seed: String = StandInTests.seed, _ body: (String) async throws -> Void) async throws {
        let folder = try TestFolder()
        try await body(try folder.write(Data(seed.utf8), to: "seed.json"))
    }

    func testTheOfficialSDKPreparesAndCommitsAndItsBystandersStay() async throws {
        try OfficialClients.require()
        try await withSeed { seed in
            let standIn = try await StandInProcess.start(["--seed", seed])
            try await OfficialClients.run(
                "sdk_kill.py",
                ["--endpoint", standIn.ready.endpoint, "--instance", "cdb-test", "--threads", "201", "202"],
                standIn.environment())
            let left = try await standIn.sessions(of: "cdb-test")
            XCTAssertEqual(left, Set(101...110).union(203...209))
        }
    }

    func testTheSDKsOfDASListAndKillSessions() async throws {
        try OfficialClients.require()
        try await withSeed { seed in
            // The programs poll without a pause.
            let standIn = try await StandInProcess.start(["--seed", seed, "--loose", "rate-limit"])
            let threads = (201...208).map(String.init)
            try await OfficialClients.run(
                "das_sessions.py",
                ["--endpoint", standIn.ready.das, "--instance", "cdb-test", "--user", "killd", "--ignored-user", "app"]
                    + ["--threads"] + threads,
                [
                    "ALIBABA_CLOUD_ACCESS_KEY_ID": "AKIDstandin-das",
                    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": standIn.ready.secretKey,
                    "KILLD_DATABASE_PASSWORD": Self.password,
                ])
            let left = try await standIn.sessions(of: "cdb-test", key: "AKIDstandin-das")
            XCTAssertEqual(left, Set(101...110))
            let elsewhere = try await standIn.sessions(of: "cdb-test")
            XCTAssertEqual(elsewhere, Set(101...110).union(201...209))
        }
    }

    func testWorldsAndProcessesDoNotSeeEachOther() async throws {
        try await withSeed { seed in
            let (one, other) = (
                try await StandInProcess.start(["--seed", seed]), try await StandInProcess.start(["--seed", seed])
            )
            XCTAssertNotEqual(one.ready.endpoint, other.ready.endpoint)
            let prepared = try await one.killd(
                "prepare", ["--instance", "cdb-test", "201", "--json"], key: "AKIDstandin-a")
            XCTAssertEqual(prepared.status, 0, prepared.error)
            let ticket = try XCTUnwrap(prepared.output.firstMatch(of: /"SqlExecId": ?"([^"]+)"/)?.1)
            for (server, key) in [(one, "AKIDstandin-b"), (one, "AKIDstandin"), (other, "AKIDstandin-a")] {
                let refused = try await server.killd("commit", ["--instance", "cdb-test", String(ticket)], key: key)
                XCTAssertEqual(refused.status, 1, key)
            }
            let committed = try await one.killd(
                "commit", ["--instance", "cdb-test", String(ticket)], key: "AKIDstandin-a")
            XCTAssertEqual(committed.status, 0, committed.error)
            let own = try await one.sessions(of: "cdb-test", key: "AKIDstandin-a")
            XCTAssertFalse(own.contains(201))
            for (server, key) in [(one, "AKIDstandin-b"), (one, "AKIDstandin"), (other, "AKIDstandin-a")] {
                let all = try await server.sessions(of: "cdb-test", key: key)
                XCTAssertTrue(all.contains(201), key)
            }
        }
    }

    func testWithoutASeedThereIsAnInstanceWithSessions() async throws {
        let standIn = try await StandInProcess.start()
        XCTAssertEqual(standIn.ready.instance, "cdb-standin")
        XCTAssertEqual(standIn.ready.secretId, "AKIDstandin")
        let sessions = try await standIn.sessions(of: "cdb-standin")
        XCTAssertGreaterThan(sessions.count, 3)
    }

    func testItSaysOnceThatItKillsNobodyAndEndsAtOnceBySignal() async throws {
        for signal in [SIGTERM, SIGINT] {
            let standIn = try await StandInProcess.start()
            let status = try await standIn.end(signal)
            XCTAssertEqual(status, 0)
            let error = try standIn.error
            XCTAssertEqual(error.ranges(of: "kills nobody").count, 1, error)
        }
    }

    func testTheReadyFileHasTheReadyLineAndTakesThePlaceOfAnEarlierOne() async throws {
        let folder = try TestFolder()
        let file = try folder.write(Data("of before".utf8), to: "ready.json")
        let standIn = try await StandInProcess.start(["--ready-file", file])
        XCTAssertEqual(try folder.text(of: "ready.json"), try standIn.output)
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: folder.path), ["ready.json"])
        let inVain = try await FinishedProgram.run(
            KilldProcess.path, ["stand-in", "--ready-file", folder.file("none/ready.json")])
        XCTAssertEqual(inVain.status, 1)
        XCTAssertTrue(inVain.error.contains("none/ready.json"), inVain.error)
        XCTAssertEqual(inVain.output, "")
    }

    func testWhatIsLooseIsSaidTwiceAndAClientThatCannotSignPasses() async throws {
        let standIn = try await StandInProcess.start(["--loose", "signature", "--loose", "rate-limit"])
        XCTAssertEqual(standIn.ready.loose, ["rate-limit", "signature"])
        for name in ["signature", "rate-limit"] {
            XCTAssertEqual(try standIn.error.ranges(of: "--loose \(name):").count, 1)
        }
        var environment = standIn.environment()
        environment["TENCENTCLOUD_SECRET_KEY"] = "a key of nobody's"
        let arguments = ["sessions", "--endpoint", standIn.ready.endpoint, "--instance", "cdb-standin"]
        let listed = try await FinishedProgram.run(KilldProcess.path, arguments, environment: environment)
        XCTAssertEqual(listed.status, 0, listed.error)
        let strict = try await StandInProcess.start()
        XCTAssertNil(strict.ready.loose)
        let refused = try await FinishedProgram.run(
            KilldProcess.path, ["sessions", "--endpoint", strict.ready.endpoint, "--instance", "cdb-standin"],
            environment: environment)
        XCTAssertEqual(refused.status, 1)
        XCTAssertTrue(refused.error.contains("AuthFailure.SignatureFailure"), refused.error)
    }

    // MARK: Refusals

    private func refusal(_ arguments: [String], status: Int32) async throws -> String {
        let program = try await FinishedProgram.run(KilldProcess.path, arguments, within: .seconds(10))
        XCTAssertEqual(program.status, status, "\(arguments): \(program.error)")
        XCTAssertEqual(program.output, "", "\(arguments)")
        return program.error
    }

    func testWordsThatItDoesNotKnowAreRefused() async throws {
        let loose = try await refusal(["stand-in", "--loose", "everything"], status: 2)
        XCTAssertTrue(loose.contains("expected one of signature, signature-time, rate-limit"), loose)
        let port = try await refusal(["stand-in", "--port", "65536"], status: 2)
        XCTAssertTrue(port.contains("expected a port from 0 to 65535"), port)
        let configuration = try await refusal(["stand-in", "--config", "killd.json"], status: 2)
        XCTAssertTrue(configuration.contains("killd serve --config FILE"), configuration)
    }

    func testASeedThatIsWrongIsRefusedByItsPlace() async throws {
        let wrong: [(String, [String])] = [
            ("{", ["seed.json"]), (#"{"instances":[]}"#, ["instances", "expected"]),
            (
                #"{"instances":[{"id":"cdb-a","sessions":[{"id":1,"user":"a"},{"id":1,"user":"b"}]}]}"#,
                ["1].id", "twice"]
            ),
            (
                #"{"instances":[{"id":"cdb-a","sessions":[{"id":1,"user":"a","behaviour":"flies"}]}]}"#,
                ["instances[0].sessions[0].behaviour", "expected one of", "flies"]
            ),
        ]
        for (seed, words) in wrong {
            try await withSeed(seed) { file in
                let error = try await refusal(["stand-in", "--seed", file], status: 1)
                for word in words + [file] { XCTAssertTrue(error.contains(word), "\(word): \(error)") }
            }
        }
        let missing = try await refusal(["stand-in", "--seed", "/nowhere/seed.json"], status: 1)
        XCTAssertTrue(missing.contains("/nowhere/seed.json"), missing)
    }

    func testKilldServesNobodyWithTheKeysThatEverybodyKnows() async throws {
        let accounts = [
            (#""secretId":"AKIDstandin","secretKey":"SK""#, "accounts.0.secretId"),
            (#""secretId":"AKIDstandin-ci.bob","secretKey":"SK""#, "accounts.0.secretId"),
            (#""secretId":"AKIDci","secretKey":"standin-secret-key-kills-nobody""#, "accounts.0.secretKey"),
        ]
        for (keys, place) in accounts {
            let configuration = """
                {"listen":"127.0.0.1:0","accounts":[{"name":"ci","uin":"1",\(keys),"may":["*"],"instances":["*"]}],
                 "instances":[{"id":"cdb-1","host":"127.0.0.1","user":"killd"}]}
                """
            try await withSeed(configuration) { file in
                for command in ["serve", "check"] {
                    let error = try await refusal([command, "--config", file], status: 1)
                    XCTAssertTrue(error.contains(place), error)
                    XCTAssertTrue(error.contains("killd stand-in"), error)
                    XCTAssertFalse(error.contains("standin-secret-key"), error)
                }
            }
        }
    }
}
