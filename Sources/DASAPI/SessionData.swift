import SessionKill

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
    /// Seconds, over the active sessions.
    let longestActive: Int64
    /// When the sessions were read.
    let readAt: UnixTime
    /// About so many bytes of memory.
    let size: Int

    init(_ list: SessionList, readAt: UnixTime) {
        self.readAt = readAt
        let rules = ProtectionRules(protectedUsers: [], ownThreadIDs: list.ownThreadIDs)
        var sessions: [ListedSession] = []
        sessions.reserveCapacity(list.sessions.count)
        for session in list.sessions where !rules.isHouseKeeping(session) { sessions.append(ListedSession(session)) }
        self.sessions = sessions
        var users = SessionCounter()
        var clients = SessionCounter()
        var databases = SessionCounter()
        var activeCount = 0
        var longestActive: Int64 = 0
        var size = 0
        for (index, session) in sessions.enumerated() {
            users.count(index, session.user)
            clients.count(index, session.client)
            databases.count(index, session.database)
            if session.isActive {
                activeCount += 1
                longestActive = max(longestActive, session.seconds)
            }
            size += session.size
        }
        self.activeCount = activeCount
        self.longestActive = longestActive
        self.users = users.counts(sessions)
        self.clients = clients.counts(sessions)
        self.databases = databases.counts(sessions)
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
        let picture = session.picture
        id = session.id
        user = session.identity.user
        client = session.identity.clientWithoutPort
        database = picture.database ?? ""
        command = picture.command
        seconds = max(0, picture.seconds ?? 0)
        state = picture.state ?? ""
        statement = picture.statement.map { $0.cut(bytes: Self.longestStatement) } ?? ""
        transaction = picture.transaction
        isActive = picture.isActive
    }

    /// Texts of up to 15 bytes stand in the value itself.
    fileprivate var size: Int {
        func size(_ text: String) -> Int { text.utf8.count > 15 ? text.utf8.count + 32 : 0 }
        return MemoryLayout<ListedSession>.stride + size(user) + size(client) + size(database) + size(command)
            + size(state) + size(statement)
    }
}

extension SessionIdentity {
    /// The server shows `10.0.0.7:51444`, `db1:51444` and, without brackets,
    /// `fe80::1:51444`; for a Unix socket `localhost`.
    var clientWithoutPort: String {
        let bytes = host.utf8
        guard let colon = bytes.lastIndex(of: UInt8(ascii: ":")) else { return host }
        let port = bytes[bytes.index(after: colon)...]
        guard (1...5).contains(port.count), port.allSatisfy({ (0x30...0x39).contains($0) }) else { return host }
        return String(host[..<colon])
    }
}

extension String {
    /// At most so many bytes, cut between two Unicode scalars.
    fileprivate func cut(bytes limit: Int) -> String {
        guard let end = utf8.index(startIndex, offsetBy: limit, limitedBy: endIndex), end < endIndex else {
            return self
        }
        return String(self[..<unicodeScalars.index(before: unicodeScalars.index(after: end))])
    }
}

/// The sessions that have something in common.
struct SessionCount: Sendable {
    let key: String
    let activeCount: Int
    let threads: [ThreadID]
    /// Each once, in the order in which they were found.
    let users: [String]
}

/// Sorts sessions into groups.
private struct SessionCounter {
    private var groups: [ExactText: Int] = [:]
    private var members: [[Int]] = []
    /// Neighbours in the list are often alike.
    private var last: (key: ExactText, group: Int)?

    mutating func count(_ session: Int, _ key: String) {
        let key = ExactText(text: key)
        if let last, last.key == key {
            members[last.group].append(session)
            return
        }
        let group: Int
        if let known = groups[key] {
            group = known
        } else {
            group = members.count
            groups[key] = group
            members.append([])
        }
        last = (key, group)
        members[group].append(session)
    }

    /// The largest groups first.
    func counts(_ sessions: [ListedSession]) -> [SessionCount] {
        groups.sorted { left, right in
            let (ofLeft, ofRight) = (members[left.value].count, members[right.value].count)
            return ofLeft == ofRight ? left.value < right.value : ofLeft > ofRight
        }.map { key, group in
            var users: [String] = []
            var known: Set<ExactText> = []
            var lastUser: ExactText?
            var activeCount = 0
            for index in members[group] {
                let session = sessions[index]
                if session.isActive { activeCount += 1 }
                let user = ExactText(text: session.user)
                guard lastUser != user else { continue }
                lastUser = user
                if known.insert(user).inserted { users.append(session.user) }
            }
            return SessionCount(
                key: key.text, activeCount: activeCount, threads: members[group].map { sessions[$0].id }, users: users)
        }
    }
}

/// Equal only to the same bytes: Swift takes texts for equal that the server
/// tells apart, and takes time for it that is quadratic in combining marks.
private struct ExactText: Hashable {
    let text: String

    static func == (left: ExactText, right: ExactText) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }

    func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
