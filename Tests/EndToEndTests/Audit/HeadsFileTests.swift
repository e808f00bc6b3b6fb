import Foundation
import PrivateDatabase
import TestSupport
import XCTest

/// The file of `auditHeads`: a store that is older than it does not start, and nothing is begun without it.
final class HeadsFileTests: XCTestCase {
    /// killd with two plans, stopped; the store as it was between them.
    private func scene(_ folder: TestFolder, _ body: (Scene, _ backup: Data) async throws -> Void) async throws {
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        var configuration = KilldConfiguration(port: server.database.port)
        configuration.auditHeads = folder.file("heads")
        try await withKilld(configuration, on: server) { scene in
            let (victims, planned) = try await scene.openTwo()
            _ = try scene.client.prepare(planned).ticket()
            try await scene.killd.stop()
            let backup = try Data(contentsOf: URL(fileURLWithPath: scene.killd.storeFile))
            try await scene.killd.start()
            _ = try scene.client.prepare(planned).ticket()
            try await scene.killd.stop()
            try await body(scene, backup)
            await victims.assertAllAnswer()
        }
    }

    func testAStoreOlderThanItsHeadsFileDoesNotStartAndCheckSaysSoAndItCanBeAcceptedWhichTheAuditTells() async throws {
        let folder = try TestFolder()
        try await scene(folder) { scene, backup in
            let killd = scene.killd
            let heads = try folder.text(of: "heads").split(separator: "\n").map(String.init)
            XCTAssertTrue(try XCTUnwrap(heads.last).contains(#""audit":5,"#), "\(heads)")
            let fine = try await KilldProcess.run(
                ["audit", "verify", "--config", killd.configurationFile, "--against", folder.file("heads")])
            XCTAssertEqual(fine.status, 0, fine.output)
            XCTAssertTrue(
                fine.output.contains("tail     none: the last entry is known outside this store"), fine.output)

            try backup.write(to: URL(fileURLWithPath: killd.storeFile))
            let words = "it ends at entry 3 of the audit, and \(folder.file("heads")) has entry 5"
            let serve = try await KilldProcess.run(["serve", "--config", killd.configurationFile])
            XCTAssertEqual(serve.status, 1)
            XCTAssertTrue(serve.error.contains(words), serve.error)
            XCTAssertTrue(serve.error.contains("killd serve --accept-rollback"), serve.error)
            XCTAssertEqual(try Data(contentsOf: URL(fileURLWithPath: killd.storeFile)), backup)
            let check = try await KilldProcess.run(["check", "--config", killd.configurationFile])
            XCTAssertEqual(check.status, 1)
            XCTAssertTrue(check.output.contains("PROBLEM  auditHeads: the store is older"), check.output)

            let accepting = try RunningProgram(
                KilldProcess.path, ["serve", "--accept-rollback", "--config", killd.configurationFile])
            _ = try await KilldProcess.endpoint(of: accepting)
            accepting.send(SIGTERM)
            let status = try await accepting.end()
            XCTAssertEqual(status, 0)
            let log = try accepting.error
            XCTAssertTrue(log.contains(#""kind":"rolled-back""#), log)
            let told = try await KilldProcess.run(
                ["audit", "verify", "--config", killd.configurationFile, "--against", folder.file("heads")])
            XCTAssertEqual(told.status, 1)
            XCTAssertTrue(
                told.output.contains("(entry 4 says that killd was started in spite of it)"), told.output)
            // From now on it is the file's store again.
            try await killd.start()
            _ = try scene.client.prepare(await ClientSessions.open(1, on: scene.server).threadIDs).ticket()
        }
    }

    func testAnotherStoreAndATornLineAreToldApart() async throws {
        let folder = try TestFolder()
        try await scene(folder) { scene, _ in
            let killd = scene.killd
            // A power failure in the middle of a line.
            let heads = try folder.text(of: "heads")
            try folder.write(Data((heads + #"{"audit":99,"ha"#).utf8), to: "heads")
            try await killd.start()
            try await killd.stop()
            let lines = try folder.text(of: "heads").split(separator: "\n")
            XCTAssertTrue(
                lines.contains(#"{"audit":99,"ha"#) && lines.last?.hasPrefix(#"{"audit":6,"#) == true, "\(lines)")
            for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: killd.storeFile + suffix) }
            let new = try await KilldProcess.run(["serve", "--config", killd.configurationFile])
            XCTAssertTrue(new.error.contains("it ends at entry 0 of the audit"), new.error)
            try folder.write(Data(heads.replacing(#""store":""#, with: #""store":"0"#).utf8), to: "heads")
            try FileManager.default.removeItem(atPath: killd.storeFile)
            let other = try await AuditScene()
            try FileManager.default.copyItem(atPath: other.store, toPath: killd.storeFile)
            let exchanged = try await KilldProcess.run(["serve", "--config", killd.configurationFile])
            XCTAssertTrue(
                exchanged.error.contains("the store is another one than that of the heads file"), exchanged.error)
            try folder.write(Data("something else\n".utf8), to: "heads")
            let strange = try await KilldProcess.run(["serve", "--config", killd.configurationFile])
            XCTAssertTrue(strange.error.contains("is no file of heads"), strange.error)
            try FileManager.default.removeItem(atPath: folder.file("heads"))
            try await killd.start()
        }
    }

    func testWhileTheHeadsFileCannotBeWrittenNothingIsBegunAndWhatWasBegunIsEnded() async throws {
        let disk = try await SmallDisk.mount()
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        var configuration = KilldConfiguration(port: server.database.port)
        configuration.auditHeads = disk.path + "/heads"
        configuration.operations = KilldConfiguration.Operations()
        try await withKilld(configuration, on: server) { scene in
            let (victims, planned, ticket) = try await scene.prepareTwo()
            try disk.fill()
            // This one is prepared: nobody can know of the full disk before.
            _ = try scene.client.prepare(planned)
            try await eventually("the refusal") { try scene.client.prepare(planned).Error != nil }
            assertRefused(try scene.client.commit(ticket), "FailedOperation", "could not be recorded")
            await victims.assertAllAnswer()
            let log = try scene.killd.log
            XCTAssertTrue(log.contains("the heads file cannot be written"), log)
            try disk.makeRoom()
            try await eventually("a plan again") { try scene.client.prepare(planned).Error == nil }
            let answer = try scene.client.commit(ticket)
            XCTAssertEqual(answer.Threads?.count, 2, "\(answer)")
            try await scene.killd.stop()
            let proven = try await KilldProcess.run(
                ["audit", "verify", "--config", scene.killd.configurationFile, "--against", disk.path + "/heads"])
            XCTAssertTrue(proven.output.contains("tail     none"), proven.output)
        }
    }

    func testEveryEntryIsALineOfTheLogInOrderAlsoAtTheHighestLevel() async throws {
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        var configuration = KilldConfiguration(port: server.database.port)
        configuration.logLevel = "error"
        try await withKilld(configuration, on: server) { scene in
            let (_, _, ticket) = try await scene.prepareTwo()
            XCTAssertNil(try scene.client.commit(ticket).Error)
            try await scene.killd.stop()
            let log = scene.killd.lastLog
            let entries = log.split(separator: "\n").compactMap { $0.firstMatch(of: /"audit":"(\d+)"/)?.1 }.map(
                String.init)
            XCTAssertEqual(entries, ["1", "2", "3", "4", "5"], log)
            let folder = try TestFolder()
            try folder.write(Data(log.utf8), to: "log")
            let proven = try await KilldProcess.run(
                ["audit", "verify", "--config", scene.killd.configurationFile, "--against", folder.file("log")])
            XCTAssertEqual(proven.status, 0, proven.output)
            XCTAssertTrue(proven.output.contains("5 found in 1 file, the last that is on it at 5"), proven.output)
        }
    }
}
