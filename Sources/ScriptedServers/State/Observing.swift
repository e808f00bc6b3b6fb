import SessionKill
import Text

extension ScriptedServerState {
    /// What a connection is shown.
    public mutating func observe(
        _ scope: ObservationScope, on number: UInt64, at now: UnixTime
    ) throws(ServerError) -> ServerObservation {
        settle(at: now)
        let connection = try use(number, at: now)
        let isProxy = script.kind == .oceanBaseODP
        var observation = ServerObservation(
            fingerprint: process.fingerprint, sessions: [], ownThreadIDs: ownThreadIDs,
            missingKillPrivilege: missingKillPrivilege(of: connection), seesAllSessions: connection.account.seesAll,
            connectionIDs: isProxy ? [:] : nil,
            uptime: isProxy ? nil : uptime(at: now),
            connection: isProxy
                ? nil : ConnectionIdentity(number: number, threadID: connection.threadID, draw: connection.draw))
        guard scope != .server else { return observation }
        try requireList(on: connection)
        let reading = scope == .sessions || isProxy ? nil : reading(at: now)
        observation.transactionReading = reading?.number ?? 0
        observation.sessions = listed(on: connection, reading, withClients: scope == .locks, at: now)
        if scope == .locks { addLocks(to: &observation) }
        if isProxy { addConnections(to: &observation) }
        lists &+= 1
        looks &+= 1
        return observation
    }

    /// The sessions as a list would show them, without that anybody has looked.
    public func sessions(at now: UnixTime) -> [Session] {
        var unseen = self
        unseen.settle(at: now)
        return unseen.listed(on: nil, unseen.reading(at: now), withClients: true, at: now)
    }

    /// Which of `identities` are listed, or still have a thread.
    public mutating func present(
        among identities: [SessionIdentity], on number: UInt64, at now: UnixTime
    ) throws(ServerError) -> Set<ThreadID> {
        settle(at: now)
        let connection = try use(number, at: now)
        guard connection.account.seesAll else { throw .listIsPartial }
        looks &+= 1
        return Set(identities.filter(isPresent).map(\.id))
    }

    public mutating func transactions(on number: UInt64, at now: UnixTime) throws(ServerError) -> TransactionReading {
        settle(at: now)
        let connection = try use(number, at: now)
        guard connection.account.seesAll else { throw .listIsPartial }
        // An ODP tells of none.
        return script.kind == .oceanBaseODP ? TransactionReading(number: 0, transactions: []) : reading(at: now)
    }

    /// `nil` where there is no proxy.
    public mutating func serverSessions(
        of session: SessionIdentity, on number: UInt64, at now: UnixTime
    ) throws(ServerError) -> [ServerSession]? {
        settle(at: now)
        _ = try use(number, at: now)
        guard script.kind == .oceanBaseODP else { return nil }
        guard let live = sessions[session.id], session.isSameSession(as: identity(of: live)) else { return [] }
        return live.proxy?.serverSessions ?? []
    }

    // MARK: Who sees what

    /// A clock that was set to before the start leaves the server as old as it was when the scene began.
    private func uptime(at now: UnixTime) -> Int64 {
        let passed = now.seconds(since: process.startedAt)
        return passed < 0 ? script.uptime : passed
    }

    private var ownThreadIDs: Set<ThreadID> { Set(connections.values.map(\.threadID)) }

    func missingKillPrivilege(of connection: OwnConnection) -> String? {
        guard !connection.account.privileges.contains(.connectionAdmin) else { return nil }
        switch script.kind {
        case .mysql: return "CONNECTION_ADMIN"
        case .mariadb: return "CONNECTION ADMIN"
        case .oceanBaseODP: return "KILL PROXYSESSION (root@sys)"
        }
    }

    /// - Throws: ``ServerError`` if the list would not be shown whole.
    private mutating func requireList(on connection: OwnConnection) throws(ServerError) {
        guard connection.account.seesAll else {
            throw script.kind == .oceanBaseODP ? .listIsPartialOnProxy : .listIsPartial
        }
        guard let refusal = takeRefusal(ofConnecting: false) else { return }
        // The connection is of no more use with so much in it.
        if refusal == .resultTooLarge { disconnect(connection.number) }
        throw ServerError(refusal, connection.account.user, self)
    }

    private func isPresent(_ identity: SessionIdentity) -> Bool {
        guard let live = sessions[identity.id] else {
            return connections.values.contains { $0.threadID == identity.id }
        }
        if let held = identity.proxy?.serverSession { return live.proxy?.serverSessions.contains(held) == true }
        guard live.isUnlisted(on: script.kind) else {
            return script.kind == .oceanBaseODP
                ? identity.isSameSession(as: self.identity(of: live)) : live.user.isSame(as: identity.user)
        }
        // Its thread is still there.
        return script.showsPerformanceSchema && live.performanceSchemaThreadID == identity.performanceSchemaThreadID
    }

    // MARK: The list

    func identity(of live: LiveSession, withClient: Bool = false) -> SessionIdentity {
        var identity = live.identity
        if script.showsPerformanceSchema {
            identity.performanceSchemaThreadID = live.performanceSchemaThreadID
            if withClient { identity.client = live.client }
        }
        identity.proxy = live.proxy.map { proxy in
            ProxySession(
                id: proxy.isPinnable ? process.proxySessionID(of: live.id) : 0, cluster: proxy.cluster,
                tenant: proxy.tenant, transactionCount: proxy.transactionCount)
        }
        return identity
    }

    private func listed(
        on connection: OwnConnection?, _ reading: TransactionReading?, withClients: Bool, at now: UnixTime
    ) -> [Session] {
        var transactions: [ThreadID: Transaction] = [:]
        for open in reading?.transactions ?? [] {
            if let thread = open.thread { transactions[thread] = open.transaction }
        }
        // MySQL shows a prepared one apart; whose it was, performance_schema alone knows.
        let anyIsNobodys =
            script.kind == .mysql
            && reading?.transactions.contains { $0.thread == nil && !$0.transaction.isRollingBack } == true
        var list: [Session] = []
        for live in sessions.values where !live.isUnlisted(on: script.kind) {
            var details = live.listed(
                on: script.kind, transaction: transactions[live.id], lists: lists, at: now)
            if anyIsNobodys, !script.showsPerformanceSchema {
                details.preparedXA = .unknown
            } else if live.details.hasPreparedXA, reading != nil {
                details.preparedXA = .present
            }
            list.append(Session(identity: identity(of: live, withClient: withClients), details: details))
        }
        for own in connections.values { list.append(row(of: own, isAsking: own.number == connection?.number, at: now)) }
        return list.sorted { $0.id < $1.id }
    }

    private func row(of own: OwnConnection, isAsking: Bool, at now: UnixTime) -> Session {
        var identity = SessionIdentity(id: own.threadID, user: own.account.user, host: own.host)
        if script.showsPerformanceSchema { identity.performanceSchemaThreadID = own.performanceSchemaThreadID }
        if script.kind == .oceanBaseODP {
            identity.proxy = ProxySession(
                id: process.proxySessionID(of: own.threadID), cluster: "ob1", tenant: "sys", transactionCount: 0)
        }
        let seconds = max(0, now.seconds(since: own.lastUsed))
        let details =
            isAsking
            ? SessionDetails(
                command: "Query", seconds: 0, state: script.kind == .mariadb ? "starting" : "init",
                statement: script.kind == .oceanBaseODP ? "SHOW PROXYSESSION" : "SHOW FULL PROCESSLIST")
            : SessionDetails(command: "Sleep", seconds: seconds, state: "")
        return Session(identity: identity, details: details)
    }

    // MARK: Locks

    /// Metadata locks and those of GET_LOCK are told by performance_schema alone, row locks on MariaDB by InnoDB.
    private func addLocks(to observation: inout ServerObservation) {
        let listed = Set(observation.sessions.map(\.id))
        for live in sessions.values.sorted(by: { $0.id < $1.id }) where listed.contains(live.id) {
            switch live.waitsFor {
            case nil: break
            case .unexplained?: observation.lockWaits.unexplained.insert(live.id)
            case .lock(let lock, let holder)?:
                if script.showsPerformanceSchema || lock.kind == .row && script.kind == .mariadb {
                    observation.lockWaits.known.append(LockWait(waiter: live.id, holder: holder, lock: lock))
                } else {
                    observation.lockWaits.unexplained.insert(live.id)
                }
            }
            guard script.showsPerformanceSchema else { continue }
            if live.locks.contains(where: { $0.kind == .user }) { observation.heldLocks.user.insert(live.id) }
            if live.locks.contains(where: \.isGlobalReadOrBackupLock) { observation.heldLocks.global.insert(live.id) }
        }
    }

    // MARK: ODP

    /// Which sessions' connections to database servers have which ids, and which are OceanBase's own.
    private func addConnections(to observation: inout ServerObservation) {
        for live in sessions.values {
            guard let proxy = live.proxy else { continue }
            let name = live.user.split(separator: "@").first.map(String.init) ?? ""
            if ["proxyro", "monitor", "ocp"].contains(name) || ["proxysys", "ocp"].contains(proxy.tenant) {
                observation.systemSessions.insert(live.id)
            }
            guard proxy.isPinnable else { continue }
            for held in proxy.serverSessions {
                guard let id = ThreadID(held.connectionID), id != live.id else { continue }
                observation.connectionIDs?[id] = live.id
            }
        }
    }
}

extension OwnConnection.Account {
    var seesAll: Bool { privileges.contains(.process) }
}
