import SessionKill
import Text

/// What `SHOW PROXYSESSION ATTRIBUTE` of an ODP tells of one client's session.
struct ProxyAttributes: Sendable {
    let proxySessionID: UInt64
    let cluster: String
    let tenant: String
    let user: String
    /// Number of the ODP's process.
    let processID: UInt64
    /// The connections to database servers that the ODP holds for it.
    let serverSessions: [ServerSession]

    /// - Throws: ``ServerError`` if it is not what an ODP answers.
    init(_ results: [MySQLResult]) throws(ServerError) {
        let source = "SHOW PROXYSESSION ATTRIBUTE"
        let rows = try Rows(results, source)
        let name = try rows.column("attribute_name")
        let value = try rows.column("value")
        let group = try rows.column("info")
        var common: [String: String] = [:]
        // Names repeat: each server session is a run of rows that begins with server_ip.
        var held: [[String: String]] = []
        for row in rows {
            guard let attribute = row.text(name), attribute.utf8.count <= 64 else { throw .senseless(source) }
            if row.text(group)?.isSame(as: "cs common") == true {
                common[attribute] = row.text(value) ?? ""
            } else if attribute.isSame(as: "server_ip") {
                held.append([attribute: row.text(value) ?? ""])
            } else if !held.isEmpty {
                held[held.count - 1][attribute] = row.text(value) ?? ""
            }
        }
        func number(_ values: [String: String], _ attribute: String) throws(ServerError) -> UInt64 {
            guard let number = values[attribute].flatMap(UInt64.init(ofODP:)) else {
                throw .senseless(source, "\(attribute) is no number")
            }
            return number
        }
        func text(_ attribute: String) throws(ServerError) -> String {
            guard let text = common[attribute], text.utf8.count <= 256 else { throw .senseless(source) }
            return text
        }
        proxySessionID = try number(common, "proxy_sessid")
        processID = try number(common, "pid")
        cluster = try text("cluster")
        tenant = try text("tenant")
        user = try text("user")
        var serverSessions: [ServerSession] = []
        for values in held {
            let address = "\(values["server_ip"] ?? ""):\(values["server_port"] ?? "")"
            serverSessions.append(
                ServerSession(
                    id: try number(values, "ss_id"), connectionID: try number(values, "server_sessid"),
                    address: address.beginning(bytes: 256)))
        }
        self.serverSessions = serverSessions
    }

    var origin: ProxyOrigin? { ProxyOrigin(proxySessionID: proxySessionID, processID: processID) }
}

extension MySQLConnection {
    /// The connections to database servers that the ODP holds for a session;
    /// none if the session is there no more.
    func serverSessions(of session: SessionIdentity) throws(ServerError) -> [ServerSession] {
        let response = run("SHOW PROXYSESSION ATTRIBUTE \(session.id)")
        if let failure = response.failure {
            guard failure.isOfUnknownProxySession else { throw ServerError(failure, during: "looking up a session") }
            return []
        }
        let attributes = try ProxyAttributes(response.results)
        return attributes.proxySessionID == session.proxy?.id ? attributes.serverSessions : []
    }
}
