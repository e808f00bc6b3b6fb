import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// Law 7: killd killed before each system call of a Commit by which it writes to its store, speaks with the database
/// server, or responds.
final class ACrashLosesNothingTests: XCTestCase {
    func testWhileTheStoreIsWritten() async throws {
        try await crashAtEveryCall("pwrite64", ofThread: "store")
    }

    func testWhileTheStoreIsSynced() async throws {
        try await crashAtEveryCall("fdatasync", ofThread: "store")
    }

    func testWhileStatementsAreSent() async throws {
        try await crashAtEveryCall("sendto", ofThread: "mysql", atLeast: 4)
    }

    func testWhileResultsAreReceived() async throws {
        try await crashAtEveryCall("recvfrom", ofThread: "mysql", atLeast: 4)
    }

    func testWhileTheAnswerIsSent() async throws {
        try await crashAtEveryCall("sendto", ofThread: "http")
    }

    func testWhileAPlanIsStored() async throws {
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        try await withKilld(KilldConfiguration(port: server.database.port), on: server) { scene in
            let (sessions, planned) = try await scene.openTwo()
            let killsBefore = try await scene.killsRun()
            for call in ["pwrite64", "fdatasync"] {
                var interrupted = 0
                while try await scene.prepare(planned, crashingBefore: interrupted + 1, call) { interrupted += 1 }
                XCTAssertGreaterThan(interrupted, 0, call)
            }
            try await scene.assertKillsRun(0, since: killsBefore)
            await sessions.assertAllAnswer()
            XCTAssertEqual(try scene.client.commit(scene.client.prepare(planned).ticket()).Threads, planned)
            await sessions.assertNoneAnswers()
        }
    }

    /// Crashes Commits before their first such call, their second, and so on, until one has no more.
    ///
    /// - Parameter least: how many Commits must have been interrupted, or the calls are not those that were meant.
    private func crashAtEveryCall(
        _ call: String, ofThread thread: String, atLeast least: Int = 1, file: StaticString = #filePath,
        line: UInt = #line
    ) async throws {
        // With TLS the client library makes other calls.
        try await withKilld {
            $0.instances[0].tls = "disabled"
        } _: { scene in
            try await scene.administrator.query("CREATE TABLE IF NOT EXISTS d.crashes (id INT)")
            var interrupted = 0
            while try await scene.commit(crashingBefore: interrupted + 1, call, ofThread: thread, file, line) {
                interrupted += 1
            }
            XCTAssertGreaterThanOrEqual(interrupted, least, "on \(scene.server.kind)", file: file, line: line)
        }
    }
}

extension Scene {
    /// Prepares with killd to be killed before one of its system calls, starts it anew, and looks whether the store has
    /// every plan with all of its threads.
    ///
    /// - Returns: whether killd was killed.
    fileprivate func prepare(_ threads: [ThreadID], crashingBefore number: Int, _ call: String) async throws -> Bool {
        let fault = try await InjectedFault("signal=SIGKILL:when=\(number)", in: call, onThreads: "store", of: killd)
        let uninterrupted = try? client.prepare(threads)
        if uninterrupted == nil {
            killd.kill()
            try await killd.start()
        } else {
            try await fault.remove()
        }
        let counts = try StoreReader(killd.storeFile).integers(
            "SELECT (SELECT count(*) FROM threads WHERE plan = plans.id) FROM plans")
        XCTAssertTrue(counts.allSatisfy { $0 == threads.count }, "before \(call) \(number): \(counts)")
        return uninterrupted == nil
    }

    /// Commits a plan with killd to be killed before one of its system calls, and commits it again with a killd that
    /// was started anew.
    ///
    /// - Returns: whether killd was killed.
    fileprivate func commit(
        crashingBefore number: Int, _ call: String, ofThread thread: String, _ file: StaticString, _ line: UInt
    ) async throws -> Bool {
        let (victims, planned) = try await openTwo()
        try await victims.run("BEGIN", on: 1)
        try await victims.run("INSERT INTO d.crashes VALUES (1)", on: 1)
        // With a transaction that it knows of, killd has more to ask the server. The store sees no difference.
        if thread == "mysql" { try await transactionIsShown(of: planned[1]) }
        let ticket = try client.prepare(planned).ticket()
        let killsBefore = try await killsRun()

        let fault = try await InjectedFault("signal=SIGKILL:when=\(number)", in: call, onThreads: thread, of: killd)
        let uninterrupted = try? client.commit(ticket)
        if uninterrupted == nil {
            killd.kill()
            try await killd.start()
        } else {
            try await fault.remove()
        }

        let step = "on \(server.kind), before \(call) \(number) of \(thread)"
        let answers = try (0..<2).map { _ in try client.commit(ticket) }
        for answer in answers {
            XCTAssertNil(answer.Error, "\(step): \(answer)", file: file, line: line)
            XCTAssertEqual(answer.Threads, (uninterrupted ?? answers[0]).Threads, step, file: file, line: line)
            XCTAssertEqual(answer.Threads, planned, step, file: file, line: line)
        }
        let kills = try await killsRun() - killsBefore
        XCTAssertLessThanOrEqual(
            kills, killStatements(ending: planned.count).upperBound, step, file: file, line: line)
        let answering = await victims.answering()
        XCTAssertEqual(answering, [], step, file: file, line: line)
        return uninterrupted == nil
    }

    /// InnoDB shows everybody its last list again unless nobody has read it for 100 ms.
    private func transactionIsShown(of session: ThreadID) async throws {
        try await eventually("the transaction of \(session)", pause: .milliseconds(250)) {
            try await administrator.query(
                "SELECT 1 FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id = \(session)"
            ).first?.rows.isEmpty == false
        }
    }
}
