extension OceanBaseViews {
    /// What `killd check` says of an OceanBase besides what it says of every server.
    ///
    /// - Parameter account: killd's, as GRANT wants it.
    func findings(for account: String) -> [MySQLFinding] {
        func grants(_ privileges: [String]) -> String {
            privileges.map { "GRANT \($0) TO \(account);" }.joined(separator: " ")
        }
        var findings = [
            MySQLFinding(
                severity: .information, subject: .oceanBase,
                description: """
                    OceanBase without its proxy: a session that waits for a row lock stays on the list for up to \
                    ten seconds after its KILL, so that Commit does not see it die if killWaitSeconds is less; \
                    plans do not tell how many rows a transaction has changed
                    """)
        ]
        if !missingPrivileges.isEmpty {
            findings.append(
                MySQLFinding(
                    severity: .problem, subject: .oceanBaseViewsUnreadable,
                    description: """
                        the account does not see when the server started, or the open transactions; as an \
                        administrator: \(grants(missingPrivileges))
                        """))
        }
        if let privilege = missingLockPrivilege {
            findings.append(
                MySQLFinding(
                    severity: .information, subject: .locksUnreadable,
                    description: "plans do not tell who waits for whose locks; to have that: \(grants([privilege]))"))
        } else if lockQuery == nil {
            findings.append(
                MySQLFinding(
                    severity: .information, subject: .locksUnreadable,
                    description: """
                        plans do not tell who waits for whose locks: this OceanBase has no view that killd knows in \
                        which that could be seen
                        """))
        }
        return findings
    }
}
