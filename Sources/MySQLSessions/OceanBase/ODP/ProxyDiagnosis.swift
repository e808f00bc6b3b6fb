import SessionKill

extension MySQLServer {
    /// Whether another connection leads to another ODP, as behind a load balancer.
    func severalProxies(besides origin: ProxyOrigin) async throws(ServerError) -> [MySQLFinding] {
        let connection = try await MySQLConnection.open(configuration)
        await connection.close()
        guard case .oceanBaseODP(let login) = connection.dialect, login.origin != origin else { return [] }
        return [
            MySQLFinding(
                severity: .problem, subject: .severalProxies,
                description: """
                    several OceanBase Database Proxies answer at \(configuration.address): \(origin), and \
                    \(login.origin). They give the same ids to different sessions, so that plans become stale; \
                    configure each by its own address as an instance
                    """)
        ]
    }
}

extension MySQLConnection {
    /// What `killd check` says of an ODP and of what the login may see and kill.
    func findings(_ login: ProxyLogin) throws(ServerError) -> [MySQLFinding] {
        // Of two words only: with FULL it would go to a database server in any case.
        let rows = try Rows(try query("SHOW PROCESSLIST"), "SHOW PROCESSLIST")
        let idVersion = rows.has("trans_count") ? 1 : 2
        var findings = [
            MySQLFinding(
                severity: .information, subject: .proxy,
                description: """
                    OceanBase Database Proxy \(login.version ?? "of unknown version") at \(login.origin), \
                    \(encryption); logged in as \(login.user)@\(login.tenant) of cluster \(login.cluster); \
                    session ids of version \(idVersion); sessions that came through other proxies are not seen
                    """)
        ]
        guard login.seesAllSessions else {
            findings.append(
                MySQLFinding(
                    severity: .problem, subject: .proxyListPartial,
                    description: """
                        the login sees its own session only; log in as root of the tenant sys: \
                        "user": "root@sys#\(login.cluster)"
                        """))
            return findings
        }
        if let privilege = login.missingKillPrivilege {
            let help =
                login.isRoot
                ? "the login may not read oceanbase.GV$OB_PROCESSLIST, so that nobody could see the sessions end "
                    + "(OceanBase has it from 4.0 on)"
                : "the login sees all sessions but may end none; that is for root@sys alone: "
                    + "\"user\": \"root@sys#\(login.cluster)\""
            findings.append(
                MySQLFinding(severity: .problem, subject: .proxyKillRefused(privilege), description: help))
        } else {
            findings.append(
                MySQLFinding(
                    severity: .information, subject: .proxy, description: try reach(of: login)))
        }
        return findings
    }

    private func reach(of login: ProxyLogin) throws(ServerError) -> String {
        let sessions = try provenSessions(of: login).values
        let foreign = sessions.count { $0.identity.proxy?.cluster.utf8.elementsEqual(login.cluster.utf8) == false }
        let system = sessions.count { $0.isSystem }
        var text = "the login sees \(sessions.count) session(s) and may end those of cluster \(login.cluster)"
        if foreign > 0 { text += "; \(foreign) of other clusters are listed, but the proxy will not end them" }
        if system > 0 { text += "; \(system) of OceanBase's own logins are protected" }
        if let version = login.version, version.isProxyVersion(before: [4, 2, 3]) {
            text += "; before 4.2.3 a proxy lets root@sys end sessions of the tenant sys only"
        }
        return text
    }
}

extension String {
    fileprivate func isProxyVersion(before limit: [Int]) -> Bool {
        let numbers = utf8.prefix(32).split(whereSeparator: { !(0x30...0x39).contains($0) })
            .prefix(limit.count).compactMap { Int(String(decoding: $0, as: UTF8.self)) }
        return numbers.count == limit.count && numbers.lexicographicallyPrecedes(limit)
    }
}
