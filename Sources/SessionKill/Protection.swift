/// Why a session is never killed.
public enum Protection: String, Hashable, Sendable, Codable {
    /// A connection of killd itself.
    case ownConnection = "own-connection"
    /// A dump to a replica, or a thread of this replica. Killing a worker of a
    /// MySQL replica stops replication "possibly leaving data in inconsistent
    /// state" (error 1756).
    case replication
    /// Another thread of the server's own.
    case systemThread = "system-thread"
    case eventScheduler = "event-scheduler"
    /// The instance's `protectedUsers` name its user, or it is a login of the
    /// database's own machinery.
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
        // By prefix: pt-kill compares with "Binlog Dump" and so selects "Binlog Dump GTID" (measured on 3.2.1).
        if session.picture.command.hasPrefix("Binlog Dump") || session.picture.command.hasPrefix("Slave_") {
            return .replication
        }
        if session.identity.user == "system user" { return .systemThread }
        if session.identity.user == "event_scheduler" || session.picture.command == "Daemon" { return .eventScheduler }
        if protectedUsers.contains(session.identity.user) || systemSessions.contains(session.id) {
            return .protectedUser
        }
        if let name = session.identity.nameWithoutTenant, protectedUsers.contains(name) { return .protectedUser }
        return nil
    }
}

extension SessionIdentity {
    /// Behind a proxy of several tenants users are `name@tenant`: the name, which
    /// stands for that user of every tenant.
    fileprivate var nameWithoutTenant: String? {
        guard let suffix = proxy.map({ "@" + $0.tenant }), user.utf8.count > suffix.utf8.count,
            user.utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
        else { return nil }
        return String(decoding: user.utf8.dropLast(suffix.utf8.count), as: UTF8.self)
    }
}
