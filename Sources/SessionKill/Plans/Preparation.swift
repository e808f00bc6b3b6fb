import Cryptography

/// Whom a selection covers in one snapshot of a server, before they are pinned.
struct SelectedSessions: Sendable {
    let snapshot: IndexedObservation
    let candidates: [Candidate]
    /// What is to be ended in place of a session.
    var serverSessions: [ThreadID: ServerSession] = [:]

    /// Those that a plan is to end, each once.
    var pinned: [ThreadID] { candidates.filter { $0.exclusion == nil }.map(\.id) }

    /// - Throws: the first reason for which one that somebody named cannot be pinned.
    func requireAllPinnable() throws(PreparationError) {
        for candidate in candidates where candidate.exclusion == .unknownConnection {
            throw .unknownConnectionID(candidate.id)
        }
        for candidate in candidates where candidate.exclusion == .notPinnable { throw .notPinnable(candidate.id) }
    }
}

/// Turns what one snapshot of a server shows into what a plan keeps.
struct Preparation {
    private let selected: SelectedSessions
    private let rules: ProtectionRules
    private let policy: RecordedStatement.Policy

    private var snapshot: IndexedObservation { selected.snapshot }

    init(of selected: SelectedSessions, protecting rules: ProtectionRules, keeping policy: RecordedStatement.Policy) {
        self.selected = selected
        self.rules = rules
        self.policy = policy
    }

    /// - Throws: `CryptographyError` if a statement is to be hidden and OpenSSL refuses.
    func pin(_ thread: ThreadID, withDetails: Bool) throws(CryptographyError) -> PinnedThread {
        guard let session = snapshot.sessions[thread] else { return PinnedThread(absent: thread) }
        var identity = session.identity
        identity.proxy?.serverSession = selected.serverSessions[thread]
        return PinnedThread(PinnedSession(identity: identity, details: withDetails ? try details(of: session) : nil))
    }

    func impact(of threads: Set<ThreadID>) -> PlanImpact {
        // Who is protected is not going to die.
        let dying = threads.filter { snapshot.sessions[$0].map { rules.protection(of: $0) == nil } == true }
        return PlanImpact(
            freedSessions: snapshot.waitGraph.freed(by: dying).count,
            unexplainedWaiters: snapshot.observation.lockWaits.unexplained.subtracting(dying).count)
    }

    /// What the plan asks for, and what those who decide about it are shown.
    ///
    /// - Parameter ofDetails: whether the snapshot shows what dying would cost.
    func review(by policy: ApprovalPolicy, ofDetails: Bool, at time: UnixTime) -> ReviewTerms {
        let threads = selected.pinned
        let risk =
            ofDetails
            ? RiskRules(thresholds: policy.thresholds).assess(
                threads.compactMap { snapshot.sessions[$0] }, in: snapshot.observation, protecting: rules) : nil
        let waits = ofDetails ? snapshot.waits(around: threads) : ([], 0)
        return ReviewTerms(
            risk: risk, required: policy.required(for: risk?.grade),
            approvableUntil: time.advanced(bySeconds: policy.approvableFor), commitWithin: policy.commitWithin,
            waits: waits.0, omittedWaits: waits.1)
    }

    private func details(of session: Session) throws(CryptographyError) -> PinnedDetails {
        let seen = session.details
        return PinnedDetails(
            database: seen.database, command: seen.command, seconds: seen.seconds, state: seen.state,
            statement: try RecordedStatement(of: seen, policy), transaction: seen.transaction,
            preparedXA: seen.preparedXA,
            protection: rules.protection(of: session),
            wantedLocks: snapshot.waitGraph.locksWanted(from: session.id),
            freedSessions: snapshot.waitGraph.freed(by: [session.id]).count)
    }
}

/// Why what a Prepare names cannot be planned.
public enum PreparationError: Error, Hashable, Sendable {
    /// No session of the proxy has a connection with this id: it may be one of
    /// another proxy, or none.
    case unknownConnectionID(ThreadID)
    /// Nothing would tell this session from another one at Commit.
    case notPinnable(ThreadID)
    /// There is no proxy that could end a single connection to a database server.
    case serverSessionsUnsupported
    /// The session has no connection to a database server with this number.
    case unknownServerSession(UInt64, of: ThreadID)
    /// Two connections of one session: a plan ends one at most.
    case sessionNamedTwice(ThreadID)
    /// Somebody has to approve the plan, and nobody can approve what is not kept.
    case historyNeeded
}
