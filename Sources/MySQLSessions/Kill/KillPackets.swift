import SessionKill

/// One packet that kills sessions, each only if its id still belongs to the pinned user and host.
protocol KillPacket {
    /// The statements of the packet; `nil` if there is nobody to kill.
    var sql: String? { get }
    /// Says as `began`, after the server gave no result of the packet, whether it is sure to have killed nobody: `0`.
    var checkOfBeginning: String? { get }

    /// What became of each session.
    func responses(from reply: KillReply) -> [PacketResponse]
}

extension KillPacket {
    var checkOfBeginning: String? { nil }
}

/// What the server said to a packet of KILLs.
struct KillReply {
    var results: [MySQLResult]
    /// What came after the results.
    var failure: MySQLFailure?
    /// Whether some may have been killed even if there is no result.
    var hasBegun = true
}

enum PacketResponse: Hashable {
    case final(KillResponse)
    /// No KILL was sent: the server did not come to it, or the session went on
    /// to another command after the list was read.
    case again
    /// No KILL was sent: the server cannot run this guard, or it cannot tell the session from others.
    ///
    /// - Parameter answer: if no other guard can.
    case unguarded(KillResponse)
}

/// A packet with a guard and a KILL for each session, one right after the other.
///
/// `KILL CONNECTION NULL` is error 1094 and hits nobody. The guards cost less
/// than nothing: MySQL 9.7 spins in KILL until the victim's thread has woken up
/// (`vio_wait_until_woken`), and where KILLs follow each other without a pause
/// that waits for a processor. On two cores 1,000 took 212 ms so, 386 ms in
/// packets without guards, and 299 ms as single statements (medians of 15 or
/// more; single runs took up to three times as long).
struct MySQLKillPacket: KillPacket {
    let sessions: [SessionIdentity]
    /// The table in which the guards look; it has the columns ID, USER and HOST.
    let table: String
    /// Whether performance_schema's threads may be read.
    let mayReadThreads: Bool

    var sql: String? {
        sessions.map { session in
            let known = thread(of: session).map {
                " JOIN performance_schema.threads ON PROCESSLIST_ID=ID AND THREAD_ID=\($0)"
            }
            return """
                SET @k=(SELECT ID FROM \(table)\(known ?? "") WHERE ID=\(session.id) \
                AND CAST(USER AS BINARY)=\(literal(session.user)) AND CAST(HOST AS BINARY)=\(literal(session.host)));\
                KILL CONNECTION @k
                """
        }.joined(separator: ";")
    }

    /// The session's THREAD_ID, which one server process never uses twice; `nil` where it is not known.
    private func thread(of session: SessionIdentity) -> UInt64? {
        mayReadThreads ? session.performanceSchemaThreadID : nil
    }

    private static let statementsPerSession = 2

    func responses(from reply: KillReply) -> [PacketResponse] {
        let (accepted, others) = reply.results.count.quotientAndRemainder(dividingBy: Self.statementsPerSession)
        return sessions.indices.map { index in
            if index < accepted { return .final(.accepted(by: thread(of: sessions[index]) == nil ? .list : .threadID)) }
            guard let failure = reply.failure else { return .final(.lost) }
            if failure.isConnectionLost { return .final(KillResponse(failure)) }
            // The guard, which the server cannot run for the others either.
            if others == 0 { return .unguarded(KillResponse(failure)) }
            // It drops the rest of a packet at the first error.
            guard index == accepted else { return .again }
            return failure.isOfNoThread ? .unguarded(.notFound) : .final(KillResponse(failure))
        }
    }
}

/// The KILLs alone, of sessions that were listed a moment ago.
struct PlainKillPacket: KillPacket {
    let sessions: [SessionIdentity]
    /// Which of them killd has just found in a list that it read on the same connection, or why it could not.
    let listed: Result<Set<ThreadID>, ServerError>

    private var victims: [SessionIdentity] {
        guard case .success(let listed) = listed else { return [] }
        return sessions.filter { listed.contains($0.id) }
    }

    var sql: String? {
        victims.isEmpty ? nil : victims.map { "KILL CONNECTION \($0.id)" }.joined(separator: ";")
    }

    func responses(from reply: KillReply) -> [PacketResponse] {
        if case .failure(let error) = listed {
            let isLost = [.connectionLost, .timedOut, .resultTooLarge].contains(error.reason)
            let response: KillResponse = isLost ? .notSent : .rejected(code: error.code, message: error.description)
            return sessions.map { _ in .final(response) }
        }
        var responses: [ThreadID: PacketResponse] = [:]
        for (index, session) in victims.enumerated() {
            responses[session.id] =
                if index < reply.results.count {
                    .final(.accepted(by: .listBefore))
                } else if let failure = reply.failure {
                    index == reply.results.count || failure.isConnectionLost ? .final(KillResponse(failure)) : .again
                } else {
                    .final(.lost)
                }
        }
        return sessions.map { responses[$0.id] ?? .final(.notFound) }
    }
}

/// One block that searches for all sessions at once and kills those it finds.
///
/// MariaDB has no table in which a single session could be looked up without
/// listing all, so that between the list and the last of many KILLs there are
/// tens of milliseconds, in which COM_CHANGE_USER may hand a connection to
/// somebody else. But every command gives its session a new number, and KILL
/// QUERY ID takes no other than that of the session's last command, which it
/// finds as fast as KILL finds an id. Sent right before the KILL CONNECTION it
/// proves that since the list the session has not begun anything, a change of
/// user included; what it ends is about to end anyway.
struct MariaDBKillPacket: KillPacket {
    enum Guards {
        case listAndQueryID
        /// The list alone, for sessions that go on to the next command before the KILL comes, and
        /// for those that have no number of their own: none before the first
        /// command, after COM_PING that of somebody's next. From the list to the
        /// KILL there are a few milliseconds.
        case list
    }

    let sessions: [SessionIdentity]
    let guards: Guards
    /// The number by which the connection remembers that it came to the KILLs of this packet and no other.
    private let mark = UInt32.random(in: 1...UInt32.max)

    init(sessions: [SessionIdentity], guards: Guards) {
        self.sessions = sessions
        self.guards = guards
    }

    var checkOfBeginning: String? { "SELECT COALESCE(@k=\(mark),0) AS began" }

    /// The block. Its handler is around the KILLs alone: one that goes on after an error of the
    /// list leaves nothing but the loop's own, "Cursor is not open" (1326).
    var sql: String? {
        let handler = """
            DECLARE e INT DEFAULT 0;DECLARE m TEXT DEFAULT '';\
            DECLARE CONTINUE HANDLER FOR SQLEXCEPTION GET DIAGNOSTICS CONDITION 1 e=MYSQL_ERRNO,m=MESSAGE_TEXT;
            """
        func note(_ id: String) -> String { "SET answers=CONCAT(answers,\(id),' ',e,' ',REPLACE(m,'\\n',' '),'\\n');" }
        let kills =
            switch guards {
            case .listAndQueryID:
                """
                SET @k=\(mark);FOR s IN (\(snapshotWithQueryIDs)) DO BEGIN \(handler)\
                IF s.isOwn THEN SET own=s.q;ELSE \
                IF s.isChanging OR s.q>=own THEN SET e=\(ErrorNumber.noSuchQuery);ELSE KILL QUERY ID s.q;END IF;\
                IF e=0 THEN KILL CONNECTION s.id;IF e=\(ErrorNumber.noSuchThread) THEN SET e=0;END IF;END IF;\
                \(note("s.id"))END IF;\
                END;END FOR;
                """
            // A loop over the SELECT itself would have the server read its list twice (measured: 13 ms, not 5, for one
            // of 1,000 sessions). If there are too many for the text, its last id is cut and not taken.
            case .list:
                """
                SELECT COALESCE(GROUP_CONCAT(LPAD(ID,\(Self.digits),'0') ORDER BY ID DESC SEPARATOR ''),'') INTO ids \
                FROM information_schema.PROCESSLIST WHERE \(condition);SET @k=\(mark);\
                WHILE (n+1)*\(Self.digits)<=LENGTH(ids) DO BEGIN \(handler)\
                SET victim=MID(ids,n*\(Self.digits)+1,\(Self.digits)),n=n+1;KILL CONNECTION victim;\(note("victim"))\
                END;END WHILE;
                """
            }
        return """
            BEGIN NOT ATOMIC \
            DECLARE answers MEDIUMTEXT DEFAULT '';DECLARE own,victim BIGINT UNSIGNED DEFAULT 0;\
            DECLARE ids LONGBLOB;DECLARE n INT DEFAULT 0;\
            DECLARE failure INT DEFAULT 0;DECLARE reason TEXT DEFAULT '';\
            BEGIN \
            DECLARE EXIT HANDLER FOR SQLEXCEPTION \
            GET DIAGNOSTICS CONDITION 1 failure=MYSQL_ERRNO,reason=MESSAGE_TEXT;\
            \(kills)END;\
            SELECT answers,failure,reason;END
            """
    }

    /// How many digits each id has in a text of many.
    private static let digits = 20

    /// Only sessions whose number nobody else has: KILL QUERY ID must not find a
    /// stranger. A number that was given out before this block's own nobody is
    /// given any more; so its own comes first.
    private var snapshotWithQueryIDs: String {
        """
        SELECT MAX(ID) AS id,QUERY_ID AS q,MAX(ID=CONNECTION_ID()) AS isOwn,\
        MAX(CAST(COMMAND AS BINARY)='Change user') AS isChanging FROM information_schema.PROCESSLIST \
        GROUP BY QUERY_ID HAVING COUNT(*)=1 AND q>0 AND (isOwn OR MAX(\(condition))) ORDER BY isOwn DESC,id DESC
        """
    }

    /// Each session's id, user and host in one text, which the server finds
    /// among the others; a thousand conditions it would try one by one.
    private var condition: String {
        let ids = sessions.map(\.id.description).joined(separator: ",")
        let identities = sessions.map { literal("\($0.id) \($0.user.utf8.count) \($0.user)\($0.host)") }
        return """
            ID IN (\(ids)) AND CONCAT(ID,' ',LENGTH(USER),' ',CAST(USER AS BINARY),CAST(HOST AS BINARY)) \
            IN (\(identities.joined(separator: ",")))
            """
    }

    func responses(from reply: KillReply) -> [PacketResponse] {
        guard let row = try? Rows(reply.results.first, "the KILLs").only(),
            let (answers, failure, reason) = try? (row.text("answers"), row.text("failure"), row.text("reason"))
        else {
            // Refused before it began, or interrupted nobody knows where.
            if let failure = reply.failure, failure.isRefusedWhole {
                return sessions.map { _ in .final(KillResponse(failure)) }
            }
            guard let failure = reply.failure, !reply.hasBegun else { return sessions.map { _ in .final(.lost) } }
            return sessions.map { _ in .unguarded(KillResponse(failure)) }
        }
        var responses: [ThreadID: PacketResponse] = [:]
        for line in (answers ?? "").utf8.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
                .map { String(Substring($0)) }
            guard words.count == 3, let id = ThreadID(text: words[0]), let code = UInt32(words[1]) else { continue }
            responses[id] =
                switch code {
                case 0: .final(.accepted(by: guards == .list ? .list : .queryID))
                case ErrorNumber.noSuchQuery: .again
                default: .final(KillResponse(MySQLFailure(code: code, message: words[2])))
                }
        }
        var others = PacketResponse.unguarded(.notFound)
        if let code = failure.flatMap({ UInt32($0) }), code > 0 {
            others = .unguarded(KillResponse(MySQLFailure(code: code, message: reason ?? "")))
        }
        return sessions.map { responses[$0.id] ?? others }
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

extension KillResponse {
    fileprivate init(_ failure: MySQLFailure) {
        self =
            switch failure.code {
            case ErrorNumber.noSuchThread: .noSuchThread
            case ErrorNumber.killDenied, ErrorNumber.killQueryDenied, ErrorNumber.specificAccessDenied:
                .notPermitted(message: failure.message)
            // It gave up waiting, and another server of its cluster may do it all the same.
            case ErrorNumber.oceanBaseTimeout: .lost
            case _ where failure.isConnectionLost && !failure.isRefusedWhole: .lost
            default: .rejected(code: failure.code, message: failure.message)
            }
    }
}

extension MySQLFailure {
    /// What the server says to KILL NULL: its guard has not found the session.
    fileprivate var isOfNoThread: Bool {
        code == ErrorNumber.noSuchThread && message.utf8.filter { (0x30...0x39).contains($0) }.elementsEqual("0".utf8)
    }
}
