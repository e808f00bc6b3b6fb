import Text

/// Why a session is never killed.
public enum Protection: String, Hashable, Sendable, Codable, CaseIterable {
    /// A connection of killd itself.
    case ownConnection = "own-connection"
    /// A dump to a replica, or a thread of this replica. Killing a worker of a
    /// MySQL replica stops replication "possibly leaving data in inconsistent
    /// state" (error 1756).
    case replication
    /// Another thread of the server's own.
    case systemThread = "system-thread"
    case eventScheduler = "event-scheduler"
    /// The instance's `protectedUsers` name its user, or it is one of
    /// ``ProtectionRules/internalUsers`` or a login of the database's own
    /// machinery.
    case protectedUser = "protected-user"
}

/// Decides which sessions are protected: at Prepare, and again at Commit.
public struct ProtectionRules: Sendable {
    public var protectedUsers: Set<String>
    public var ownThreadIDs: Set<ThreadID>
    public var systemSessions: Set<ThreadID>

    public init(protectedUsers: Set<String>, ownThreadIDs: Set<ThreadID>, systemSessions: Set<ThreadID> = []) {
        self.protectedUsers = protectedUsers
        self.ownThreadIDs = ownThreadIDs
        self.systemSessions = systemSessions
    }

    public func protection(of session: Session) -> Protection? {
        if ownThreadIDs.contains(session.id) { return .ownConnection }
        let user = session.identity.user
        let command = session.details.command
        // By prefix: pt-kill compares with "Binlog Dump" and so selects "Binlog Dump GTID" (measured on 3.2.1).
        if command.utf8.starts(with: "Binlog Dump".utf8) || command.utf8.starts(with: "Slave_".utf8) {
            return .replication
        }
        if user.isSame(as: "system user") { return .systemThread }
        if user.isSame(as: "event_scheduler") || command.isSame(as: "Daemon") { return .eventScheduler }
        if session.identity.isOfUser(sparedAs: protectedUsers) || Self.internalUsers.contains(ExactText(user))
            || systemSessions.contains(session.id)
        {
            return .protectedUser
        }
        return nil
    }

    /// Accounts that are never killed on any instance: those that clouds keep for
    /// themselves on their servers (Alibaba Cloud, "System accounts"), and those
    /// that the servers bring with them. Not `root`: on one's own server people
    /// log in as root.
    public static let internalUsers: Set<ExactText> = [
        "aliyun_root", "aurora", "aurora_proxy", "rds_service", "replicator",
        "mysql.sys", "mysql.session", "mysql.infoschema", "mariadb.sys", "event_scheduler", "system user",
    ]
}

extension SessionIdentity {
    /// Whether its user is among those whom somebody named to be spared; behind a
    /// proxy of several tenants, where users are `name@tenant`, a name alone stands
    /// for that user of every tenant.
    ///
    /// Here alone, a user counts also if only the Unicode normal form is another:
    /// nobody sees in which form a configuration spells é, and whom it means must
    /// not die of that. Elsewhere users are compared by bytes, as servers do.
    func isOfUser(sparedAs users: Set<String>) -> Bool {
        [user, nameWithoutTenant].contains { name in
            guard let name else { return false }
            // No server has longer names, and to compare one so takes time quadratic in its combining marks.
            return name.utf8.count <= DatabaseLogin.longest ? users.contains(name) : users.contains(where: name.isSame)
        }
    }

    private var nameWithoutTenant: String? {
        guard let suffix = proxy.map({ "@" + $0.tenant }), user.utf8.count > suffix.utf8.count,
            user.utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
        else { return nil }
        return String(decoding: user.utf8.dropLast(suffix.utf8.count), as: UTF8.self)
    }
}
