import SessionKill

extension MySQLConnection {
    /// How many sessions one packet kills.
    ///
    /// Of 1,000 idle sessions all sizes from 50 to 500 took the same time on
    /// MariaDB 10.11, and on MySQL 9.7 size made no difference. Larger packets
    /// mean fewer round trips and fewer readings of MariaDB's whole list, smaller
    /// ones less time between the guard and the last KILL.
    static let sessionsPerPacket = 250

    /// Where single sessions are looked up.
    ///
    /// On MySQL information_schema.PROCESSLIST fails for everybody while one
    /// session runs a statement beyond utf8mb3 (error 3854), and reads all
    /// sessions to find one; but performance_schema may be blind to some.
    private var sessionTable: String {
        performanceSchema.processlist && !performanceSchemaLostThreads
            ? "performance_schema.processlist" : "information_schema.PROCESSLIST"
    }

    /// Sends a guarded KILL CONNECTION for each of `sessions`.
    func kill(_ sessions: [SessionIdentity]) -> [KillAnswer] {
        var answers = [KillAnswer](repeating: .notSent, count: sessions.count)
        var waiting = Array(sessions.indices.reversed())
        while !waiting.isEmpty, !isLost {
            let batch = Array(waiting.suffix(Self.sessionsPerPacket).reversed())
            waiting.removeLast(batch.count)
            let packet = GuardedKill(batch.map { sessions[$0] }, in: sessionTable)
            var unanswered: [Int] = []
            for (index, answer) in zip(batch, packet.answers(from: run(packet.sql))) {
                if let answer { answers[index] = answer } else { unanswered.append(index) }
            }
            waiting += unanswered.reversed()
        }
        return answers
    }

    /// Which of `sessions` are still listed, or still have a thread, in one round trip.
    func present(among sessions: [SessionIdentity]) throws(ServerError) -> Set<ThreadID> {
        guard !sessions.isEmpty else { return [] }
        let ids = sessions.map(\.id.description).joined(separator: ",")
        var statements = ["SELECT ID, USER FROM \(sessionTable) WHERE ID IN (\(ids))"]
        if performanceSchema.threads {
            // MySQL takes an idle session off the list before it has undone the session's transaction.
            statements.append(
                "SELECT PROCESSLIST_ID, THREAD_ID FROM performance_schema.threads WHERE PROCESSLIST_ID IN (\(ids))")
        }
        let answers = try query(statements.joined(separator: ";"))
        guard answers.count == statements.count else { throw .senseless("the session list") }

        let pinned = Dictionary(sessions.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var present: Set<ThreadID> = []
        for row in answers[0].rows {
            let row = try Row(row, sessionTable)
            guard let id = try row.thread(0), let session = pinned[id] else { continue }
            // A session that is being torn down may have lost its user's name already.
            if [session.user, "", "unauthenticated user"].contains(row[1] ?? "") { present.insert(id) }
        }
        for row in performanceSchema.threads ? answers[1].rows : [] {
            let row = try Row(row, "performance_schema.threads")
            guard let id = try row.thread(0), let session = pinned[id] else { continue }
            let threadID: UInt64 = try row.integer(1)
            if session.performanceSchemaThreadID == threadID { present.insert(id) }
        }
        return present
    }
}

/// One packet that kills sessions, each only if the id still belongs to the pinned user and host.
///
/// The guard puts the ids that pass into user variables; `KILL CONNECTION NULL`
/// is error 1094 and hits nobody. The variables are cleared first: whatever the
/// guard's SELECT does, no id of an earlier packet is left in them.
struct GuardedKill {
    private let sessions: [SessionIdentity]
    private let table: String

    /// - Parameter table: that has the columns ID, USER and HOST.
    init(_ sessions: [SessionIdentity], in table: String) {
        self.sessions = sessions
        self.table = table
    }

    var sql: String {
        let variables = sessions.indices.map { "@k\($0)" }
        // Hexadecimal literals need no escaping. Only the CAST makes the comparison one of bytes: without it, the
        // column's collation takes "APP" and "app " for "app" on one or both servers (measured).
        let matches = sessions.map { session in
            """
            MAX(IF(ID=\(session.id) AND CAST(USER AS BINARY)=\(literal(session.user)) \
            AND CAST(HOST AS BINARY)=\(literal(session.host)),ID,NULL))
            """
        }
        let ids = sessions.map(\.id.description)
        return """
            SET \(variables.map { "\($0)=NULL" }.joined(separator: ","));\
            SELECT \(matches.joined(separator: ",")) INTO \(variables.joined(separator: ",")) \
            FROM \(table) WHERE ID IN (\(ids.joined(separator: ",")));\
            SELECT \(variables.joined(separator: ","));\
            \(variables.map { "KILL CONNECTION \($0)" }.joined(separator: ";"))
            """
    }

    /// SET, SELECT … INTO and SELECT come before the first KILL.
    private static let statementsOfGuard = 3

    /// What became of each session; `nil` for one whose KILL the server did not
    /// come to, since it drops the rest of a packet at the first error.
    func answers(from reply: (results: [MySQLResult], failure: MySQLFailure?)) -> [KillAnswer?] {
        let accepted = reply.results.count - Self.statementsOfGuard
        guard accepted >= 0 else {
            let answer = reply.failure.map(KillAnswer.init) ?? .lost
            return sessions.map { _ in answer }
        }
        let guarded = reply.results[Self.statementsOfGuard - 1].rows.first ?? []
        return sessions.indices.map { index in
            if index < accepted { return .accepted }
            if guarded.count == sessions.count, guarded[index] == nil { return .noSuchThread }
            guard let failure = reply.failure else { return .lost }
            return index == accepted || failure.isConnectionLost ? KillAnswer(failure) : nil
        }
    }

    private func literal(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var literal = Array("X'".utf8)
        for byte in text.utf8 { literal += [digits[Int(byte >> 4)], digits[Int(byte & 0xF)]] }
        literal.append(UInt8(ascii: "'"))
        return String(decoding: literal, as: UTF8.self)
    }
}

extension KillAnswer {
    fileprivate init(_ failure: MySQLFailure) {
        self =
            switch failure.code {
            case 1_094: .noSuchThread
            case 1_095: .notPermitted
            case _ where failure.isConnectionLost: .lost
            default: .refused(code: failure.code, message: failure.message)
            }
    }
}
