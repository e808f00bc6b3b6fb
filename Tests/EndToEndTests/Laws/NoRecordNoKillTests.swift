import CSQLite
import Foundation
import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// Law 1: whatever keeps killd from writing down what it is about to do.
final class NoRecordNoKillTests: XCTestCase {
    func testAFullDisk() async throws {
        let disk = try await SmallDisk.mount()
        try await assertNothingIsKilled(store: "\(disk.path)/killd.sqlite") { _, attempt in
            try disk.fill()
            try await attempt()
            try disk.makeRoom()
        }
    }

    func testAStoreThatAnotherProgramHolds() async throws {
        try await assertNothingIsKilled { scene, attempt in
            let holder = try LockedDatabase(scene.killd.storeFile)
            try await attempt()
            holder.unlock()
        }
    }

    func testADiskThatCannotSync() async throws {
        try await assertNothingIsKilled { scene, attempt in
            let fault = try await InjectedFault(
                "error=EIO", in: "fdatasync", onThreads: "store", of: scene.killd)
            try await attempt()
            try await fault.remove()
        }
    }

    func testADiskThatCannotWrite() async throws {
        try await assertNothingIsKilled { scene, attempt in
            let fault = try await InjectedFault(
                "error=EIO", in: "pwrite64", onThreads: "store", of: scene.killd)
            try await attempt()
            try await fault.remove()
        }
    }

    func testAStoreThatWasMovedAway() async throws {
        for names in [[""], ["-wal"], ["", "-wal", "-shm"]] {
            try await assertNothingIsKilled { scene, attempt in
                let files = names.map { scene.killd.storeFile + $0 }
                for file in files { try FileManager.default.moveItem(atPath: file, toPath: file + ".moved") }
                try await attempt()
                for file in files { try FileManager.default.moveItem(atPath: file + ".moved", toPath: file) }
            }
        }
    }

    func testAStoreThatWasReplacedByACopy() async throws {
        try await assertNothingIsKilled { scene, attempt in
            let file = scene.killd.storeFile
            try FileManager.default.moveItem(atPath: file, toPath: file + ".moved")
            try FileManager.default.copyItem(atPath: file + ".moved", toPath: file)
            try await attempt()
            try FileManager.default.removeItem(atPath: file)
            try FileManager.default.moveItem(atPath: file + ".moved", toPath: file)
        }
    }

    func testAStoreThatWasDeleted() async throws {
        try await withKilld { scene in
            let (victims, planned, ticket) = try await scene.prepareTwo()
            let killsBefore = try await scene.killsRun()
            for name in ["", "-wal", "-shm"] {
                try FileManager.default.removeItem(atPath: scene.killd.storeFile + name)
            }
            assertRefused(try scene.client.commit(ticket), "FailedOperation", "could not be recorded")
            assertRefused(try scene.client.prepare(planned), "FailedOperation", "could not be recorded")
            try await scene.assertKillsRun(0, since: killsBefore)
            await victims.assertAllAnswer()

            // With a new store, which knows nothing of the plan.
            try await scene.killd.stop()
            try await scene.killd.start()
            assertRefused(try scene.client.commit(ticket), "ResourceNotFound")
            await victims.assertAllAnswer()
            XCTAssertEqual(try scene.client.commit(scene.client.prepare(planned).ticket()).Threads, planned)
            await victims.assertNoneAnswers()
        }
    }

    /// Prepares, has `hindrance` attempt a Commit while the store cannot be written, and commits once it can.
    private func assertNothingIsKilled(
        store: String = "killd.sqlite", file: StaticString = #filePath, line: UInt = #line,
        while hindrance: (_ scene: Scene, _ attempt: () async throws -> Void) async throws -> Void
    ) async throws {
        try await withKilld(configure: { $0.store = store }, file: file, line: line) { scene in
            let (victims, planned, ticket) = try await scene.prepareTwo()
            let killsBefore = try await scene.killsRun()
            try await hindrance(scene) {
                assertRefused(
                    try scene.client.commit(ticket), "FailedOperation", "could not be recorded", file: file, line: line)
                try await scene.assertKillsRun(0, since: killsBefore, file: file, line: line)
                await victims.assertAllAnswer(file: file, line: line)
            }
            XCTAssertEqual(try scene.client.commit(ticket).Threads, planned, file: file, line: line)
            try await scene.assertKillsRun(planned.count, since: killsBefore, file: file, line: line)
            await victims.assertNoneAnswers(file: file, line: line)
        }
    }
}

/// Another program's transaction on a database, in which it means to write.
private final class LockedDatabase {
    private var handle: OpaquePointer?

    init(_ path: String) throws {
        XCTAssertEqual(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE, nil), SQLITE_OK)
        XCTAssertEqual(sqlite3_exec(handle, "BEGIN IMMEDIATE", nil, nil, nil), SQLITE_OK)
    }

    deinit { unlock() }

    func unlock() {
        sqlite3_close_v2(handle)
        handle = nil
    }
}
