/// Decides from what is seen after the KILLs whether each session is dead.
///
/// The end test that holds on MySQL and MariaDB alike (both measured): the
/// session is off the list, and its transaction is out of `INNODB_TRX`. MySQL
/// takes an idle session off the list at once and undoes its transaction
/// afterwards, with all its locks held; MariaDB lists it until that is done.
struct DeathWatch {
    /// InnoDB renews what `INNODB_TRX` shows only when nobody read it for 100 ms;
    /// at four reads a second even somebody else's poll leaves room.
    static let transactionPause = Duration.milliseconds(250)

    private enum Stage {
        case listed
        /// Off the list, but it had a transaction when it was killed.
        case rolledBackUnseen
    }

    private struct Dying {
        let session: Session
        var stage: Stage
        var transaction: Transaction?
        var readingsNotRollingBack = 0
    }

    private var dying: [ThreadID: Dying]
    private var outcomes: [ThreadID: Outcome] = [:]

    init(_ sessions: [Session]) {
        dying = sessions.reduce(into: [:]) { $0[$1.id] = Dying(session: $1, stage: .listed) }
    }

    var isOver: Bool { dying.isEmpty }

    /// The sessions that have not been seen to leave the list.
    var listed: [SessionIdentity] {
        dying.values.filter { $0.stage == .listed }.map(\.session.identity)
    }

    /// Whether a reading of the transactions would tell anything.
    ///
    /// - Parameter lastLook: then also how far the sessions still listed have come.
    func wantsTransactions(lastLook: Bool) -> Bool {
        dying.values.contains { $0.stage == .rolledBackUnseen || lastLook && $0.session.picture.transaction != nil }
    }

    mutating func sawPresent(_ present: Set<ThreadID>) {
        for (id, each) in dying where each.stage == .listed && !present.contains(id) {
            if each.session.picture.transaction == nil {
                settle(id, .killed)
            } else {
                dying[id]?.stage = .rolledBackUnseen
            }
        }
    }

    mutating func sawTransactions(_ transactions: [String: Transaction]) {
        for (id, each) in dying {
            guard let before = each.session.picture.transaction else { continue }
            guard let now = transactions[before.id] else {
                if each.stage == .rolledBackUnseen { settle(id, .killed) }
                dying[id]?.transaction = nil
                continue
            }
            dying[id]?.transaction = now
            guard each.stage == .rolledBackUnseen, !now.isRollingBack else { continue }
            // Once may be a reading from before the rollback began; twice is a transaction that nobody ends.
            dying[id]?.readingsNotRollingBack += 1
            if each.readingsNotRollingBack > 0 { settle(id, .xaPrepared) }
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
                outcomes[id] = .rollingBack(rowsLeft: transaction.rowsModified)
            } else if each.stage == .rolledBackUnseen {
                outcomes[id] = .unknown
            } else {
                outcomes[id] = .failed("KILL was accepted, but the server still lists the session")
            }
        }
    }

    private mutating func settle(_ id: ThreadID, _ outcome: Outcome) {
        dying[id] = nil
        outcomes[id] = outcome
    }
}
