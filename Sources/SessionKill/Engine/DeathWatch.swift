import Text

/// Decides from what is seen after the KILLs whether each session is dead.
///
/// The end test that holds on MySQL and MariaDB alike (both measured): the
/// session is off the list, and its transaction is out of `INNODB_TRX`. MySQL
/// takes an idle session off the list at once and undoes its transaction
/// afterwards, with all its locks held; MariaDB lists it until that is done.
struct DeathWatch {
    private enum Stage {
        case listed
        /// Off the list, but it had a transaction when it was killed.
        case rolledBackUnseen
    }

    private struct Dying {
        let session: Session
        var stage: Stage
        var transaction: Transaction?
        var readingsWithoutSession = 0

        /// `nil` if there is nothing to undo.
        var transactionID: String? { session.details.transaction?.id }

        var awaitsReplica: Bool { session.details.state?.isWaitForReplica == true }

        /// What it is once it is gone, and all that is known to be its own with it.
        var death: Outcome {
            if session.details.preparedXA == .unknown { return .xaUnknown }
            return awaitsReplica ? .alreadyCommitted : .killed
        }
    }

    private var dying: [ThreadID: Dying]
    private var outcomes: [ThreadID: Outcome] = [:]
    private var lastReading: Int
    private var seenDying: Set<ThreadID> = []
    /// Whether a reading from after the KILL was seen.
    private(set) var hasNewReading = false

    /// - Parameters:
    ///   - offTheList: further sessions, which the server cannot list any more.
    ///   - reading: number of the reading that the sessions' transactions are from.
    init(_ sessions: [Session], offTheList: [Session] = [], after reading: Int) {
        dying = (sessions + offTheList).reduce(into: [:]) { $0[$1.id] = Dying(session: $1, stage: .listed) }
        lastReading = reading
        for session in offTheList { left(session.id) }
    }

    var isOver: Bool { dying.isEmpty }

    /// - Parameter whole: of which this sees how far it has come.
    func progress(of whole: CommitProgress) -> CommitProgress {
        let rollingBack = dying.values.compactMap(\.transaction).filter(\.isRollingBack)
        var progress = whole
        progress.ended = outcomes.count
        progress.rollingBack = rollingBack.count
        let rows = rollingBack.compactMap(\.rowsModified)
        if !rows.isEmpty { progress.rowsLeft = rows.reduce(0) { $0.addingReportingOverflow($1).partialValue } }
        return progress
    }

    /// The sessions that have not been seen to leave the list.
    var listed: [SessionIdentity] {
        dying.values.filter { $0.stage == .listed }.map(\.session.identity)
    }

    /// Whether a reading of the transactions would tell anything.
    ///
    /// - Parameter lastSnapshot: then also how far the sessions still listed have come.
    func wantsTransactions(lastSnapshot: Bool) -> Bool {
        dying.values.contains { $0.stage == .rolledBackUnseen || lastSnapshot && $0.transactionID != nil }
    }

    mutating func sawPresent(_ present: Set<ThreadID>) {
        for (id, each) in dying where each.stage == .listed && !present.contains(id) { left(id) }
    }

    /// Notes that a session is off the list.
    private mutating func left(_ id: ThreadID) {
        guard let each = dying[id] else { return }
        if each.transactionID == nil {
            settle(id, each.session.details.preparedXA == .present ? .xaPrepared : each.death)
        } else {
            dying[id]?.stage = .rolledBackUnseen
        }
    }

    /// What a server shows as killed, but not at its end: neither dead nor spared.
    mutating func sawDying(_ sessions: Set<ThreadID>) { seenDying = sessions }

    /// A reading that was seen before says nothing new and is ignored.
    mutating func sawTransactions(_ reading: TransactionReading) {
        guard reading.number > lastReading else { return }
        lastReading = reading.number
        hasNewReading = true
        let open = Dictionary(
            reading.transactions.map { (Exact($0.transaction.id), $0) }, uniquingKeysWith: { $1 })
        for (id, each) in dying {
            guard let transactionID = each.transactionID else { continue }
            guard let now = open[Exact(transactionID)] else {
                if each.stage == .rolledBackUnseen { settle(id, each.death) }
                dying[id]?.transaction = nil
                continue
            }
            dying[id]?.transaction = now.transaction
            // The mark of a prepared XA transaction whose session is gone, on both servers. Once may be a reading from
            // the moment before the rollback began; twice is a transaction that nobody ends.
            let isNobodys = now.thread == nil && now.transaction.state.isSame(as: "RUNNING")
            guard each.stage == .rolledBackUnseen, isNobodys else { continue }
            dying[id]?.readingsWithoutSession += 1
            if each.readingsWithoutSession > 0 { settle(id, .xaPrepared) }
        }
    }

    /// The outcomes of all sessions, also of those whose end was not seen.
    ///
    /// - Parameter unseen: overrides the outcome of those, if given.
    func conclude(unseen: Outcome? = nil) -> [ThreadID: Outcome] {
        dying.reduce(into: outcomes) { outcomes, entry in
            let (id, each) = entry
            if let unseen {
                outcomes[id] = unseen
            } else if let transaction = each.transaction, transaction.isRollingBack {
                outcomes[id] = .rollingBack(rowsLeft: transaction.rowsModified ?? 0)
            } else if each.stage == .rolledBackUnseen || seenDying.contains(id) {
                outcomes[id] = .unknown
            } else {
                outcomes[id] = .failed(each.awaitsReplica ? .outlivedKillCommitted : .outlivedKill)
            }
        }
    }

    private mutating func settle(_ id: ThreadID, _ outcome: Outcome) {
        dying[id] = nil
        outcomes[id] = outcome
    }
}
