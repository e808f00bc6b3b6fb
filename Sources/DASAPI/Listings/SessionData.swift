import SessionKill
import Text

/// The sessions of a server as a listing keeps them, with what is counted of them.
///
/// Without killd's own connections and the server's own threads, as the vendor's
/// lists are without its internal accounts.
struct SessionData: Sendable {
    let sessions: [ListedSession]
    let users: [SessionCount]
    let clients: [SessionCount]
    let databases: [SessionCount]
    let activeCount: Int
    /// The longest time of an active session, in seconds.
    let longestActive: Int64
    /// The time at which the sessions were read.
    let readAt: UnixTime
    /// The bytes of memory that it takes, about.
    let size: Int

    init(_ list: SessionList, readAt: UnixTime) {
        self.readAt = readAt
        let rules = ProtectionRules(protectedUsers: [], ownThreadIDs: list.ownThreadIDs)
        var sessions: [ListedSession] = []
        sessions.reserveCapacity(list.sessions.count)
        for session in list.sessions where !rules.isHouseKeeping(session) { sessions.append(ListedSession(session)) }
        self.sessions = sessions
        var users = SessionGroups()
        var clients = SessionGroups()
        var databases = SessionGroups()
        var activeCount = 0
        var longestActive: Int64 = 0
        var size = 0
        for index in sessions.indices {
            users.add(sessions[index].user)
            clients.add(sessions[index].client)
            databases.add(sessions[index].database)
            if sessions[index].isActive {
                activeCount += 1
                longestActive = max(longestActive, sessions[index].seconds)
            }
            size += sessions[index].size
        }
        self.activeCount = activeCount
        self.longestActive = longestActive
        self.users = users.counts(of: sessions, users: users)
        self.clients = clients.counts(of: sessions, users: users)
        self.databases = databases.counts(of: sessions, users: users)
        // Three statistics have each session's id.
        self.size = size + sessions.count * 3 * MemoryLayout<UInt32>.stride
    }
}

extension ProtectionRules {
    /// killd's connections and the server's threads; not replication, which is
    /// somebody's.
    fileprivate func isHouseKeeping(_ session: Session) -> Bool {
        switch protection(of: session) {
        case .ownConnection?, .systemThread?, .eventScheduler?: true
        case .replication?, .protectedUser?, nil: false
        }
    }
}

/// A session as a listing keeps it.
struct ListedSession: Sendable {
    let id: ThreadID
    let user: String
    /// The client's address or name, without its port.
    let client: String
    let database: String
    let command: String
    let seconds: Int64
    let state: String
    let statement: String
    let transaction: Transaction?
    let isActive: Bool

    /// What is kept of a statement, in bytes.
    static let longestStatement = 10_240

    init(_ session: Session) {
        let details = session.details
        id = session.id
        user = session.identity.user
        client = session.identity.clientAddress
        database = details.database ?? ""
        command = details.command
        seconds = max(0, details.seconds ?? 0)
        state = details.state ?? ""
        statement = details.statement.map { $0.beginning(bytes: Self.longestStatement) } ?? ""
        transaction = details.transaction
        isActive = details.isActive
    }

    /// The bytes of memory that it takes. Texts of up to 15 bytes stand in the value itself.
    fileprivate var size: Int {
        func size(_ text: String) -> Int { text.utf8.count > 15 ? text.utf8.count + 32 : 0 }
        return MemoryLayout<ListedSession>.stride + size(user) + size(client) + size(database) + size(command)
            + size(state) + size(statement)
    }
}

/// The sessions that have something in common.
struct SessionCount: Sendable {
    let key: String
    fileprivate(set) var activeCount = 0
    fileprivate(set) var threads: [ThreadID] = []
    /// The users of the sessions, each once, in the order in which they were found.
    fileprivate(set) var users: [String] = []
}

/// Sessions in groups, each of which has a number.
private struct SessionGroups {
    private var keys: [String] = []
    private var sizes: [Int] = []
    private var numbers: [ExactText: Int] = [:]
    /// The group of each session, in the order of the list.
    private var groups: [Int] = []

    /// Adds the next session of the list to the group with that key.
    mutating func add(_ key: String) {
        let group = group(ExactText(key))
        sizes[group] += 1
        groups.append(group)
    }

    private mutating func group(_ key: ExactText) -> Int {
        // Neighbours in the list are often alike.
        if let last = groups.last, keys[last].isSame(as: key.text) { return last }
        if let known = numbers[key] { return known }
        numbers[key] = keys.count
        keys.append(key.text)
        sizes.append(0)
        return keys.count - 1
    }

    /// The largest groups first.
    ///
    /// - Parameters:
    ///   - sessions: those that were added.
    ///   - users: the same sessions by their users.
    func counts(of sessions: [ListedSession], users: SessionGroups) -> [SessionCount] {
        struct UserOfGroup: Hashable {
            let group: Int
            let user: Int
        }
        var counts = keys.map { SessionCount(key: $0) }
        for group in counts.indices { counts[group].threads.reserveCapacity(sizes[group]) }
        var lastUsers: [Int?] = Array(repeating: nil, count: counts.count)
        var found: Set<UserOfGroup> = []
        for (index, group) in groups.enumerated() {
            counts[group].threads.append(sessions[index].id)
            if sessions[index].isActive { counts[group].activeCount += 1 }
            let user = users.groups[index]
            guard lastUsers[group] != user else { continue }
            lastUsers[group] = user
            if found.insert(UserOfGroup(group: group, user: user)).inserted {
                counts[group].users.append(users.keys[user])
            }
        }
        return counts.indices.sorted { left, right in
            sizes[left] == sizes[right] ? left < right : sizes[left] > sizes[right]
        }.map { counts[$0] }
    }
}
