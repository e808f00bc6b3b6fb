import Text

/// The sessions that an interrupted Commit was about to kill and that the server
/// does not list any more.
///
/// Whether they died of a KILL nobody can tell. That they are gone is proven as
/// of every other session, by ``DeathWatch``.
struct VanishedSessions {
    /// The server may be undoing their transactions.
    private(set) var perhapsListed: [Session] = []
    /// Their ids are other sessions' now.
    private(set) var offTheList: [Session] = []
    private var pinnedTransactions: [ThreadID: Transaction] = [:]
    private var idsWithForeignTransaction: Set<ThreadID> = []
    private var seesNothing = false

    var isEmpty: Bool { perhapsListed.isEmpty && offTheList.isEmpty }

    mutating func add(_ pinned: PinnedSession, isReplaced: Bool) {
        let session = Session(
            identity: pinned.identity,
            details: SessionDetails(command: "", seconds: nil, preparedXA: pinned.details?.preparedXA ?? .absent))
        pinnedTransactions[session.id] = pinned.details?.transaction
        if isReplaced { offTheList.append(session) } else { perhapsListed.append(session) }
    }

    /// One that was listed a moment ago.
    mutating func add(_ session: Session) {
        pinnedTransactions[session.id] = session.details.transaction
        perhapsListed.append(session)
    }

    /// Gives each the transaction that must be over before it counts as gone.
    ///
    /// One that is rolled back and belongs to no session may be that of any of
    /// them: what they did between Prepare and the KILL is not on record.
    ///
    /// - Parameter reading: `nil` if the server does not tell; then nobody's end can
    ///   be proven.
    mutating func find(_ reading: TransactionReading?) {
        guard let reading else {
            seesNothing = true
            return
        }
        let open = Dictionary(
            reading.transactions.compactMap { open in open.transaction.id.map { ($0, open.transaction) } },
            uniquingKeysWith: { $1 })
        let byThread = Dictionary(
            reading.transactions.compactMap { open in open.thread.map { ($0, open.transaction) } },
            uniquingKeysWith: { $1 })
        let nobodys = reading.transactions.first { $0.thread == nil && $0.transaction.isRollingBack }?.transaction
        let anyIsLeftBehind = reading.transactions.contains { $0.thread == nil && !$0.transaction.isRollingBack }
        func transaction(of id: ThreadID, isReplaced: Bool) -> (Transaction, isForeign: Bool)? {
            if let pinned = pinnedTransactions[id]?.id.flatMap({ open[$0] }) { return (pinned, false) }
            if !isReplaced, let own = byThread[id] { return (own, false) }
            return nobodys.map { ($0, true) }
        }
        func give(_ session: inout Session, isReplaced: Bool, foreign: inout Set<ThreadID>) {
            // What it had prepared, somebody may have ended since.
            if !anyIsLeftBehind { session.details.preparedXA = .absent }
            guard let (transaction, isForeign) = transaction(of: session.id, isReplaced: isReplaced) else { return }
            session.details.transaction = transaction
            if isForeign { foreign.insert(session.id) }
        }
        for index in perhapsListed.indices {
            give(&perhapsListed[index], isReplaced: false, foreign: &idsWithForeignTransaction)
        }
        for index in offTheList.indices {
            give(&offTheList[index], isReplaced: true, foreign: &idsWithForeignTransaction)
        }
    }

    /// What a ``DeathWatch`` over them and others found, in the words of who does
    /// not know whether a KILL was sent.
    func conclude(_ outcomes: [ThreadID: Outcome]) -> [ThreadID: Outcome] {
        (perhapsListed + offTheList).map(\.id).reduce(into: outcomes) { outcomes, id in
            switch outcomes[id] {
            case _ where seesNothing: outcomes[id] = .unknown
            case .killed: outcomes[id] = .ended
            case .rollingBack where idsWithForeignTransaction.contains(id), .failed: outcomes[id] = .unknown
            case _: break
            }
        }
    }
}

extension SessionIdentity {
    /// Whether this session must be gone because `successor` is listed under its id.
    ///
    /// Another user alone proves nothing: `COM_CHANGE_USER` keeps the connection.
    func isGone(since successor: SessionIdentity) -> Bool {
        if let before = performanceSchemaThreadID, let after = successor.performanceSchemaThreadID {
            return before != after
        }
        if proxy != nil || successor.proxy != nil { return !isSameSessionOfProxy(as: successor) }
        return successor.isLoggedIn && !host.isSame(as: successor.host)
    }

    /// Whether the server shows whose it is. It does not of one that is logging in
    /// or being torn down.
    var isLoggedIn: Bool { !user.isEmpty && !user.isSame(as: "unauthenticated user") }
}
