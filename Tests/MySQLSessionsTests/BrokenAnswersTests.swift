import MySQLSessions
import MySQLWire
import SessionKill
import TestSupport
import XCTest

/// A server that answers each of killd's statements in broken ways, one at a time: of a hundred or so, each run tries
/// another few.
final class BrokenAnswersTests: XCTestCase {
    func testNoAnswerOfAMySQLEndsOrFoolsKilld() async throws { try await breakAll(.mysql) }
    func testNoAnswerOfAMariaDBEndsOrFoolsKilld() async throws { try await breakAll(.mariadb) }
    func testNoAnswerOfAnOceanBaseEndsOrFoolsKilld() async throws { try await breakAll(.oceanBase) }
    func testNoAnswerOfAnODPEndsOrFoolsKilld() async throws { try await breakAll(.odp) }

    /// Twenty statements of five megabytes are more than is read of an answer.
    func testAListThatIsTooLargeIsReadWithTheBeginningsOfStatements() async throws {
        for kind in [FakeKind.mysql, .mariadb] {
            let fake = try FakeMySQLServer(kind.settings)
            let statement = String(repeating: "x", count: 5_000_000)
            fake.set { settings in
                settings.alter = { asked, answer in
                    guard asked == "SHOW FULL PROCESSLIST", case .rows(let columns, let rows) = answer else {
                        return [answer]
                    }
                    let large = (1...20).map { ["\(20 + $0)", "app", "h:\($0)", nil, "Query", "1", "", statement] }
                    return [.rows(columns, rows + large)]
                }
            }
            let server = MySQLServer(fake.configuration(of: kind))
            let seen = try await server.observe(.sessions).sessions
            XCTAssertEqual(Set(seen.map(\.id.rawValue)).intersection(1..<100), [11, 12, 13], "\(kind)")
            let asked = fake.statements.filter { $0.contains("LEFT(INFO") }
            XCTAssertEqual(asked.count, 1, "\(kind)")
            await server.close()
            fake.stop()
        }
    }

    private func breakAll(_ kind: FakeKind) async throws {
        var breaker = ResponseBreaker(randomNumbers())

        let fake = try FakeMySQLServer(kind.settings)
        defer { fake.stop() }
        let otherFake = try FakeMySQLServer(kind.settings)
        defer { otherFake.stop() }
        let other = MySQLServer(otherFake.configuration(of: kind))
        let healthy = try await Work.observe.run(on: MySQLServer(fake.configuration(of: kind)), kind)
        XCTAssertEqual(healthy?.count, 3, "\(kind)")

        let statements = try await answers(of: fake, kind)
        XCTAssertGreaterThan(statements.count, kind == .odp ? 8 : 12, "\(statements.keys.sorted())")
        var tries = 0
        for (statement, (work, answer)) in statements.sorted(by: { $0.key < $1.key }) {
            for breakage in breaker.breakages(of: answer) {
                tries += 1
                let context = "\(kind), \(work), \(breakage.name) in place of the answer to: \(statement)"
                fake.set { settings in
                    settings.content.sessions = FakeKind.sessions
                    settings.alter = { $0.kindOfStatement == statement ? breakage.apply($1) : [$1] }
                }
                let begin = ContinuousClock.now
                do {
                    let server = MySQLServer(fake.configuration(of: kind, deadline: .seconds(1)))
                    let seen = try await work.run(on: server, kind)
                    await server.close()
                    if let seen, let healthy { assertHonest(seen, healthy, statement, breakage, answer, context) }
                } catch is ServerError {
                } catch {
                    XCTFail("\(context): an error of no type: \(error)")
                }
                // What is waited for longer than a second is waited for without end.
                XCTAssertLessThan(begin.duration(to: .now), .seconds(20), context)
                XCTAssertTrue(fake.settings.content.sessions.contains { $0.id == 12 }, "a bystander died: \(context)")
            }
            fake.set { settings in
                settings.content.sessions = FakeKind.sessions
                settings.alter = { [$1] }
            }
            // Neither the server once it is well again, nor another one, has taken any harm.
            let server = MySQLServer(fake.configuration(of: kind))
            let well = try await Work.observe.run(on: server, kind)
            await server.close()
            XCTAssertEqual(well, healthy, statement)
            let unaffected = try await Work.observe.run(on: other, kind)
            XCTAssertEqual(unaffected, healthy, statement)
        }
        print("\(kind): \(statements.count) statements, \(tries) broken answers")
        await other.close()
    }

    /// What was seen is what was there, or for a broken list what that said.
    private func assertHonest(
        _ seen: Set<String>, _ healthy: Set<String>, _ statement: String, _ breakage: Breakage,
        _ answer: FakeMySQLServer.Answer, _ context: String
    ) {
        guard statement.isOfSessionList else { return XCTAssertEqual(seen, healthy, context) }
        var said: Set<String> = []
        for case .rows(let columns, let rows) in breakage.apply(answer) {
            let names = columns.map { $0.lowercased() }
            let indices = ["id", "user", "host"].compactMap { names.firstIndex(of: $0) }
            guard indices.count == 3 else { continue }
            // An ODP tells the tenant in a column of its own.
            let tenant = names.firstIndex(of: "tenant")
            for row in rows {
                var texts = indices.map { row[$0] ?? "" }
                if let tenant { texts[1] += "@\(row[tenant] ?? "")" }
                said.insert(texts.joined(separator: " "))
            }
        }
        if !said.isEmpty { XCTAssertTrue(seen.isSubset(of: said), "\(context): \(seen.subtracting(said))") }
    }

    /// Each statement of killd's to such a server, in which work it comes with the fewest others, and what is right.
    private func answers(
        of fake: FakeMySQLServer, _ kind: FakeKind
    ) async throws -> [String: (work: Work, answer: FakeMySQLServer.Answer)] {
        var answers: [String: (work: Work, answer: FakeMySQLServer.Answer)] = [:]
        var fewest: [String: Int] = [:]
        for work in Work.allCases {
            let recorded = Recorder()
            fake.set { settings in
                settings.content.sessions = FakeKind.sessions
                settings.alter = { statement, answer in
                    recorded.add(statement, answer)
                    return [answer]
                }
            }
            let server = MySQLServer(fake.configuration(of: kind))
            _ = try await work.run(on: server, kind)
            await server.close()
            let sent = recorded.answers
            for (statement, answer) in sent where sent.count < fewest[statement] ?? .max {
                fewest[statement] = sent.count
                answers[statement] = (work, answer)
            }
        }
        fake.set { $0.alter = { [$1] } }
        return answers
    }
}

/// What killd does with a server, each with a connection of its own.
private enum Work: String, CaseIterable {
    case list, observe, present, dying, transactions, kill, endOfConnection, check

    /// - Returns: id, user and host of the sessions that were seen and are not killd's; `nil` if none were read.
    func run(on server: MySQLServer, _ kind: FakeKind) async throws -> Set<String>? {
        let victims = kind.victims
        switch self {
        case .list: return Self.others(try await server.list().sessions)
        case .observe: return Self.others(try await server.observe(.locks).sessions)
        case .present: _ = try await server.withConnection { try await $0.present(among: victims) }
        case .dying: _ = try await server.withConnection { try await $0.dying(among: victims) }
        case .transactions: _ = try await server.withConnection { try await $0.transactions() }
        case .kill:
            let answers = try await server.withConnection { await $0.kill(victims) }
            XCTAssertEqual(answers.count, victims.count)
        case .endOfConnection: _ = try await server.withConnection { try await $0.serverSessions(of: victims[0]) }
        case .check: _ = await server.check()
        }
        return nil
    }

    private static func others(_ sessions: [Session]) -> Set<String> {
        XCTAssertEqual(Set(sessions.map(\.id)).count, sessions.count)
        return Set(
            sessions.map(\.identity).filter { $0.id.rawValue < 100 }.map { "\($0.id) \($0.user) \($0.host)" })
    }
}

private final class Recorder: Sendable {
    private let state = Locked<[String: FakeMySQLServer.Answer]>([:])

    func add(_ statement: String, _ answer: FakeMySQLServer.Answer) {
        state.withLock { $0[statement.kindOfStatement] = answer }
    }

    var answers: [String: FakeMySQLServer.Answer] { state.withLock { $0 } }
}

extension String {
    /// Its beginning without numbers, which differ from one time to the next.
    fileprivate var kindOfStatement: String {
        String(decoding: utf8.filter { !(0x30...0x39).contains($0) }.prefix(120), as: UTF8.self)
            .trimmingCharacters(in: .whitespaces)
    }

    fileprivate var isOfSessionList: Bool {
        ["SHOW FULL PROCESSLIST", "IF(CAST(DB", "SHOW PROXYSESSION", "GV$OB_PROCESSLIST"].contains { contains($0) }
    }
}

extension FakeMySQLServer {
    /// - Parameter deadline: short where an answer may be missing, and longer than any load lasts where all come.
    fileprivate func configuration(
        of kind: FakeKind, deadline: Duration = .seconds(10)
    ) -> MySQLServerConfiguration {
        var configuration = configuration()
        if kind == .odp {
            configuration.kind = .oceanBaseODP
            configuration.user = "root@sys"
        }
        configuration.deadlines.connect = deadline
        configuration.deadlines.readWrite = deadline
        configuration.deadlines.freeConnection = deadline
        return configuration
    }
}
