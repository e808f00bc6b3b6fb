@testable import MySQLSessions
import PrivateDatabase
import SessionKill
import Synchronization
import TestSupport
import XCTest

final class GuardedKillTests: XCTestCase {
    func testEndsExactlyTheSessionsItIsGiven() async throws {
        try await onEveryServer { server in
            let bystanders = try await Bystanders.open(12, on: server)
            let victims = try await ClientSessions.open(7, on: server)
            let ids = await victims.threadIDs
            try await withConnection(to: server.configuration()) { connection in
                let sessions = try await identities(of: ids, over: connection)
                let answers = await connection.kill(sessions)
                XCTAssertEqual(answers, Array(repeating: .accepted(by: server.usualGuard), count: 7))
                try await eventually("they are gone") { try await connection.present(among: sessions).isEmpty }
            }
            let answering = await victims.answering()
            XCTAssertEqual(answering, [])
            await bystanders.assertAllAnswer()
        }
    }

    func testSparesASessionWhoseUserOrHostIsAnother() async throws {
        try await onEveryServer { server in
            let sessions = try await ClientSessions.open(5, on: server)
            let ids = await sessions.threadIDs
            let answers = try await withConnection(to: server.configuration()) { connection in
                var pinned = try await identities(of: ids, over: connection)
                pinned[0].user = "app2"
                pinned[1].host += "0"
                pinned[2].user = "APP"
                pinned[3].user = "app "
                pinned[4].host = "' OR '1'='1"
                return await connection.kill(pinned)
            }
            XCTAssertEqual(answers, Array(repeating: .notFound, count: 5))
            let answering = await sessions.answering()
            XCTAssertEqual(answering, Set(ids))
        }
    }

    func testSparesASessionThatWasHandedToAnotherUser() async throws {
        try await onEveryServer { server in
            let sessions = try await ClientSessions.open(2, on: server)
            let ids = await sessions.threadIDs
            let answers = try await withConnection(to: server.configuration()) { connection in
                let pinned = try await identities(of: ids, over: connection)
                try await sessions.changeUser(to: "app2", on: 0)
                return await connection.kill(pinned)
            }
            XCTAssertEqual(answers, [.notFound, .accepted(by: server.usualGuard)])
            let answering = await sessions.answering()
            XCTAssertEqual(answering, [ids[0]])
        }
    }

    func testGoesOnAfterAnErrorInsideThePacket() async throws {
        try await onEveryServer { server in
            let victims = try await ClientSessions.open(30, on: server)
            let ids = await victims.threadIDs
            let answers = try await withConnection(to: server.configuration()) { connection in
                var pinned = try await identities(of: ids, over: connection)
                for index in [0, 7, 8, 29] { pinned[index].host = "elsewhere:1" }
                return await connection.kill(pinned)
            }
            for (index, answer) in answers.enumerated() {
                let accepted = KillResponse.accepted(by: server.usualGuard)
                XCTAssertEqual(answer, [0, 7, 8, 29].contains(index) ? .notFound : accepted, "\(index)")
            }
            let answering = await victims.answering()
            XCTAssertEqual(answering, Set([0, 7, 8, 29].map { ids[$0] }))
        }
    }

    func testKillsMoreSessionsThanFitIntoOnePacketOfTheServer() async throws {
        try await onEveryServer { server in
            let root = try await server.administrator()
            let before = try await root.query("SELECT @@global.max_allowed_packet").first?.rows.first?.first ?? nil
            let victims = try await ClientSessions.open(400, on: server)
            let bystanders = try await Bystanders.open(on: server)
            let ids = await victims.threadIDs
            // No less than the buffer, by which servers judge too.
            try await root.query("SET GLOBAL max_allowed_packet=16384")
            let answers = try await withConnection(to: server.configuration()) { connection in
                await connection.kill(try await identities(of: ids, over: connection))
            }
            try await root.query("SET GLOBAL max_allowed_packet=\(try XCTUnwrap(before))")
            XCTAssertEqual(answers.count(where: \.isAccepted), 400, "\(Set(answers))")
            let answering = await victims.answering()
            XCTAssertEqual(answering, [])
            await bystanders.assertAllAnswer()
        }
    }

    func testAPacketThatTheServerRefusedWholeWasNotSent() {
        let failure = MySQLFailure(code: 1_153, message: "Got a packet bigger than 'max_allowed_packet' bytes")
        XCTAssertTrue(failure.isConnectionLost, "the server ends the connection")
        let sessions = (1...3).compactMap { ThreadID(UInt64($0)) }.map { id in
            SessionIdentity(id: id, user: "app", host: "10.0.0.7:5\(id)")
        }
        let refused = PacketResponse.final(.rejected(code: 1_153, message: failure.message))
        let mysql = MySQLKillPacket(sessions: sessions, table: "t", mayReadThreads: false)
        XCTAssertEqual(mysql.responses(from: KillReply(results: [], failure: failure)), [refused, refused, refused])
        for guards in [MariaDBKillPacket.Guards.list, .listAndQueryID] {
            let mariadb = MariaDBKillPacket(sessions: sessions, guards: guards)
            XCTAssertEqual(
                mariadb.responses(from: KillReply(results: [], failure: failure)), [refused, refused, refused])
        }
    }

    func testReportsSessionsThatItMayNotKill() async throws {
        try await onEveryServer { server in
            let root = try await server.administrator()
            try await root.query("CREATE USER IF NOT EXISTS looker@'%' IDENTIFIED BY 'pw with ''quotes'''")
            try await root.query("GRANT PROCESS ON *.* TO looker@'%'")
            try await server.remember("looker")
            let others = try await ClientSessions.open(3, on: server)
            let ids = await others.threadIDs
            let answers = try await withConnection(to: server.configuration(user: "looker")) { connection in
                await connection.kill(try await identities(of: ids, over: connection))
            }
            XCTAssertEqual(answers.count, 3)
            for answer in answers {
                // MariaDB says so to KILL QUERY ID already, of a query.
                guard case .notPermitted(let message) = answer, message.hasPrefix("You are not owner of ") else {
                    return XCTFail("\(answer)")
                }
            }
            let answering = await others.answering()
            XCTAssertEqual(answering, Set(ids))
        }
    }

    func testKillsWhileAnotherSessionRunsAStatementBeyondTheServersCharacterSet() async throws {
        try await onEveryServer { server in
            let odd = try await ClientSessions.open(1, on: server)
            try await odd.send("SELECT SLEEP(60), '\u{1F600}'")
            let victims = try await ClientSessions.open(2, on: server)
            let ids = await victims.threadIDs
            let answers = try await withConnection(to: server.configuration()) { connection in
                await connection.kill(try await identities(of: ids, over: connection))
            }
            XCTAssertEqual(answers, [.accepted(by: server.usualGuard), .accepted(by: server.usualGuard)])
        }
    }

    func testEndsAThousandSessionsAndNoOther() async throws {
        try await onEveryServer { server in
            let bystanders = try await Bystanders.open(20, on: server)
            let victims = try await ClientSessions.open(1_000, on: server)
            let ids = await victims.threadIDs
            try await withConnection(to: server.configuration()) { connection in
                let sessions = try await identities(of: ids, over: connection)
                let answers = await connection.kill(sessions)
                XCTAssertEqual(answers.filter(\.isAccepted).count, 1_000)
                try await eventually("they are gone") { try await connection.present(among: sessions).isEmpty }
            }
            await bystanders.assertAllAnswer()
        }
    }

    /// A pool hands out a connection to one account after the other. Each round is one kill of 400 others, and of that
    /// connection last. Where one list served for all of them, every third round hit somebody else.
    func testAConnectionThatChangesHandsIsNotKilledAsSomebodyElses() async throws {
        try await onEveryServer { server in
            let hits = Mutex(0)
            try await withConnection(to: server.configuration()) { connection in
                for round in 0..<8 {
                    let pooled = try await ClientSessions.open(1, on: server)
                    let others = try await ClientSessions.open(400, on: server)
                    for index in 0..<400 { try await others.run("DO 0", on: index) }
                    let ids = await pooled.threadIDs + others.threadIDs
                    let sessions = try await identities(of: ids, over: connection)
                    let goesOn = Mutex(true)
                    let ending = Task {
                        await pooled.changeHands(between: ["app", "app2"], every: 2_000) { goesOn.withLock { $0 } }
                    }
                    try await Task.sleep(for: .milliseconds(round))
                    let answers = try await server.undisturbed { await connection.kill(sessions) }
                    XCTAssertEqual(answers.dropFirst().count(where: \.isAccepted), 400)
                    try await Task.sleep(for: .milliseconds(10))
                    goesOn.withLock { $0 = false }
                    let endedAs = await ending.value
                    if endedAs == "app2" { hits.withLock { $0 += 1 } }
                }
            }
            // What remains is the time from one statement of the server to its next.
            XCTAssertLessThanOrEqual(hits.withLock { $0 }, 1, "\(server.kind)")
        }
    }

    func testEndsSessionsThatNeverStandStill() async throws {
        try await onEveryServer { server in
            let victims = try await ClientSessions.open(3, on: server)
            let ids = await victims.threadIDs
            let goesOn = Mutex(true)
            let ending = Task { await victims.hurry { goesOn.withLock { $0 } } }
            defer { goesOn.withLock { $0 = false } }
            let answers = try await withConnection(to: server.configuration()) { connection in
                await connection.kill(try await identities(of: ids, over: connection))
            }
            XCTAssertEqual(answers.map(\.isAccepted), [true, true, true])
            await ending.value
        }
    }

    /// Whether two sessions are shown with one QUERY_ID; only MariaDB has any.
    private static func haveOneNumber(_ one: ThreadID, _ other: ThreadID, on server: RealServer) async throws -> Bool {
        guard server.kind == .mariadb else { return true }
        let root = try await server.administrator()
        let numbers = try await root.query(
            "SELECT COUNT(DISTINCT QUERY_ID) FROM information_schema.PROCESSLIST WHERE ID IN (\(one),\(other))")
        await root.close()
        return numbers.first?.rows.first?.first == "1"
    }

    /// On MariaDB a session has no number of its own before its first command, and after COM_PING that of the next
    /// command of anybody.
    func testEndsASessionWithTheNumberOfAStrangersCommandAndLetsTheCommandRun() async throws {
        try await onEveryServer { server in
            let victims = try await ClientSessions.open(3, on: server)
            let ids = await victims.threadIDs
            let stranger = try await ClientSessions.open(1, on: server)
            try await withConnection(to: server.configuration()) { connection in
                let sessions = try await identities(of: ids, over: connection)
                try await victims.run("DO 0", on: 1)
                // A session of before that is being closed may be that anybody.
                try await eventually("the stranger's command has the number") {
                    try await victims.ping(on: 0)
                    try await stranger.send("SELECT SLEEP(1)")
                    if try await Self.haveOneNumber(ids[0], stranger.threadIDs[0], on: server) { return true }
                    _ = try await stranger.receive()
                    return false
                }
                let answers = await connection.kill(sessions)
                let others = KillResponse.accepted(by: server.usualGuard)
                XCTAssertEqual(answers, [.accepted(by: .list), others, others])
            }
            let slept = try await stranger.receive()
            XCTAssertEqual(slept, [["0"]], "it was interrupted")
            let answering = await victims.answering()
            XCTAssertEqual(answering, [])
        }
    }

    /// The error of the loop over what the list showed ("Cursor is not open") would say nothing.
    func testAListThatFailsInMariaDBsPacketIsReportedWithItsOwnErrorIfNoOtherGuardCanRun() async throws {
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        let victim = try await ClientSessions.open(1, on: server)
        let ids = await victim.threadIDs
        let sessions = try await withConnection(to: server.configuration()) { connection in
            try await identities(of: ids, over: connection)
        }
        for guards in [MariaDBKillPacket.Guards.list, .listAndQueryID] {
            let connection = try await MySQLConnection.open(server.configuration())
            // Enough for the packet, and not for a list of sessions.
            try await connection.query("SET SESSION max_session_mem_used=150000")
            let packet = MariaDBKillPacket(sessions: sessions, guards: guards)
            let sql = try XCTUnwrap(packet.sql)
            let answers = packet.responses(from: KillReply(results: try await connection.query(sql)))
            guard case .unguarded(.rejected(code: 1_290, let message))? = answers.first else {
                XCTFail("\(answers)")
                continue
            }
            XCTAssertTrue(message.contains("max-session-mem-used"), message)
            await connection.close()
        }
        let answering = await victim.answering()
        XCTAssertEqual(answering, Set(ids))
    }
}
