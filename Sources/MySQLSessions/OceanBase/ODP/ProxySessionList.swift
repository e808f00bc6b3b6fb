import SessionKill
import Text

/// A client's session as `SHOW PROXYSESSION` of an ODP lists it.
struct ProxyClientSession: Sendable {
    let identity: SessionIdentity
    let database: String?
    /// `MCS_ACTIVE_READER`, `MCS_KEEP_ALIVE`, … in ODP's words.
    let state: String?
    /// Number of the ODP's process.
    let processID: UInt64

    /// The ODP that lists it; `nil` for one that has not reached a database server.
    var origin: ProxyOrigin? {
        identity.proxy.flatMap { ProxyOrigin(proxySessionID: $0.id, processID: processID) }
    }

    /// Whether it is a login of OceanBase's own machinery: the proxies', the
    /// cloud platform's (OCP), its monitors'.
    var isSystem: Bool {
        guard let tenant = identity.proxy?.tenant, identity.user.utf8.count > tenant.utf8.count else { return false }
        let name = String(decoding: identity.user.utf8.dropLast(tenant.utf8.count + 1), as: UTF8.self)
        return ["proxyro", "monitor"].contains(where: name.isSame) || tenant.isSame(as: "proxysys")
            || [name, tenant].contains { $0.isSame(as: "ocp") || $0.utf8.starts(with: "ocp_".utf8) }
            || name.utf8.starts(with: "__oceanbase_inner".utf8)
    }
}

/// An ODP process: its own address, which every `proxy_sessid` begins with, and
/// its number.
///
/// Two processes in containers may agree in both; a connection that kills also
/// has to find the one that planned in its list.
struct ProxyOrigin: Hashable, Sendable, CustomStringConvertible {
    /// IPv4.
    let address: String
    let port: UInt16
    let processID: UInt64
    /// The ids that its sessions may have: all begin alike.
    let proxySessionIDs: ClosedRange<UInt64>

    /// The ODP that gave a session its `proxy_sessid`: the address, the port and a counter: 32, 16 and 16 bits
    /// (`ob_mysql_client_session.cpp:764` of obproxy 4.3.1).
    ///
    /// `nil` for 0, which a session has until it reaches a database server. ODPs
    /// without an address of IPv4 have 0.0.0.0 there.
    init?(proxySessionID: UInt64, processID: UInt64) {
        guard proxySessionID != 0 else { return nil }
        address = stride(from: 56, through: 32, by: -8).map { String(proxySessionID >> UInt64($0) & 0xFF) }
            .joined(separator: ".")
        port = UInt16(truncatingIfNeeded: proxySessionID >> 16)
        self.processID = processID
        let first = proxySessionID & ~0xFFFF
        proxySessionIDs = first...(first | 0xFFFF)
    }

    var description: String { "\(address):\(port), process \(processID)" }
}

extension MySQLConnection {
    /// All sessions of the ODP's clients; an account outside the tenant `sys` is
    /// shown its own only.
    func proxySessions() throws(ServerError) -> [ThreadID: ProxyClientSession] {
        let rows = try Rows(try query("SHOW PROXYSESSION"), "SHOW PROXYSESSION")
        let columns = try Columns(rows)
        var sessions: [ThreadID: ProxyClientSession] = [:]
        // With 24 connections that each list a thousand sessions, growing it bit by bit shows.
        sessions.reserveCapacity(rows.count)
        for row in rows {
            // No plan can name it.
            guard let id = try row.thread(columns.id) else { continue }
            var session = try columns.session(id, in: row)
            // ODP reads its sessions without locking them. Of two with one id, neither can be told from the other.
            if sessions[id] != nil { session = session.unpinnable }
            sessions[id] = session
        }
        return sessions
    }

    private struct Columns {
        let id, proxySessionID, cluster, tenant, user, host, database, transactions, state, process: Rows.Column

        init(_ rows: Rows) throws(ServerError) {
            id = try rows.column("id")
            proxySessionID = try rows.column("proxy_sessid")
            cluster = try rows.column("cluster")
            tenant = try rows.column("tenant")
            user = try rows.column("user")
            host = try rows.column("host")
            database = try rows.column("db")
            transactions = try rows.column("trans_count")
            state = try rows.column("state")
            process = try rows.column("pid")
        }

        func session(_ id: ThreadID, in row: Row) throws(ServerError) -> ProxyClientSession {
            var isCredible = true
            func name(_ column: Rows.Column) -> String {
                let text = row.text(column) ?? ""
                guard text.utf8.count > longestLoginName else { return text }
                isCredible = false
                return text.beginning(bytes: longestLoginName)
            }
            let tenantName = name(tenant)
            let session = ProxyClientSession(
                identity: SessionIdentity(
                    // As OceanBase writes logins.
                    id: id, user: name(user) + "@" + tenantName, host: name(host),
                    proxy: ProxySession(
                        id: try row.unsigned(proxySessionID), cluster: name(cluster), tenant: tenantName,
                        transactionCount: try row.unsigned(transactions))),
                // A text, not NULL.
                database: try row.name(database).flatMap { $0.isSame(as: "NULL") ? nil : $0 },
                state: try row.name(state),
                processID: try row.unsigned(process))
            return isCredible ? session : session.unpinnable
        }
    }
}

/// OceanBase's names are shorter than this; whoever logs in chooses the texts before anybody has checked them.
private let longestLoginName = 256

extension ProxyClientSession {
    /// The same, but listed only: it cannot be planned.
    var unpinnable: ProxyClientSession {
        var identity = identity
        identity.proxy?.id = 0
        return ProxyClientSession(identity: identity, database: database, state: state, processID: processID)
    }
}
