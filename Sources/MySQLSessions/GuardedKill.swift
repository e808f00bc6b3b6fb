import SessionKill
import Text

extension MySQLConnection {
    /// How many sessions one packet kills at most: it is the round trips that
    /// count, and on MariaDB that each packet reads the whole list, which takes
    /// two milliseconds for each 1,000 sessions.
    private static let largestPacket = 1_000
    /// After a miss on MySQL the rest of the packet is sent again: where many
    /// miss, in small ones. On MariaDB a smaller one leaves less time in which a
    /// session goes on to its next command.
    private static let smallestPacket = 16
    /// On MariaDB, where the list alone guards: the KILLs then take about as long
    /// as the list of 1,000 sessions.
    private static let packetGuardedByList = 32
    /// More than an id takes in the statements that look for those who are still there, and its part of their words.
    private static let presentBytesPerSession = 100
    /// How often a session that goes on meanwhile is looked for on MariaDB.
    private static let looksForBusySession = 5

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
        let all = sessions.indices.sorted { sessions[$0].id < sessions[$1].id }
        guard rights.isMariaDB else {
            let hasThreads = performanceSchema.threads && !performanceSchemaLostThreads
            kill(all, of: sessions, &answers, atOnce: Self.largestPacket) {
                MySQLKillPacket(sessions: $0, table: sessionTable, hasThreads: hasThreads)
            }
            return answers
        }
        var left = all
        // An account that is shown its own sessions only does not see whose command has the number of one of them.
        if rights.seesAllSessions {
            left = kill(all, of: sessions, &answers, atOnce: Self.largestPacket, looks: Self.looksForBusySession) {
                MariaDBKillPacket(sessions: $0, guards: .listAndQueryID)
            }
        }
        kill(left, of: sessions, &answers, atOnce: Self.packetGuardedByList) {
            MariaDBKillPacket(sessions: $0, guards: .list)
        }
        return answers
    }

    /// - Parameters:
    ///   - indices: of those to be killed, the last one first.
    ///   - looks: how often each of them is tried at most.
    /// - Returns: those that are left without an answer, in the same order.
    @discardableResult
    private func kill<Packet: KillPacket>(
        _ indices: [Int], of sessions: [SessionIdentity], _ answers: inout [KillAnswer], atOnce limit: Int,
        looks: Int = .max, _ packet: ([SessionIdentity]) -> Packet
    ) -> [Int] {
        var waiting = indices
        var left: [Int] = []
        var tries: [Int: Int] = [:]
        var size = limit
        while !waiting.isEmpty, !isLost {
            var batch = Array(waiting.suffix(size).reversed())
            // The server takes no larger packet, and ends the connection that sends one.
            while batch.count > 1, packet(batch.map { sessions[$0] }).sql.utf8.count > largestStatement {
                batch.removeLast(batch.count / 2)
            }
            waiting.removeLast(batch.count)
            let packet = packet(batch.map { sessions[$0] })
            var again: [Int] = []
            for (index, answer) in zip(batch, packet.answers(from: run(packet.sql))) {
                switch answer {
                case .final(let answer): answers[index] = answer
                case .ambiguous: left.append(index)
                case .again:
                    tries[index, default: 0] += 1
                    if tries[index] == looks { left.append(index) } else { again.append(index) }
                }
            }
            waiting += again.reversed()
            size = again.isEmpty ? min(size * 2, limit) : max(size / 4, Self.smallestPacket)
        }
        return left.sorted { sessions[$0].id < sessions[$1].id }
    }

    /// Which of `sessions` are still listed, or still have a thread, in one round trip.
    func present(among sessions: [SessionIdentity]) throws(ServerError) -> Set<ThreadID> {
        guard !sessions.isEmpty else { return [] }
        let most = max(1, largestStatement / Self.presentBytesPerSession)
        guard sessions.count <= most else {
            let rest = try present(among: Array(sessions.dropFirst(most)))
            return try present(among: Array(sessions.prefix(most))).union(rest)
        }
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

    /// What became of each session.
    func answers(from reply: (results: [MySQLResult], failure: MySQLFailure?)) -> [PacketAnswer]
}

enum PacketAnswer: Hashable {
    case final(KillAnswer)
    /// No KILL was sent: the server did not come to it, or the session went on
    /// to another command after the look.
    case again
    /// No KILL was sent: this kind of packet cannot tell the session from others.
    case ambiguous
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

    func answers(from reply: (results: [MySQLResult], failure: MySQLFailure?)) -> [PacketAnswer] {
        let accepted = reply.results.count / Self.statementsPerSession
        return sessions.indices.map { index in
            if index < accepted { return .final(.accepted) }
            guard let failure = reply.failure else { return .final(.lost) }
            // The server drops the rest of a packet at the first error.
            return index == accepted || failure.isConnectionLost ? .final(KillAnswer(failure)) : .again
        }
    }
}

/// One block that looks all sessions up at once and kills those it finds.
///
/// MariaDB has no table in which a single session could be looked up without
/// listing all, so that between the look and the last of many KILLs there are
/// tens of milliseconds, in which COM_CHANGE_USER may hand a connection to
/// somebody else. But every command gives its session a new number, and KILL
/// QUERY ID takes no other than that of the session's last command, which it
/// finds as fast as KILL finds an id. Sent right before the KILL CONNECTION it
/// proves that since the look the session has not begun anything, a change of
/// user included; what it ends is about to end anyway.
struct MariaDBKillPacket: KillPacket {
    enum Guards {
        case listAndQueryID
        /// For sessions that go on to the next command before the KILL comes, and
        /// for those that have no number of their own: none before the first
        /// command, after COM_PING that of somebody's next. From the look to the
        /// KILL there are a few milliseconds.
        case list
    }

    let sessions: [SessionIdentity]
    let guards: Guards

    /// A handler around the KILLs alone: one that goes on after an error of the
    /// look leaves nothing but the loop's own, "Cursor is not open" (1326).
    var sql: String {
        let note = "SET answers=CONCAT(answers,s.id,' ',e,' ',REPLACE(m,'\\n',' '),'\\n');"
        let (look, body) =
            switch guards {
            case .listAndQueryID:
                (
                    lookWithQueryIDs,
                    """
                    IF s.isOwn THEN SET own=s.q;ELSE \
                    IF s.isChanging OR s.q>=own THEN SET e=\(Self.unknownQueryID);ELSE KILL QUERY ID s.q;END IF;\
                    IF e=0 THEN KILL CONNECTION s.id;END IF;\(note)END IF;
                    """
                )
            case .list: (listLook, "KILL CONNECTION s.id;\(note)")
            }
        return """
            BEGIN NOT ATOMIC \
            DECLARE answers MEDIUMTEXT DEFAULT '';DECLARE own BIGINT UNSIGNED DEFAULT 0;\
            DECLARE failure INT DEFAULT 0;DECLARE reason TEXT DEFAULT '';\
            BEGIN \
            DECLARE EXIT HANDLER FOR SQLEXCEPTION \
            GET DIAGNOSTICS CONDITION 1 failure=MYSQL_ERRNO,reason=MESSAGE_TEXT;\
            FOR s IN (\(look)) DO BEGIN \
            DECLARE e INT DEFAULT 0;DECLARE m TEXT DEFAULT '';\
            DECLARE CONTINUE HANDLER FOR SQLEXCEPTION GET DIAGNOSTICS CONDITION 1 e=MYSQL_ERRNO,m=MESSAGE_TEXT;\
            \(body)\
            END;END FOR;END;\
            SELECT answers,failure,reason;END
            """
    }

    /// ER_NO_SUCH_QUERY.
    private static let unknownQueryID = 1_957

    private var listLook: String {
        "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE \(condition) ORDER BY ID DESC"
    }

    /// Only sessions whose number nobody else has: KILL QUERY ID must not find a
    /// stranger. A number that was given out before this block's own nobody is
    /// given any more; so its own comes first.
    private var lookWithQueryIDs: String {
        """
        SELECT MAX(ID) AS id,QUERY_ID AS q,MAX(ID=CONNECTION_ID()) AS isOwn,\
        MAX(CAST(COMMAND AS BINARY)='Change user') AS isChanging FROM information_schema.PROCESSLIST \
        GROUP BY QUERY_ID HAVING COUNT(*)=1 AND q>0 AND (isOwn OR MAX(\(condition))) ORDER BY isOwn DESC,id DESC
        """
    }

    /// Each session's id, user and host in one text, which the server looks up
    /// among the others; a thousand conditions it would try one by one.
    private var condition: String {
        let ids = sessions.map(\.id.description).joined(separator: ",")
        let identities = sessions.map { literal("\($0.id) \($0.user.utf8.count) \($0.user)\($0.host)") }
        return """
            ID IN (\(ids)) AND CONCAT(ID,' ',LENGTH(USER),' ',CAST(USER AS BINARY),CAST(HOST AS BINARY)) \
            IN (\(identities.joined(separator: ",")))
            """
    }

    func answers(from reply: (results: [MySQLResult], failure: MySQLFailure?)) -> [PacketAnswer] {
        guard let row = reply.results.first?.rows.first, row.count == 3 else {
            // Refused before it began, or interrupted nobody knows where.
            let answer: KillAnswer =
                if let failure = reply.failure, failure.isSyntaxError || failure.isRefusedWhole { KillAnswer(failure) } else { .lost }
            return sessions.map { _ in .final(answer) }
        }
        var answers: [ThreadID: PacketAnswer] = [:]
        for line in (row[0] ?? "").utf8.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
                .map { String(Substring($0)) }
            guard words.count == 3, let id = ThreadID(text: words[0]), let code = UInt32(words[1]) else { continue }
            answers[id] =
                switch code {
                case 0: .final(.accepted)
                case UInt32(Self.unknownQueryID): .again
                default: .final(KillAnswer(MySQLFailure(code: code, message: words[2])))
                }
        }
        var others: PacketAnswer = guards == .list ? .final(.noSuchThread) : .ambiguous
        if let code = row[1].flatMap({ UInt32($0) }), code > 0 {
            others = .final(KillAnswer(MySQLFailure(code: code, message: row[2] ?? "")))
        }
        return sessions.map { answers[$0.id] ?? others }
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
            // The last is what MariaDB says to KILL QUERY ID.
            case 1_095, 1_227, 1_979: .notPermitted(message: failure.message)
            // OceanBase's own: it gave up waiting, and another server of its cluster may do it all the same.
            case 4_012: .lost
            case _ where failure.isConnectionLost && !failure.isRefusedWhole: .lost
            default: .refused(code: failure.code, message: failure.message)
            }
    }
}

extension MySQLFailure {
    fileprivate var isSyntaxError: Bool { code == 1_064 }
}
