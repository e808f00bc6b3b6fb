import SessionKill
import Text

extension MySQLConnection {
    /// How many sessions one packet kills at most: it is the round trips that
    /// count, and on MariaDB that each packet reads the whole list, which takes
    /// two milliseconds for each 1,000 sessions.
    private static let largestPacket = 1_000
    /// How many sessions one packet kills at least. After a miss on MySQL the rest of the packet is sent again: where
    /// many miss, in small ones. On MariaDB a smaller one leaves less time in which a session goes on to its next
    /// command.
    private static let smallestPacket = 16
    /// How many sessions one packet kills at most where one list guards them: they then take about as long
    /// as the list of 1,000 sessions.
    private static let largestPacketGuardedByList = 32
    /// How often the list is read for them, where that is not too seldom. The fewer one list guards, the less time is left
    /// in which a session becomes another user's. Of 1,000, while some changed their user at random moments, died as
    /// another's: 113 of 136 by one list, 3 of 138 by one for each 32, 1 of 136 by one for each 8, none of 144 by one each.
    private static let readingsOfList = 100
    /// How many where each of their guards has MySQL read its whole list, about 5 ms for 1,000 sessions: each packet has
    /// the deadline of one call, which 1,000 guards did not meet on a machine that was busy.
    private static let packetGuardedByListEach = 100
    /// More bytes than an id takes in the statements that ask who is still there, and its part of their words.
    private static let presentBytesPerSession = 100
    /// How many where killd reads the list: to the time from the list to the KILL comes that of a round trip.
    private static let packetGuardedBefore = 8
    /// How often a session that goes on meanwhile is searched for on MariaDB.
    private static let attemptsForBusySession = 5

    /// One way to make sure that an id is still the session's when it is killed.
    private enum Step {
        /// A guard of its own for each KILL of a packet: a SELECT of the server's own, in a table with the columns ID,
        /// USER and HOST.
        case eachByTable(String)
        /// The blocks that only MariaDB has.
        case block(MariaDBKillPacket.Guards)
        /// A list that killd reads right before: where the server cannot run any other guard.
        case listBefore
    }

    private static let wholeList = "information_schema.PROCESSLIST"

    /// The strongest first; the next is for those sessions that the ones before it could not tell from others, or for
    /// which the server could not run them.
    private var steps: [Step] {
        let table = Self.wholeList
        if rights.oceanBase != nil { return [.eachByTable(table)] }
        if rights.isMariaDB {
            // An account that is shown its own sessions only does not see whose command has the number of one of them.
            let mayGuardByQueryID = rights.seesAllSessions && !rights.isGaleraNode
            return (mayGuardByQueryID ? [.block(.listAndQueryID)] : []) + [.block(.list), .listBefore]
        }
        // performance_schema finds a session without reading all others, and whatever statements they run: on
        // information_schema.PROCESSLIST every SELECT fails while one runs a statement beyond utf8mb3 (error 3854).
        // But it may have no room for some, and names others differently: of sessions of the X protocol it lacks the
        // port, of events and logins the user and the host (all measured).
        return (performanceSchema.processlist ? [.eachByTable("performance_schema.processlist")] : [])
            + [.eachByTable(table), .listBefore]
    }

    private static func packetGuardedByList(_ count: Int) -> Int {
        min(max(1, (count + readingsOfList - 1) / readingsOfList), largestPacketGuardedByList)
    }

    /// Sends a guarded KILL CONNECTION for each of `sessions`.
    ///
    /// The youngest first: MariaDB searches for an id from the youngest session
    /// down, and killing 10,000 from the oldest up took it five times as long.
    func kill(_ sessions: [SessionIdentity]) -> [KillResponse] {
        var responses = [KillResponse](repeating: .notSent, count: sessions.count)
        var left = sessions.indices.sorted { sessions[$0].id < sessions[$1].id }
        knownToPerformanceSchema = []
        for (number, step) in steps.enumerated() {
            guard !left.isEmpty, !isLost else { break }
            switch step {
            case .eachByTable(let table):
                // Most of those that performance_schema did not show are gone, and to find that out by this guard the
                // server would read its list once for each.
                if number > 0 { left = stillListed(left, of: sessions) }
                let readsWholeList = table.isSame(as: Self.wholeList)
                left = kill(
                    left, of: sessions, &responses,
                    atOnce: readsWholeList ? Self.packetGuardedByListEach : Self.largestPacket
                ) {
                    MySQLKillPacket(sessions: $0, table: table, mayReadThreads: performanceSchema.threads)
                }
                if number == 0, performanceSchema.processlist {
                    let missed = Set(left)
                    for index in sessions.indices where !missed.contains(index) {
                        knownToPerformanceSchema.insert(sessions[index].id)
                    }
                }
            case .block(let guards):
                left = kill(
                    left, of: sessions, &responses,
                    atOnce: guards == .list ? Self.packetGuardedByList(left.count) : Self.largestPacket,
                    attempts: guards == .list ? .max : Self.attemptsForBusySession
                ) { MariaDBKillPacket(sessions: $0, guards: guards) }
            case .listBefore:
                // Whom the guards before have searched for without finding this one would not find either.
                left = left.filter { responses[$0] != .notFound }
                left = kill(left, of: sessions, &responses, atOnce: Self.packetGuardedBefore) { batch in
                    PlainKillPacket(sessions: batch, listed: listed(among: batch))
                }
            }
        }
        return responses
    }

    /// - Parameters:
    ///   - indices: of those to be killed, the last one first.
    ///   - attempts: how often each of them is tried at most.
    /// - Returns: those for which no KILL was sent and another guard may do, in the same order.
    private func kill<Packet: KillPacket>(
        _ indices: [Int], of sessions: [SessionIdentity], _ responses: inout [KillResponse], atOnce limit: Int,
        attempts: Int = .max, _ packet: ([SessionIdentity]) -> Packet
    ) -> [Int] {
        var waiting = indices
        var left: [Int] = []
        var tries: [Int: Int] = [:]
        var size = limit
        while !waiting.isEmpty, !isLost {
            var batch = Array(waiting.suffix(size).reversed())
            var packetOfBatch = packet(batch.map { sessions[$0] })
            // The server takes no larger packet, and ends the connection that sends one.
            while batch.count > 1, let sql = packetOfBatch.sql, sql.utf8.count > largestStatement {
                batch.removeLast(batch.count / 2)
                packetOfBatch = packet(batch.map { sessions[$0] })
            }
            waiting.removeLast(batch.count)
            var again: [Int] = []
            for (index, response) in zip(batch, packetOfBatch.responses(from: send(packetOfBatch))) {
                switch response {
                case .final(let response): responses[index] = response
                case .unguarded(let response):
                    responses[index] = response
                    left.append(index)
                case .again:
                    tries[index, default: 0] += 1
                    if tries[index] == attempts { left.append(index) } else { again.append(index) }
                }
            }
            waiting += again.reversed()
            size = again.isEmpty ? min(size * 2, limit) : min(max(size / 4, Self.smallestPacket), limit)
        }
        return left.sorted { sessions[$0].id < sessions[$1].id }
    }

    private func send(_ packet: some KillPacket) -> KillReply {
        guard let sql = packet.sql else { return KillReply(results: []) }
        let (results, failure) = run(sql)
        var reply = KillReply(results: results, failure: failure)
        // What the server refused before it began has killed nobody; what it gave up half-way may have.
        if let check = packet.checkOfBeginning, results.isEmpty, failure?.isConnectionLost == false,
            (try? Rows(run(check).results, "how far the KILLs got").only().text("began")) == "0"
        {
            reply.hasBegun = false
        }
        return reply
    }

    // MARK: The list, right before

    /// Which of `sessions` the server lists now, by all that tells them from others.
    private func listed(among sessions: [SessionIdentity]) -> Result<Set<ThreadID>, ServerError> {
        do throws(ServerError) {
            var statements = ["SHOW PROCESSLIST"]
            let readsThreads = performanceSchema.threads && sessions.contains { $0.performanceSchemaThreadID != nil }
            if readsThreads { statements.append(Self.threadQuery(of: sessions)) }
            let responses = try query(statements.joined(separator: ";"))
            guard responses.count == statements.count else { throw .senseless("the session list") }
            let threadIDs = readsThreads ? try Self.threadIDs(responses[1]) : [:]
            let now = try Self.sessions(responses[0], [:], threadIDs: threadIDs)
            let byID = Dictionary(now.map { ($0.id, $0.identity) }, uniquingKeysWith: { first, _ in first })
            return .success(
                Set(sessions.filter { session in byID[session.id].map(session.isSameSession) == true }.map(\.id)))
        } catch {
            return .failure(error)
        }
    }

    private func stillListed(_ indices: [Int], of sessions: [SessionIdentity]) -> [Int] {
        guard !indices.isEmpty, case .success(let listed) = listed(among: indices.map { sessions[$0] }) else {
            return indices
        }
        return indices.filter { listed.contains(sessions[$0].id) }
    }

    private static func threadQuery(of sessions: [SessionIdentity]) -> String {
        """
        SELECT PROCESSLIST_ID AS processlist_id, THREAD_ID AS thread_id FROM performance_schema.threads \
        WHERE PROCESSLIST_ID IN (\(sessions.map(\.id.description).joined(separator: ",")))
        """
    }

    // MARK: Who is there

    /// Which of `sessions` are still listed, wherever the server lists sessions, or still have a thread.
    func present(among sessions: [SessionIdentity]) throws(ServerError) -> Set<ThreadID> {
        guard !sessions.isEmpty else { return [] }
        let most = max(1, largestStatement / Self.presentBytesPerSession)
        guard sessions.count <= most else {
            let rest = try present(among: Array(sessions.dropFirst(most)))
            return try present(among: Array(sessions.prefix(most))).union(rest)
        }
        let pinned = Dictionary(sessions.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        guard performanceSchema.processlist else { return try listed(pinned) }
        let ids = sessions.map(\.id.description).joined(separator: ",")
        var statements = ["SELECT ID AS id, USER AS user FROM performance_schema.processlist WHERE ID IN (\(ids))"]
        // MySQL takes an idle session off the list before it has undone the session's transaction.
        if performanceSchema.threads { statements.append(Self.threadQuery(of: sessions)) }
        let responses = try query(statements.joined(separator: ";"))
        guard responses.count == statements.count else { throw .senseless("the session list") }
        // It shows no user of a running event, and calls it by that of the server's own threads.
        var present = try Self.present(pinned, in: responses[0], alsoAs: ["system user"])
        knownToPerformanceSchema.formUnion(present)
        if performanceSchema.threads {
            for (id, threadID) in try Self.threadIDs(responses[1])
            where pinned[id]?.performanceSchemaThreadID == threadID { present.insert(id) }
        }
        let doubtful = pinned.filter { !present.contains($0.key) && !knownToPerformanceSchema.contains($0.key) }
        return doubtful.isEmpty ? present : present.union(try listed(doubtful))
    }

    private func listed(_ pinned: [ThreadID: SessionIdentity]) throws(ServerError) -> Set<ThreadID> {
        // Where it can be had without the others, and no performance_schema has it; MySQL's fails now and then (3854).
        if !performanceSchema.processlist {
            let ids = pinned.keys.map(\.description).joined(separator: ",")
            let response = run("SELECT ID AS id, USER AS user FROM information_schema.PROCESSLIST WHERE ID IN (\(ids))")
            if let result = response.results.first, response.failure == nil {
                return try Self.present(pinned, in: result)
            }
        }
        let responses = try query("SHOW PROCESSLIST")
        guard responses.count == 1 else { throw .senseless("the session list") }
        return try Self.present(pinned, in: responses[0])
    }

    private static func present(
        _ pinned: [ThreadID: SessionIdentity], in list: MySQLResult, alsoAs names: [String] = []
    ) throws(ServerError) -> Set<ThreadID> {
        let listed = try Rows(list, "the session list")
        let (id, user) = (try listed.column("id"), try listed.column("user"))
        var present: Set<ThreadID> = []
        for row in listed {
            guard let id = try row.thread(id), let session = pinned[id] else { continue }
            // A session that is being torn down may have lost its user's name already.
            let user = row.text(user) ?? ""
            if ([session.user, "", "unauthenticated user"] + names).contains(where: user.isSame) { present.insert(id) }
        }
        return present
    }
}
