import Foundation
import SessionKill
import StoreContract
import XCTest

@testable import SQLiteStore

final class CrashSafetyTests: StoreTestCase {
    func testACopyTakenWithoutClosingHoldsEveryAcknowledgedWrite() async throws {
        let store = try await openStore()
        for number in 0..<20 { try await store.insert(.example(number)) }
        _ = try await store.claim(PlanName(rawValue: "plan-3"), intending: [.number(101)], at: commit)
        let copy = folder + "/copy.sqlite"
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: path + suffix, toPath: copy + suffix)
        }
        let recovered = try await openStore(copy)
        for number in 0..<20 {
            let stored = try await recovered.plan(with: KillPlan.example(number).sqlExecID)
            XCTAssertEqual(stored?.plan, .example(number))
            XCTAssertEqual(
                stored?.state, number == 3 ? .committing(since: commit, intended: [.number(101)]) : .prepared)
        }
    }

    /// SQLite goes on writing to a file that has no name any more; nobody would find what it wrote.
    func testAStoreWhoseFileIsNotThereAnyMoreWritesNothing() async throws {
        let store = try await openStore()
        try await store.insert(.example(1))
        try FileManager.default.moveItem(atPath: path, toPath: path + ".old")
        let error = try await storeError { try await store.insert(.example(2)) }
        XCTAssertEqual(error.reason, .cannotWrite)
        XCTAssertTrue(error.description.contains("deleted, renamed or replaced"), error.description)
        let claim = try await storeError {
            _ = try await store.claim(KillPlan.example(1).name, intending: [], at: commit)
        }
        XCTAssertEqual(claim.reason, .cannotWrite)

        try FileManager.default.moveItem(atPath: path + ".old", toPath: path)
        try await store.insert(.example(2))
    }

    private static let childVariable = "KILLD_STORE_OF_A_WRITER_TO_BE_KILLED"

    /// Runs itself in a child process, which inserts plans and tells each that
    /// was acknowledged, and kills the child in the midst of it.
    func testAKilledProcessHasLostNoAcknowledgedWrite() async throws {
        if let path = ProcessInfo.processInfo.environment[Self.childVariable] {
            // A killed process cannot tidy up after itself.
            try FileManager.default.removeItem(atPath: folder)
            try await insertWithoutEnd(path: path)
        }
        let child = Process()
        child.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        child.arguments = ["SQLiteStoreTests.CrashSafetyTests/testAKilledProcessHasLostNoAcknowledgedWrite"]
        child.environment = ProcessInfo.processInfo.environment.merging([Self.childVariable: path]) { $1 }
        let output = Pipe()
        child.standardOutput = output
        try child.run()
        let watchdog = DispatchWorkItem { kill(child.processIdentifier, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + 60, execute: watchdog)

        var told = Data()
        while told.count(where: { $0 == UInt8(ascii: "!") }) < 500 {
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { break }
            told.append(more)
        }
        kill(child.processIdentifier, SIGKILL)
        told.append(output.fileHandleForReading.readDataToEndOfFile())
        child.waitUntilExit()
        watchdog.cancel()

        let acknowledged = String(decoding: told, as: UTF8.self).split(separator: "!").compactMap { part in
            part.split(separator: "?").last.flatMap { Int($0) }
        }
        XCTAssertGreaterThanOrEqual(acknowledged.count, 500)
        let store = try await openStore()
        for number in acknowledged {
            let stored = try await store.plan(with: KillPlan.example(number).sqlExecID)
            XCTAssertEqual(stored?.plan, .example(number))
        }
        // Those which were not acknowledged are there whole or not at all.
        let torn = try await store.value(
            "SELECT count(*) FROM plans WHERE (SELECT count(*) FROM threads WHERE plan = plans.id) <> 2")
        XCTAssertEqual(torn, "0")
        let check = try await store.value("PRAGMA integrity_check")
        XCTAssertEqual(check, "ok")
    }

    /// Eight writers; each acknowledged plan is told as `?NUMBER!`.
    private func insertWithoutEnd(path: String) async throws -> Never {
        let store = try await SQLiteStore.open(path: path, at: openingTime)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    var number = writer
                    while true {
                        try await store.insert(.example(number))
                        let line = Array("?\(number)!".utf8)
                        guard write(STDOUT_FILENO, line, line.count) == line.count else { exit(1) }
                        number += 8
                    }
                }
            }
            try await group.waitForAll()
        }
        exit(1)
    }
}
