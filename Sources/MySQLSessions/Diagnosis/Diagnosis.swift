import SessionKill

/// One thing that `killd check` says about a server.
public struct MySQLFinding: Hashable, Sendable {
    public enum Severity: Hashable, Sendable {
        case information
        case warning
        /// killd cannot do its work until this is mended.
        case problem
    }

    public enum Subject: Hashable, Sendable {
        case server(version: String)
        case unreachable(ServerError)
        case adminAddressUnreachable(ServerError)
        /// killd came in by the administrative address.
        case ordinaryAddressClosed(ServerError)
        /// `PROCESS`: without it the session list is silently partial.
        case processMissing
        /// `CONNECTION_ADMIN`: without it only sessions of killd's own user can be killed.
        case connectionAdminMissing
        /// OceanBase does not show killd's account when it started, or the open transactions.
        case oceanBaseViewsUnreadable
        /// OceanBase does not show killd's account, or anybody, who waits for whose locks.
        case locksUnreadable
        /// What is different on OceanBase.
        case oceanBase
        /// performance_schema is on, but killd's account may not read all that plans could show from it.
        case performanceSchemaUnreadable
        /// MySQL detaches prepared XA transactions from their sessions, and does not tell killd's account whose they
        /// were.
        case preparedTransactionsUnknown
        /// The connection is in plain text although TLS is preferred.
        case notEncrypted
        /// performance_schema has no room for so many threads, so that it does not know all sessions.
        case threadInstancesLost(UInt64)
        /// The session list comes from a performance_schema that does not know all sessions.
        case listPartial
        /// A table of information_schema that the server was started without.
        case tableHidden(String)
        /// An OceanBase Database Proxy, in the words of the description.
        case proxy
        /// The login is shown its own session only.
        case proxyListPartial
        /// The login may not end sessions, or could not see them end.
        case proxyKillRefused(String)
        /// Several ODPs answer at the address.
        case severalProxies
        /// Several servers answer at the address, as behind a load balancer.
        case severalServers
    }

    public let severity: Severity
    public let subject: Subject
    /// What it means and, where something can be done, what to do.
    public let description: String
}

extension MySQLServer {
    /// Finds out what keeps killd from working with this server.
    ///
    /// - Parameter comparingConnections: whether further connections are opened for a moment, to see if servers take
    ///   turns at the address.
    public func check(comparingConnections: Bool = false) async -> [MySQLFinding] {
        var findings: [MySQLFinding] = []
        do {
            let lease = try await acquire()
            let connection = lease.connection
            if let error = ordinaryRefusal?.error { findings.append(.ordinaryAddressClosed(error)) }
            do throws(ServerError) {
                switch connection.dialect {
                case .mysql:
                    findings += try await connection.findings(configuration.address)
                    if comparingConnections { findings += try await severalServers(besides: connection) }
                case .oceanBaseODP(let login):
                    findings += try await connection.findings(login)
                    findings += try await severalProxies(besides: login.origin)
                }
            } catch {
                findings.append(.unreachable(error))
            }
            await release(lease)
        } catch let error as ServerError {
            findings.append(.unreachable(error))
        } catch {
            findings.append(.unreachable(ServerError(.other, "\(error)")))
        }
        if let adminAddress = configuration.adminAddress {
            do throws(ServerError) {
                try await MySQLConnection.open(configuration, at: adminAddress).close()
            } catch {
                findings.append(.adminAddressUnreachable(error))
            }
        }
        return findings
    }
}

extension MySQLFinding {
    fileprivate static func adminAddressUnreachable(_ error: ServerError) -> MySQLFinding {
        // Of the account, not of the server: the connection that is open at the ordinary address counts.
        return MySQLFinding(
            severity: .warning, subject: .adminAddressUnreachable(error),
            description: error.isLimitOfAccount
                ? """
                the account may have so few connections that none is left for adminHost and adminPort where those \
                at the ordinary address stall; raise its MAX_USER_CONNECTIONS: \(error.description)
                """ : "no way in when the server is full: \(error.description)")
    }

    fileprivate static func ordinaryAddressClosed(_ error: ServerError) -> MySQLFinding {
        MySQLFinding(
            severity: .warning, subject: .ordinaryAddressClosed(error),
            description: "killd came in by adminHost and adminPort only: \(error.description)")
    }

    fileprivate static func unreachable(_ error: ServerError) -> MySQLFinding {
        MySQLFinding(severity: .problem, subject: .unreachable(error), description: error.description)
    }
}

extension MySQLConnection {
    fileprivate func findings(_ address: MySQLAddress) throws(ServerError) -> [MySQLFinding] {
        let responses = try query(
            """
            SELECT VERSION() AS version, CURRENT_USER() AS account;\
            SHOW GLOBAL STATUS LIKE 'Performance_schema_thread_instances_lost';\
            SHOW GLOBAL VARIABLES LIKE 'performance_schema_show_processlist'
            """)
        guard responses.count == 3 else { throw .senseless("VERSION()") }
        let row = try Rows(responses[0], "VERSION()").only()
        let version = try row.text("version") ?? ""
        let account = quotedAccount(try row.text("account") ?? "")
        var findings = [
            MySQLFinding(
                severity: .information, subject: .server(version: version),
                description: "\(rights.product) \(version), \(encryption)")
        ]
        findings += privilegeFindings(account)
        findings += rights.oceanBase?.findings(for: account) ?? []
        findings += try performanceSchemaFindings(account)
        findings += try preparedTransactionFindings(account)
        if case .tcp(_, _, .preferred) = address, tlsCipher == nil {
            findings.append(
                MySQLFinding(
                    severity: .warning, subject: .notEncrypted,
                    description: "the server has no TLS, so that statements and session lists travel in plain text"))
        }
        findings += lostThreadFindings(status: try Variables(responses[1]), variables: try Variables(responses[2]))
        if rights.oceanBase == nil { findings += try hiddenTables() }
        return findings
    }

    /// What killd's account lacks to see and kill all sessions.
    private func privilegeFindings(_ account: String) -> [MySQLFinding] {
        var findings: [MySQLFinding] = []
        if !rights.seesAllSessions {
            findings.append(
                MySQLFinding(
                    severity: .problem, subject: .processMissing,
                    description: """
                        the account does not see all sessions; as an administrator: GRANT PROCESS ON *.* TO \(account);
                        """))
        }
        if let privilege = rights.missingKillPrivilege {
            findings.append(
                MySQLFinding(
                    severity: .problem, subject: .connectionAdminMissing,
                    description: """
                        the account may not kill other users' sessions; as an administrator: \
                        GRANT \(privilege) ON *.* TO \(account);
                        """))
        }
        return findings
    }

    /// What killd's account may not read of performance_schema.
    private func performanceSchemaFindings(_ account: String) throws(ServerError) -> [MySQLFinding] {
        // OceanBase has the variable, but not the schema.
        guard rights.oceanBase == nil, !performanceSchema.showsEverything(isMariaDB: rights.isMariaDB) else {
            return []
        }
        let row = try Rows(try query("SELECT @@global.performance_schema AS is_on"), "@@performance_schema").only()
        guard try row.text("is_on") == "1" else { return [] }
        return [
            MySQLFinding(
                severity: .information, subject: .performanceSchemaUnreadable,
                description: """
                    sessions are pinned without their THREAD_ID, and plans do not tell all of who waits for whose \
                    locks, which XA transactions are prepared, and what clients call themselves; to have that: \
                    GRANT SELECT ON performance_schema.* TO \(account);
                    """)
        ]
    }

    /// What it means that performance_schema had no room for some threads.
    private func lostThreadFindings(status: Variables, variables: Variables) -> [MySQLFinding] {
        let lost = status["performance_schema_thread_instances_lost"].flatMap { UInt64($0) } ?? 0
        guard lost > 0 else { return [] }
        var findings: [MySQLFinding] = []
        if ["ON", "1"].contains(variables["performance_schema_show_processlist"]) {
            findings.append(
                MySQLFinding(
                    severity: .problem, subject: .listPartial,
                    description: """
                        the session list is partial: it comes from performance_schema, which lost \(lost) threads for \
                        want of room; as an administrator: SET GLOBAL performance_schema_show_processlist=OFF;
                        """))
        }
        findings.append(
            MySQLFinding(
                severity: .warning, subject: .threadInstancesLost(lost),
                description: """
                    performance_schema lost \(lost) threads for want of room, so that some sessions are pinned \
                    without their THREAD_ID; raise performance_schema_max_thread_instances
                    """))
        return findings
    }

    /// Tables that options of the server's start hide from everybody.
    private func hiddenTables() throws(ServerError) -> [MySQLFinding] {
        var findings: [MySQLFinding] = []
        var tables: [(name: String, severity: MySQLFinding.Severity, loss: String)] = [
            ("INNODB_TRX", .problem, "killd cannot see who has a transaction open, and prepares nothing"),
            ("INNODB_METRICS", .information, "whether killd sees all sessions is taken from its grants alone"),
        ]
        if rights.isMariaDB {
            let loss = "plans do not tell who waits for whose row locks"
            tables += [("INNODB_LOCKS", .warning, loss), ("INNODB_LOCK_WAITS", .warning, loss)]
        }
        for table in tables {
            guard let failure = run("SELECT 1 FROM information_schema.\(table.name) LIMIT 0").failure else { continue }
            if failure.isConnectionLost { throw ServerError(failure, during: "looking for tables") }
            // Whatever else is in the way, others of these findings tell.
            guard failure.code == ErrorNumber.unknownTable else { continue }
            findings.append(
                MySQLFinding(
                    severity: table.severity, subject: .tableHidden(table.name),
                    description: """
                        the server was started without information_schema.\(table.name): \(table.loss); start it \
                        without \(table.name.lowercased())=OFF
                        """))
        }
        return findings
    }

    var encryption: String { tlsCipher.map { "TLS with \($0)" } ?? "no TLS" }

    /// `'user'@'host'` from what CURRENT_USER() writes; a host cannot hold `@`.
    private func quotedAccount(_ account: String) -> String {
        let account = account.utf8
        let at = account.lastIndex(of: UInt8(ascii: "@")) ?? account.endIndex
        func quoted(_ name: Substring.UTF8View) -> String {
            let parts = name.split(separator: UInt8(ascii: "'"), omittingEmptySubsequences: false)
            return "'" + parts.map { String(Substring($0)) }.joined(separator: "''") + "'"
        }
        return "\(quoted(account[..<at]))@\(quoted(account[at...].dropFirst()))"
    }
}
