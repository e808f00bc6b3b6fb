import MySQLSessions
import SessionKill
import TestSupport
import XCTest

/// What killd sends to a server, read from the server's general log.
struct StatementLog {
    struct Entry {
        let connection: String
        let statement: Substring
    }

    private let administrator: MySQLConnection

    /// Runs `body` with the log on, and empty at first.
    static func watch(_ scene: Scene, _ body: (StatementLog) async throws -> Void) async throws {
        let log = StatementLog(administrator: scene.administrator)
        try await scene.withGlobal("log_output", "'TABLE'", afterwards: "'FILE'") {
            try await scene.administrator.query("TRUNCATE mysql.general_log")
            try await scene.withGlobal("general_log", "ON", afterwards: "OFF") { try await body(log) }
        }
    }

    /// The statements of killd's account in the order in which they came.
    func entries() async throws -> [Entry] {
        let rows =
            try await administrator.query(
                """
                SELECT thread_id, CONVERT(argument USING utf8mb4) FROM mysql.general_log \
                WHERE user_host LIKE 'killd[%' AND command_type NOT IN ('Connect', 'Quit')
                """
            ).first?.rows ?? []
        // MySQL logs each statement by itself, MariaDB the packet. None of killd's holds a semicolon but the block that
        // kills, which is a packet of its own.
        return rows.flatMap { row in
            let packet = row[1] ?? ""
            let statements = packet.hasPrefix("BEGIN NOT ATOMIC ") ? [packet[...]] : packet.split(separator: ";")
            return statements.map { Entry(connection: row[0] ?? "", statement: $0) }
        }
    }

    /// Checks that each of `sessions` was looked up for one KILL, and that there was no other KILL.
    func assertOneKillEach(
        _ sessions: [ThreadID], file: StaticString = #filePath, line: UInt = #line
    ) async throws {
        let statements = try await entries().map(\.statement)
        // One for each session on MySQL; on MariaDB a loop over those that pass the guard, and perhaps another over those
        // that the first could not tell from others.
        let kills = statements.filter { $0.contains("KILL") }
        let isLoop = kills.contains { $0.hasPrefix("BEGIN NOT ATOMIC ") && $0.contains("KILL CONNECTION s.id") }
        let packets = isLoop ? 1...2 : sessions.count...sessions.count
        XCTAssertTrue(packets.contains(kills.count), "\(kills)", file: file, line: line)
        XCTAssertTrue(isLoop || kills.allSatisfy { $0 == "KILL CONNECTION @k" }, "\(kills)", file: file, line: line)
        let guards = statements.filter { $0.hasPrefix("SET @k=(SELECT ID ") || $0.hasPrefix("BEGIN NOT ATOMIC ") }
        for session in sessions {
            // By itself on MySQL, in a list on MariaDB.
            let count = guards.filter { statement in
                let list = statement.firstMatch(of: /ID IN \(([0-9,]+)\)/)?.1.split(separator: ",") ?? []
                return statement.contains("WHERE ID=\(session) ") || list.contains("\(session)")
            }.count
            let snapshots = isLoop ? 1...2 : 1...1
            XCTAssertTrue(snapshots.contains(count), "guards of \(session): \(guards)", file: file, line: line)
        }
    }
}

extension Scene {
    /// Runs `body` with another value of one of the server's global variables.
    func withGlobal(
        _ variable: String, _ value: String, afterwards: String, _ body: () async throws -> Void
    ) async throws {
        try await administrator.query("SET GLOBAL \(variable)=\(value)")
        do {
            try await body()
        } catch {
            try await administrator.query("SET GLOBAL \(variable)=\(afterwards)")
            throw error
        }
        try await administrator.query("SET GLOBAL \(variable)=\(afterwards)")
    }
}
