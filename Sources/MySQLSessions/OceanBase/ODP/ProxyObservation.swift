import SessionKill
import Text

/// What one observation of an ODP tells.
struct ProxySnapshot {
    var fingerprint: ServerFingerprint
    var sessions: [Session] = []
    var systemSessions: Set<ThreadID> = []
    /// The sessions' ids by those of their connections to database servers.
    var connectionIDs: [ThreadID: ThreadID] = [:]
}

extension MySQLConnection {
    /// Observes the ODP, and for the sessions also what their database servers
    /// say: two round trips, since a packet holds one command to the ODP only.
    func observeProxy(_ login: ProxyLogin, _ scope: ObservationScope) throws(ServerError) -> ProxySnapshot {
        guard scope != .server else {
            let attributes = try ProxyAttributes(try query("SHOW PROXYSESSION ATTRIBUTE"))
            guard attributes.origin == login.origin else { throw login.replaced(by: attributes.origin) }
            return ProxySnapshot(fingerprint: login.fingerprint)
        }
        guard login.seesAllSessions else {
            throw ServerError(
                .privilegeMissing(ProxyLogin.missingListPrivilege),
                "the ODP shows \(login.user)@\(login.tenant) its own session only")
        }
        let listed = try provenSessions(of: login)
        let connections = login.seesServers ? try serverConnections(from: login.origin) : [:]
        var snapshot = ProxySnapshot(fingerprint: login.fingerprint)
        var ambiguous: Set<ThreadID> = []
        for session in listed.values.map({ $0.origin == login.origin ? $0 : $0.unpinnable }) {
            let held = session.identity.proxy.flatMap { connections[$0.id] } ?? []
            snapshot.sessions.append(Session(identity: session.identity, details: session.details(held)))
            if session.isSystem { snapshot.systemSessions.insert(session.identity.id) }
            guard session.identity.isPinnable else { continue }
            for id in held.compactMap(\.id) where id != session.identity.id {
                if snapshot.connectionIDs.updateValue(session.identity.id, forKey: id) != nil { ambiguous.insert(id) }
            }
        }
        for id in ambiguous { snapshot.connectionIDs[id] = nil }
        return snapshot
    }

    /// All sessions of the ODP's clients, if it is still the ODP that killd
    /// logged in to.
    func provenSessions(of login: ProxyLogin) throws(ServerError) -> [ThreadID: ProxyClientSession] {
        let sessions = try proxySessions()
        guard let own = sessions[threadID] else {
            throw ServerError(.behindProxy, "the list of the ODP's sessions lacks killd's own \(threadID)")
        }
        guard own.origin == login.origin else { throw login.replaced(by: own.origin) }
        return sessions
    }

    /// What all database servers say of connections from an ODP, by `proxy_sessid`.
    private func serverConnections(
        from origin: ProxyOrigin
    ) throws(ServerError) -> [UInt64: [ServerConnectionRow]] {
        // No column that OceanBase 4.0 would lack.
        let responses = try query(
            """
            SELECT ID AS id, COMMAND AS command, TIME AS time, STATE AS state, \
            LEFT(INFO,\(SessionListSource.longestStatement)) AS info, PROXY_SESSID AS proxy_sessid \
            FROM oceanbase.GV$OB_PROCESSLIST \
            WHERE PROXY_SESSID BETWEEN \(origin.proxySessionIDs.lowerBound) AND \(origin.proxySessionIDs.upperBound)
            """)
        let rows = try Rows(responses, "GV$OB_PROCESSLIST")
        let (id, command, time) = (try rows.column("id"), try rows.column("command"), try rows.column("time"))
        let (state, info) = (try rows.column("state"), try rows.column("info"))
        let proxySession = try rows.column("proxy_sessid")
        var connections: [UInt64: [ServerConnectionRow]] = [:]
        for row in rows {
            connections[try row.unsigned(proxySession), default: []].append(
                ServerConnectionRow(
                    id: try row.thread(id), command: try row.name(command) ?? "", seconds: try row.seconds(time),
                    state: try row.name(state) ?? "",
                    statement: try row.statement(info, cut: SessionListSource.longestStatement)))
        }
        return connections
    }

    /// The states in which database servers show connections of `sessions`, by
    /// session.
    func serverStates(of sessions: [SessionIdentity]) throws(ServerError) -> [ThreadID: [String]] {
        let ids = Dictionary(
            sessions.compactMap { session in session.proxy.map { ($0.id, session.id) } },
            uniquingKeysWith: { first, _ in first })
        guard !ids.isEmpty else { return [:] }
        let responses = try query(
            """
            SELECT PROXY_SESSID AS proxy_sessid, STATE AS state FROM oceanbase.GV$OB_PROCESSLIST \
            WHERE PROXY_SESSID IN (\(ids.keys.map(String.init).joined(separator: ",")))
            """)
        let rows = try Rows(responses, "GV$OB_PROCESSLIST")
        let (proxySession, state) = (try rows.column("proxy_sessid"), try rows.column("state"))
        var states: [ThreadID: [String]] = [:]
        for row in rows {
            guard let id = ids[try row.unsigned(proxySession)] else { continue }
            states[id, default: []].append(try row.name(state) ?? "")
        }
        return states
    }
}

/// A connection as a database server shows it.
private struct ServerConnectionRow {
    /// The connection's id; with session ids of version 2 the session's.
    let id: ThreadID?
    let command: String
    let seconds: Int64?
    let state: String
    let statement: (text: String?, length: Int?)
}

/// What a database server calls a connection that was killed and is not at its end.
let dyingState = "SESSION_KILLED"

extension ProxyClientSession {
    /// - Parameter connections: the session's to database servers; it uses one
    ///   at a time.
    fileprivate func details(_ connections: [ServerConnectionRow]) -> SessionDetails {
        let isDying = !connections.isEmpty && connections.allSatisfy { $0.state.isSame(as: dyingState) }
        let inUse =
            connections.first { !$0.command.isSame(as: "Sleep") }
            ?? connections.min { ($0.seconds ?? .max) < ($1.seconds ?? .max) }
        guard let inUse else { return SessionDetails(database: database, command: "", seconds: nil, state: state) }
        return SessionDetails(
            database: database, command: isDying ? "Killed" : inUse.command, seconds: inUse.seconds,
            state: inUse.state, statement: inUse.statement.text, statementLength: inUse.statement.length)
    }
}

extension ProxyLogin {
    /// The fingerprint of the ODP's process. An ODP does not tell when it started, and draws nothing at random: besides
    /// its address there is only its process's number.
    fileprivate var fingerprint: ServerFingerprint {
        ServerFingerprint(
            uniqueID: "odp of \(cluster)", hostname: origin.address, port: Int(origin.port),
            serverID: origin.processID, version: "OceanBase Database Proxy\(version.map { " \($0)" } ?? "")",
            startedAt: nil, connectionCount: nil, startMark: "process \(origin.processID)")
    }

    fileprivate func replaced(by other: ProxyOrigin?) -> ServerError {
        let other = other.map { "\($0)" } ?? "another one"
        return ServerError(.behindProxy, "this connection was to the ODP \(origin), now \(other) answers")
    }
}
