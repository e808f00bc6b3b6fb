import SessionKill
import Text

/// What an ODP lets killd's account see and do, found out when a connection is
/// opened.
struct ProxyLogin: Sendable {
    /// The ODP that answers.
    let origin: ProxyOrigin
    let cluster: String
    let tenant: String
    let user: String
    /// What the database server calls this connection. With session ids of
    /// version 2 that is what the ODP calls it, too.
    let connectionID: UInt64
    /// The ODP's version; `nil` for one too old to tell.
    let version: String?
    /// Whether it may read GV$OB_PROCESSLIST, which OceanBase has from 4.0 on.
    let seesServers: Bool

    /// Any user of the tenant `sys` is shown the sessions of all tenants and
    /// clusters, everybody else their own session alone (`ob_show_session_handler.h:129`
    /// of obproxy 4.3.1; the manual says otherwise).
    var seesAllSessions: Bool { tenant.isSameName(as: "sys") }

    /// `KILL PROXYSESSION` is for root@sys (`ob_proxy_session_info.h:1461`).
    /// root@proxysys may, too, but sees no database server.
    var isRoot: Bool { seesAllSessions && user.isSameName(as: "root") }

    /// What killd's account lacks to end sessions and to see them end.
    var missingKillPrivilege: String? {
        if !isRoot { return "KILL PROXYSESSION (root@sys)" }
        return seesServers ? nil : "SELECT ON oceanbase.GV$OB_PROCESSLIST"
    }

    static let missingListPrivilege = "SHOW PROXYSESSION of all clients (tenant sys)"
}

extension ProxyLogin {
    /// - Throws: ``ServerError/Reason/unexpectedKind`` if no ODP answers.
    init(on handle: borrowing MySQLHandle) throws(ServerError) {
        func run(_ sql: String, during work: String) throws(ServerError) -> [MySQLResult] {
            let response = handle.run(sql)
            if let failure = response.failure { throw ServerError(failure.ofOceanBase, during: work) }
            return response.results
        }
        var attributes = try Self.attributes(on: handle)
        // Reaches a database server, without which there is no proxy_sessid.
        connectionID = try Rows(
            try run("SELECT CONNECTION_ID() AS connection", during: "setting up a connection"), "CONNECTION_ID()"
        ).only().unsigned("connection")
        if attributes.proxySessionID == 0 { attributes = try Self.attributes(on: handle) }
        guard let origin = attributes.origin else { throw .senseless("proxy_sessid") }
        self.origin = origin
        cluster = attributes.cluster
        tenant = attributes.tenant
        user = attributes.user
        // Alone: several statements in one packet are never a command to the ODP.
        _ = try run("SET SESSION autocommit=1, wait_timeout=31536000", during: "setting up a connection")
        version = try? Rows(handle.run("SELECT proxy_version() AS version").results, "proxy_version()").only()
            .text("version")
        seesServers = handle.run("SELECT 1 FROM oceanbase.GV$OB_PROCESSLIST LIMIT 1").failure == nil
    }

    /// What the ODP tells of this login's own session, which every login may ask for. The greeting's version says
    /// nothing: it can be configured.
    private static func attributes(on handle: borrowing MySQLHandle) throws(ServerError) -> ProxyAttributes {
        let response = handle.run("SHOW PROXYSESSION ATTRIBUTE")
        if let failure = response.failure?.ofOceanBase {
            guard !failure.isConnectionLost else { throw ServerError(failure, during: "setting up a connection") }
            throw ServerError(
                .unexpectedKind, code: failure.code,
                """
                no OceanBase Database Proxy answers, as the kind "oceanbase-odp" says, but something that does not \
                know SHOW PROXYSESSION: \(failure.message) (\(failure.code))
                """)
        }
        return try ProxyAttributes(response.results)
    }

    /// Why a connection that should be one to a server is not; `nil` if it is not
    /// to an ODP.
    static func refusal(on handle: borrowing MySQLHandle) -> ServerError? {
        guard let attributes = try? ProxyAttributes(handle.run("SHOW PROXYSESSION ATTRIBUTE").results) else {
            return nil
        }
        let origin = attributes.origin.map { " (\($0))" } ?? ""
        return ServerError(
            .behindProxy,
            """
            a proxy answers: an OceanBase Database Proxy\(origin), for which the instance needs "kind": "oceanbase-odp"
            """)
    }
}

extension String {
    /// Whether ODP takes both for the name of one tenant.
    fileprivate func isSameName(as name: String) -> Bool { utf8.isSameWord(as: name) }
}

extension MySQLFailure {
    /// 1094, and what an ODP says in its place where the id's bits name none of
    /// its threads, or one of before a hot upgrade; 4081 is KILL QUERY's.
    var isOfUnknownProxySession: Bool {
        [ErrorNumber.noSuchThread, ErrorNumber.proxyInternal, ErrorNumber.proxyUnknownResult].contains(code)
    }
}
