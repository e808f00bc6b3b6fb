import SessionKill
import Text

extension MySQLConnection {
    /// How many sessions one packet kills at most.
    ///
    /// On MariaDB each packet reads the whole list, which with 10,000 sessions
    /// takes 17 ms or more, and the last of 1,000 KILLs comes 60 ms after its
    /// guard; on MySQL it is the round trips that count.
    private static let largestPacket = 1_000
    /// After a miss on MySQL the rest of the packet is sent again: where many
    /// miss, in small ones.
    private static let smallestPacket = 16

    /// Where single sessions are looked up.
    ///
    /// On MySQL information_schema.PROCESSLIST fails for everybody while one
    /// session runs a statement beyond utf8mb3 (error 3854), and reads all
    /// sessions to find one; but performance_schema may be blind to some.
    var sessionTable: String {
        performanceSchema.processlist && !performanceSchemaLostThreads
            ? "performance_schema.processlist" : "information_schema.PROCESSLIST"
    }

    /// Sends a guarded KILL CONNECTION for each of `sessions`.
    ///
    /// The youngest first: MariaDB looks for an id from the youngest session
    /// down, and killing 10,000 from the oldest up took it five times as long.
    func kill(_ sessions: [SessionIdentity]) -> [KillAnswer] {
        var answers = [KillAnswer](repeating: .notSent, count: sessions.count)
        var waiting = sessions.indices.sorted { sessions[$0].id < sessions[$1].id }
        var size = Self.largestPacket
        while !waiting.isEmpty, !isLost {
            let batch = Array(waiting.suffix(size).reversed())
            waiting.removeLast(batch.count)
            let packet = killPacket(batch.map { sessions[$0] })
            var unanswered: [Int] = []
            for (index, answer) in zip(batch, packet.answers(from: run(packet.sql))) {
                if let answer { answers[index] = answer } else { unanswered.append(index) }
            }
            waiting += unanswered.reversed()
            size = unanswered.isEmpty ? min(size * 2, Self.largestPacket) : max(size / 4, Self.smallestPacket)
        }
        return answers
    }

    private func killPacket(_ sessions: [SessionIdentity]) -> any KillPacket {
        rights.isMariaDB
            ? MariaDBKillPacket(sessions: sessions)
            : MySQLKillPacket(
                sessions: sessions, table: sessionTable,
                hasThreads: performanceSchema.threads && !performanceSchemaLostThreads)
    }

    /// Which of `sessions` are still listed, or still have a thread, in one round trip.
    func present(among sessions: [SessionIdentity]) throws(ServerError) -> Set<ThreadID> {
        guard !sessions.isEmpty else { return [] }
        let ids = sessions.map(\.id.description).joined(separator: ",")
        var statements = ["SELECT ID AS id, USER AS user FROM \(sessionTable) WHERE ID IN (\(ids))"]
        if performanceSchema.threads {
            // MySQL takes an idle session off the list before it has undone the session's transaction.
            statements.append(
                """
                SELECT PROCESSLIST_ID AS processlist_id, THREAD_ID AS thread_id FROM performance_schema.threads \
                WHERE PROCESSLIST_ID IN (\(ids))
                """)
        }
        let answers = try query(statements.joined(separator: ";"))
        guard answers.count == statements.count else { throw .senseless("the session list") }

        let pinned = Dictionary(sessions.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var present: Set<ThreadID> = []
        let listed = try Rows(answers[0], sessionTable)
        let (id, user) = (try listed.column("id"), try listed.column("user"))
        for row in listed {
            guard let id = try row.thread(id), let session = pinned[id] else { continue }
            // A session that is being torn down may have lost its user's name already.
            let user = row.text(user) ?? ""
            if [session.user, "", "unauthenticated user"].contains(where: user.isSame) { present.insert(id) }
        }
        guard performanceSchema.threads else { return present }
        for (id, threadID) in try Self.threadIDs(answers[1])
        where pinned[id]?.performanceSchemaThreadID == threadID { present.insert(id) }
        return present
    }
}

/// One packet that kills sessions, each only if its id still belongs to the pinned user and host.
protocol KillPacket {
    var sql: String { get }

    /// What became of each session; `nil` for one whose KILL the server did not
    /// come to.
    func answers(from reply: (results: [MySQLResult], failure: MySQLFailure?)) -> [KillAnswer?]
}

/// For each session a guard and its KILL, one right after the other.
///
/// `KILL CONNECTION NULL` is error 1094 and hits nobody. The guards cost less
/// than nothing: MySQL 9.7 spins in KILL until the victim's thread has woken up
/// (`vio_wait_until_woken`), and where KILLs follow each other without a pause
/// that waits for a processor. On two cores 1,000 took 212 ms so, 386 ms in
/// packets without guards, and 299 ms as single statements (medians of 15 or
/// more; single runs took up to three times as long).
struct MySQLKillPacket: KillPacket {
    let sessions: [SessionIdentity]
    /// Has the columns ID, USER and HOST.
    let table: String
    /// Whether performance_schema knows every session.
    let hasThreads: Bool

    var sql: String {
        sessions.map { session in
            // Never used twice by one server process, where it is known.
            let thread = hasThreads ? session.performanceSchemaThreadID : nil
            let known = thread.map { " JOIN performance_schema.threads ON PROCESSLIST_ID=ID AND THREAD_ID=\($0)" }
            return """
                SET @k=(SELECT ID FROM \(table)\(known ?? "") WHERE ID=\(session.id) \
                AND CAST(USER AS BINARY)=\(literal(session.user)) AND CAST(HOST AS BINARY)=\(literal(session.host)));\
                KILL CONNECTION @k
                """
        }.joined(separator: ";")
    }

    private static let statementsPerSession = 2

    func answers(from reply: (results: [MySQLResult], failure: MySQLFailure?)) -> [KillAnswer?] {
        let accepted = reply.results.count / Self.statementsPerSession
        return sessions.indices.map { index in
            if index < accepted { return .accepted }
            guard let failure = reply.failure else { return .lost }
            // The server drops the rest of a packet at the first error.
            return index == accepted || failure.isConnectionLost ? KillAnswer(failure) : nil
        }
    }
}

/// One block that looks all sessions up at once and kills those it finds.
///
/// MariaDB has no table in which a single session could be looked up without
/// listing all. The block needs a third less time than as many KILL statements,
/// and goes on after an error (measured on 10.11).
struct MariaDBKillPacket: KillPacket {
    let sessions: [SessionIdentity]

    var sql: String {
        """
        BEGIN NOT ATOMIC \
        DECLARE e INT DEFAULT 0;DECLARE m TEXT DEFAULT '';DECLARE answers MEDIUMTEXT DEFAULT '';\
        DECLARE CONTINUE HANDLER FOR SQLEXCEPTION GET DIAGNOSTICS CONDITION 1 e=MYSQL_ERRNO,m=MESSAGE_TEXT;\
        FOR session IN (SELECT ID FROM information_schema.PROCESSLIST WHERE ID IN (\(ids)) AND \
        CONCAT(ID,' ',LENGTH(USER),' ',CAST(USER AS BINARY),CAST(HOST AS BINARY)) IN (\(identities))) DO \
        SET e=0,m='';KILL CONNECTION session.ID;\
        SET answers=CONCAT(answers,session.ID,' ',e,' ',REPLACE(m,'\\n',' '),'\\n');END FOR;\
        SELECT answers,e,m;END
        """
    }

    private var ids: String { sessions.map(\.id.description).joined(separator: ",") }

    /// Each session's id, user and host in one text, which the server looks up
    /// among the others; a thousand conditions it would try one by one.
    private var identities: String {
        sessions.map { literal("\($0.id) \($0.user.utf8.count) \($0.user)\($0.host)") }.joined(separator: ",")
    }

    func answers(from reply: (results: [MySQLResult], failure: MySQLFailure?)) -> [KillAnswer?] {
        guard let row = reply.results.first?.rows.first, row.count == 3 else {
            // Refused before it began, or interrupted nobody knows where.
            let answer: KillAnswer =
                if let failure = reply.failure, failure.isSyntaxError { KillAnswer(failure) } else { .lost }
            return sessions.map { _ in answer }
        }
        var answers: [ThreadID: KillAnswer] = [:]
        for line in (row[0] ?? "").utf8.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
                .map { String(Substring($0)) }
            guard words.count == 3, let id = ThreadID(text: words[0]), let code = UInt32(words[1]) else { continue }
            answers[id] = code == 0 ? .accepted : KillAnswer(MySQLFailure(code: code, message: words[2]))
        }
        // An error that was no KILL's was the lookup's.
        if answers.isEmpty, let code = row[1].flatMap({ UInt32($0) }), code > 0 {
            let answer = KillAnswer(MySQLFailure(code: code, message: row[2] ?? ""))
            return sessions.map { _ in answer }
        }
        return sessions.map { answers[$0.id] ?? .noSuchThread }
    }
}

// In the guards, only the CAST makes the comparison one of bytes: without it, the column's collation takes "APP" and
// "app " for "app" on one or both servers (measured).

/// A hexadecimal literal, which needs no escaping.
private func literal(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var literal = Array("X'".utf8)
    for byte in text.utf8 { literal += [digits[Int(byte >> 4)], digits[Int(byte & 0xF)]] }
    literal.append(UInt8(ascii: "'"))
    return String(decoding: literal, as: UTF8.self)
}

extension KillAnswer {
    fileprivate init(_ failure: MySQLFailure) {
        self =
            switch failure.code {
            case 1_094: .noSuchThread
            case 1_095, 1_227: .notPermitted
            // OceanBase's own: it gave up waiting, and another server of its cluster may do it all the same.
            case 4_012: .lost
            case _ where failure.isConnectionLost: .lost
            default: .refused(code: failure.code, message: failure.message)
            }
    }
}

extension MySQLFailure {
    fileprivate var isSyntaxError: Bool { code == 1_064 }
}
