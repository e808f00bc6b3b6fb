import Foundation
import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// killd with `tls`, as its clients meet it.
final class HTTPSTests: XCTestCase {
    func testThePythonSDKKillsInTwoStagesOverHTTPS() async throws {
        try OfficialClients.require()
        let made = try TestCertificates()
        try await withKilld(configure: { $0.tls = .init(made.server) }) { scene in
            XCTAssertTrue(scene.killd.endpoint.hasPrefix("https://127.0.0.1:"), scene.killd.endpoint)
            let victims = try await ClientSessions.open(2, on: scene.server)
            let ids = await victims.threadIDs.map(\.description)
            try await OfficialClients.run(
                "sdk_kill.py", ["--threads"] + ids, scene, trusting: made.authority.certificate)
            await victims.assertNoneAnswers()
        }
    }

    func testTheCommandsSpeakHTTPSAndTrustOnlyTheAuthority() async throws {
        let made = try TestCertificates()
        try await withKilld(configure: { $0.tls = .init(made.server) }) { scene in
            let victims = try await ClientSessions.open(1, on: scene.server)
            let ids = await victims.threadIDs.map(\.description)
            func run(_ words: [String], _ options: [String]) async throws -> FinishedProgram {
                let instance = words[0] == "history" ? [] : ["--instance", "cdb-test"]
                return try await KilldProcess.run(
                    words + instance + ["--endpoint", scene.killd.endpoint] + options,
                    environment: scene.killd.credentials())
            }
            let ca = ["--ca", made.authority.certificate]
            let sessions = try await run(["sessions", "--limit", "10000"], ca)
            XCTAssertTrue(sessions.output.contains("\n\(ids[0]) "), sessions.output + sessions.error)
            let prepared = try await run(["prepare"] + ids, ca)
            let ticket = try XCTUnwrap(prepared.output.split(whereSeparator: \.isWhitespace).last.map(String.init))
            let committed = try await run(["commit", ticket], ca)
            XCTAssertEqual(committed.output, "Ended: \(ids[0])\n", committed.error)
            await victims.assertNoneAnswers()

            for (options, says) in [
                ([], "TLS: certificate verify failed"), (["--ca", made.server.key], "--ca: the file "),
                (["--ca", made.file("none")], "No such file or directory"),
            ] {
                let refused = try await run(["history"], options)
                XCTAssertEqual(refused.status, 1)
                XCTAssertEqual(refused.output, "")
                XCTAssertTrue(refused.error.contains(says), refused.error)
            }
        }
    }

    func testClientsWithoutACertificateOfTheAuthorityAreCutOff() async throws {
        let made = try TestCertificates()
        var configuration = KilldConfiguration(port: try PrivateDatabase.freePort())
        configuration.tls = .init(made.server)
        configuration.tls?.clientCA = made.authority.certificate
        let killd = try await KilldProcess.start(configuration)
        func history(_ options: [String]) async throws -> FinishedProgram {
            try await KilldProcess.run(
                ["history", "--endpoint", killd.endpoint, "--ca", made.authority.certificate] + options,
                environment: killd.credentials())
        }
        let known = try made.make("client")
        let answered = try await history(["--certificate", known.certificate, "--private-key", known.key])
        XCTAssertEqual(answered.status, 0, answered.error)
        let stranger = try made.make("stranger", isIssued: false)
        for options in [[], ["--certificate", stranger.certificate, "--private-key", stranger.key]] {
            let refused = try await history(options)
            XCTAssertEqual(refused.status, 1)
            XCTAssertTrue(refused.error.contains("TLS: "), refused.error)
        }
        try await eventually("the reason in the log") { try killd.log.contains("peer did not return a certificate") }
        try await killd.stop()
    }

    func testAMistakeIsNamedBeforeAnythingListens() async throws {
        let made = try TestCertificates()
        var configuration = KilldConfiguration(port: try PrivateDatabase.freePort())
        configuration.tls = .init(made.server)
        configuration.tls?.privateKey = made.authority.key
        let folder = try TestFolder()
        let file = try folder.write(JSONEncoder().encode(configuration), to: "killd.json")
        for command in ["serve", "check"] {
            let refused = try await KilldProcess.run([command, "--config", file])
            XCTAssertEqual(refused.status, 1)
            XCTAssertEqual(refused.output, "")
            XCTAssertTrue(refused.error.contains("tls.privateKey: the key in the file "), refused.error)
        }
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: folder.path), ["killd.json"])

        configuration.tls = .init(try made.makeExpired())
        try folder.write(JSONEncoder().encode(configuration), to: "killd.json")
        let checked = try await KilldProcess.run(["check", "--config", file])
        XCTAssertTrue(checked.output.contains("warning  tls: the certificate in "), checked.output + checked.error)
    }
}
