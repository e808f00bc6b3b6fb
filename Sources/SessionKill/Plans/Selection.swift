import Text

/// Whom a plan is to end.
public struct Selection: Sendable {
    enum Scope: Sendable {
        /// Who has these ids or, behind a proxy, a connection with one of them.
        case threads([ThreadID])
        /// Of each of these sessions of a proxy, one connection to a database server.
        case serverSessions([ServerSessionName])
        /// Everybody who matches the rule, but those who were tried to end a short while ago.
        case matching(KillRule, sparing: KillAttempts)
        /// Everybody.
        case all
    }

    let scope: Scope
    /// Users whose sessions are spared, also those that are named.
    let ignoredUsers: Set<String>

    private init(_ scope: Scope, ignoring ignoredUsers: Set<String> = []) {
        self.scope = scope
        self.ignoredUsers = ignoredUsers
    }

    /// The sessions that have these ids, or a connection to a database server with
    /// one of them.
    ///
    /// An id without a session is pinned as absent: whoever has it at Commit is
    /// left alone.
    ///
    /// - Parameter ids: one that occurs twice counts once.
    public static func threads(_ ids: [ThreadID], ignoring ignoredUsers: Set<String> = []) -> Selection {
        Selection(.threads(ids), ignoring: ignoredUsers)
    }

    /// Of each session named, one connection to a database server; the sessions
    /// themselves are to live on.
    public static func serverSessions(_ names: [ServerSessionName]) -> Selection { Selection(.serverSessions(names)) }

    /// Every session that is there, but those that are never killed.
    public static func all(ignoring ignoredUsers: Set<String> = []) -> Selection {
        Selection(.all, ignoring: ignoredUsers)
    }

    /// The sessions that match a rule now, those in their state for the longest time first.
    static func matching(_ rule: KillRule, sparing attempts: KillAttempts) -> Selection {
        Selection(.matching(rule, sparing: attempts))
    }

    /// The most sessions that a plan ends which nobody has named.
    static let largestOfRule = 1_000

    /// Whether nobody has named the sessions, so that more of them are protected.
    private var isUnnamed: Bool {
        switch scope {
        case .threads, .serverSessions: false
        case .matching, .all: true
        }
    }
}

/// A session that a selection covers.
struct Candidate: Sendable {
    let id: ThreadID
    /// `nil` if nobody has the id.
    let session: Session?
    /// Why it is not pinned; `nil` if it is.
    let exclusion: Exclusion?
}

/// Why a session that a selection covers is not pinned.
enum Exclusion: Hashable, Sendable {
    case protected(Protection)
    /// Its user is one of those whom the selection ignores.
    case ignoredUser
    /// Nothing would tell it from another session at Commit.
    case notPinnable
    /// No session of the proxy has a connection with the id.
    case unknownConnection
}

extension Selection {
    /// Whom the selection covers in one snapshot of a server, each once. Ids could
    /// become somebody else's between two.
    ///
    /// Those whom a rule does not end are left out.
    func candidates(
        in snapshot: IndexedObservation, protecting rules: ProtectionRules, at time: UnixTime
    ) -> [Candidate] {
        let unnamed = isUnnamed ? UnnamedProtection(snapshot.observation, rules) : nil
        func candidate(_ id: ThreadID) -> Candidate {
            let session = snapshot.sessions[id]
            return Candidate(id: id, session: session, exclusion: session.flatMap { exclusion(of: $0, unnamed) })
        }
        func named(_ ids: [ThreadID]) -> [Candidate] {
            var seen: Set<ThreadID> = []
            return ids.compactMap { id in
                let session = try? snapshot.session(named: id)
                guard seen.insert(session ?? id).inserted else { return nil }
                return session.map(candidate) ?? Candidate(id: id, session: nil, exclusion: .unknownConnection)
            }
        }
        switch scope {
        case .threads(let ids): return named(ids)
        case .serverSessions(let names): return named(names.map(\.thread))
        case .all: return snapshot.observation.sessions.map(\.id).sorted().map(candidate)
        case .matching(let rule, let attempts):
            let victims = snapshot.observation.sessions
                .filter { rule.selects($0) && !attempts.include($0.identity, at: time) }
                .sorted { ($0.details.seconds ?? 0, $1.id) > ($1.details.seconds ?? 0, $0.id) }
                .map { candidate($0.id) }.filter { $0.exclusion == nil }.prefix(Self.largestOfRule)
            return Array(victims)
        }
    }

    /// The one judgement of whom a plan may pin. A protected session that somebody
    /// named is pinned, and spared at Commit.
    private func exclusion(of session: Session, _ unnamed: UnnamedProtection?) -> Exclusion? {
        if let protection = unnamed?.protection(of: session) { return .protected(protection) }
        if session.identity.isOfUser(sparedAs: ignoredUsers) { return .ignoredUser }
        return session.identity.isPinnable ? nil : .notPinnable
    }
}

/// Who is protected where nobody named the sessions that are to end.
struct UnnamedProtection {
    private let rules: ProtectionRules
    /// The users as which killd itself is there, another killd perhaps included.
    private let ownUsers: Set<ExactText>

    init(_ observation: ServerObservation, _ rules: ProtectionRules) {
        self.rules = rules
        let own = observation.sessions.filter { observation.ownThreadIDs.contains($0.id) }
        ownUsers = Set(own.map { ExactText($0.identity.user) })
    }

    func protection(of session: Session) -> Protection? {
        if let protection = rules.protection(of: session) { return protection }
        // A connection that killd is just opening is not known for its own yet.
        if ownUsers.contains(ExactText(session.identity.user)) { return .ownConnection }
        // Both servers' name for whoever has not logged in: it may become a protected user's session.
        if session.identity.user.isSame(as: "unauthenticated user") { return .systemThread }
        return nil
    }
}

extension KillRule {
    /// Whether a task with this rule should end a session: it matches, and its
    /// end is not under way already.
    func selects(_ session: Session) -> Bool { !session.details.isBeingKilled && matches(session) }
}
