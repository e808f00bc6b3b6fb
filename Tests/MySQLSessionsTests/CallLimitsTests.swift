import MySQLSessions
import SessionKill
import TestSupport
import XCTest

/// What a server sends, and how slowly, costs killd no more than one call is allowed, and no other instance anything.
final class CallLimitsTests: XCTestCase {
    private let list = "SHOW FULL PROCESSLIST"

    /// Also one with the beginnings of statements, which is asked for after one that was too large.
    private static func isList(_ statement: String) -> Bool {
        statement == "SHOW FULL PROCESSLIST" || statement.contains("LEFT(INFO")
    }

    private func server(
        _ fake: FakeMySQLServer, call: Duration = .seconds(1), readWrite: Duration = .seconds(10),
        change: (inout MySQLServerConfiguration) -> Void = { _ in }
    ) -> MySQLServer {
        var configuration = fake.configuration()
        configuration.deadlines.call = call
        configuration.deadlines.readWrite = readWrite
        change(&configuration)
        return MySQLServer(configuration)
    }

    /// Fails, too, if that takes longer than the deadline lets it.
    private func failure(
        within limit: Duration, file: StaticString = #filePath, line: UInt = #line,
        _ body: () async throws -> some Any
    ) async throws -> ServerError {
        let clock = ContinuousClock()
        let begin = clock.now
        let error = try await assertThrows(ServerError.self, file: file, line: line, body)
        XCTAssertLessThan(begin.duration(to: clock.now), limit, "\(error)", file: file, line: line)
        return error
    }

    func testAnAnswerThatDripsIsGivenUpAtTheDeadlineOfTheWholeCall() async throws {
        let rows = FakeMySQLServer.Answer.rows(["Id", "User"], [["7", "app"]])
        for content in [FakeServerContent.mysql(), .mariadb()] {
            let fake = try FakeMySQLServer(content) { [list] statement in
                statement == list ? .dripping(rows, every: .milliseconds(500)) : nil
            }
            let server = server(fake)
            // All of it takes a minute.
            let error = try await failure(within: .seconds(20)) { try await server.list() }
            XCTAssertEqual(error.reason, .timedOut, "\(error)")
            XCTAssertTrue(error.description.contains("not done within 1 s"), "\(error)")
            fake.set { $0.answer = { _ in nil } }
            let sessions = try await server.list().sessions.filter { $0.identity.user != "killd" }
            XCTAssertEqual(sessions.count, 4)
            await server.close()
            fake.stop()
        }
    }

    func testEveryStepUntilAConnectionCanBeUsedSharesOneDeadline() async throws {
        // Any of the answers takes ten seconds or more.
        let pause = Duration.milliseconds(900)
        let changes: [@Sendable (inout FakeMySQLServer.Settings) -> Void] = [
            { $0.greeting = .dripping(.payloads([[UInt8](repeating: 10, count: 100)]), every: pause) },
            { $0.login = { _, _ in .answer(.dripping(.ok, every: pause)) } },
            { $0.answer = { _ in .dripping(.ok, every: pause) } },
            {
                $0.answer = { statement in
                    statement.hasPrefix("SHOW GRANTS") ? .dripping(.rows(["G"], [["GRANT"]]), every: pause) : nil
                }
            },
        ]
        for (index, change) in changes.enumerated() {
            let fake = try FakeMySQLServer()
            fake.set(change)
            let server = server(fake)
            let error = try await failure(within: .seconds(8)) { try await server.list() }
            XCTAssertTrue([.timedOut, .unreachable].contains(error.reason), "\(index): \(error)")
            fake.stop()
        }
    }

    func testMoreRowsThanAreReadEndTheCallAndTheConnection() async throws {
        let fake = try FakeMySQLServer(.mariadb()) { statement in
            Self.isList(statement)
                ? .manyRows(["Id", "User"], ["7", "app"], count: 4_000_000) : nil
        }
        let server = server(fake, call: .seconds(20)) { $0.largestResponse.rows = 20_000 }
        let error = try await failure(within: .seconds(10)) { try await server.list() }
        XCTAssertEqual(error.reason, .resultTooLarge, "\(error)")
        XCTAssertTrue(error.description.contains("20000 rows or 64 MiB"), "\(error)")
        fake.set { $0.answer = { _ in nil } }
        let sessions = try await server.list().sessions.filter { $0.identity.user != "killd" }
        XCTAssertEqual(sessions.count, 4)
        await server.close()
        fake.stop()
    }

    func testMoreBytesThanAreReadEndTheCall() async throws {
        let statement = String(repeating: "x", count: 1 << 20)
        let endless: [FakeMySQLServer.Answer] = [
            // Twenty statements of a megabyte.
            .manyRows(["Id", "Info"], ["7", statement], count: 20),
            // One row, in packets that follow each other.
            .rows(["Id", "Info"], [["7", String(repeating: "x", count: 20 << 20)]]),
            // Columns without end.
            .payloads([[0xFC, 0xFF, 0xFF]] + [[UInt8]](repeating: Self.columnDefinition, count: 60_000)),
        ]
        for (index, answer) in endless.enumerated() {
            let fake = try FakeMySQLServer(.mysql()) { Self.isList($0) ? answer : nil }
            let server = server(fake, call: .seconds(20)) { $0.largestResponse.bytes = 4 << 20 }
            let error = try await failure(within: .seconds(10)) { try await server.list() }
            XCTAssertEqual(error.reason, .resultTooLarge, "\(index): \(error)")
            await server.close()
            fake.stop()
        }
    }

    private static let columnDefinition: [UInt8] =
        [3] + Array("def".utf8) + [0, 0, 0, 1, 0x61, 1, 0x61, 0x0C, 45, 0, 0, 0, 0, 0, 15, 0, 0, 0, 0, 0]

    func testASilentServerIsLeftAfterThePauseAndAHangingOneKeepsNobodyElseWaiting() async throws {
        let hanging = try FakeMySQLServer(.mysql()) { [list] in $0 == list ? .silence : nil }
        let healthy = try FakeMySQLServer()
        let server = server(hanging, call: .seconds(60), readWrite: .seconds(1))
        let other = MySQLServer(healthy.configuration())
        let snapshot = Task { try await server.list() }
        for _ in 0..<10 {
            let sessions = try await other.list().sessions
            XCTAssertEqual(sessions.count, 5)
        }
        let error = try await failure(within: .seconds(30)) { try await snapshot.value }
        XCTAssertEqual(error.reason, .connectionLost, "\(error)")
        await server.close()
        await other.close()
        hanging.stop()
        healthy.stop()
    }

    /// The client library has trusted more than one of these; the test is that the process is still there.
    func testBrokenPacketsEndTheCallAndNothingElse() async throws {
        let row = FakeMySQLServer.Answer.rows(["Id", "User"], [["7", "app"]])
        let broken: [FakeMySQLServer.Answer] = [
            .payloads([[]]), .payloads([[0xFF]]), .payloads([[0xFF, 0, 0]]), .payloads([[0xFB]]), .payloads([[0xFE]]),
            .payloads([[0xFE, 1, 0, 0, 0, 0, 0, 0, 0]]), .payloads([[0xFE, 0, 0, 0, 0, 1, 0, 0, 0]]),
            .payloads([[2], Self.columnDefinition, [0xFE, 0, 0, 2, 0]]),
            .payloads([[1], Self.columnDefinition, Self.columnDefinition, [0xFE, 0, 0, 2, 0]]),
            .payloads([[1], [], [0xFE, 0, 0, 2, 0]]), .payloads([[1], [0xFF, 1, 2, 3], [0xFE, 0, 0, 2, 0]]),
            .payloads([[1], Array(Self.columnDefinition.dropLast(9)), [0xFE, 0, 0, 2, 0], [1, 0x37]]),
            .payloads([[1], Self.columnDefinition, [0xFE, 0, 0, 2, 0], [0xFC, 0xFF]]),
            .payloads([[1], Self.columnDefinition, [0xFE, 0, 0, 2, 0], [200, 0x37]]),
            .payloads([[1], Self.columnDefinition, [0xFE, 0, 0, 2, 0], []]),
            .payloads([[1], Self.columnDefinition, [0xFE, 0, 0, 2, 0], [0xFE]]),
            .bytes([0xFF, 0xFF, 0xFF, 1]), .bytes([5, 0, 0, 9, 0, 0, 0, 2, 0]),
            .bytes([UInt8](repeating: 0, count: 99)),
            .cutting(row, after: 5), .cutting(row, after: 20), .cutting(row, after: 90), .stalling(row, after: 30),
            .close, .reset, .silence,
        ]
        for (index, answer) in broken.enumerated() {
            let fake = try FakeMySQLServer(.mariadb()) { [list] in $0 == list ? answer : nil }
            let server = server(fake, call: .seconds(2), readWrite: .seconds(1))
            do {
                _ = try await server.list()
            } catch let error as ServerError {
                XCTAssertFalse(error.description.isEmpty, "\(index)")
            }
            fake.set { $0.answer = { _ in nil } }
            // Besides, the fake may still show connections that were left.
            let sessions = try await server.list().sessions.filter { $0.identity.user != "killd" }
            XCTAssertEqual(sessions.count, 4, "\(index)")
            await server.close()
            fake.stop()
        }
    }
}
