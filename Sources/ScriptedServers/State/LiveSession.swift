import SessionKill
import Text

/// A session of a scripted server at a moment.
struct LiveSession: Hashable, Sendable, Codable {
    let id: ThreadID
    @Exact var user: String
    @Exact var host: String
    var performanceSchemaThreadID: UInt64
    var client: ClientAttributes?
    var proxy: Seed.Proxy?
    private(set) var details: Seed.Details
    /// Since when it has been in its state.
    private(set) var since: UnixTime
    /// Since when its transaction has been open.
    private(set) var transactionSince: UnixTime
    /// What the server calls its transaction; `nil` if there is nothing to be undone.
    private(set) var transactionID: String?
    var locks: [Lock]
    var waitsFor: Seed.Wait?
    let reaction: Seed.Reaction
    /// What is going to become of it by itself.
    var happenings: [Seed.Happening]
    let statements: [String]
    var killed: Kill?

    struct Kill: Hashable, Sendable, Codable {
        var time: UnixTime
        /// Looks until then.
        var looks: Int
    }

    init(_ seed: Seed.Session, performanceSchemaThreadID: UInt64, transactionID: String, at now: UnixTime) {
        id = seed.id
        user = seed.user
        host = seed.host
        self.performanceSchemaThreadID = performanceSchemaThreadID
        client = seed.client
        proxy = seed.proxy
        details = seed.details
        (since, transactionSince) = (now, now)
        locks = seed.locks
        waitsFor = seed.waitsFor
        reaction = seed.reaction
        happenings = seed.happenings
        statements = seed.statements
        begin(seed.details, transactionID: transactionID, at: now)
    }

    /// Does something else from now on.
    ///
    /// - Parameter transactionID: for a transaction that has none yet and changes something.
    mutating func begin(_ details: Seed.Details, transactionID: String, at now: UnixTime) {
        self.details = details
        since = now.before(bySeconds: details.seconds ?? 0)
        transactionSince = now.before(bySeconds: details.transaction?.seconds ?? 0)
        let isOfWrites = details.transaction.map {
            $0.rows != 0 || $0.state.isSame(as: "LOCK WAIT") || details.hasPreparedXA
        }
        self.transactionID = isOfWrites == true ? self.transactionID ?? transactionID : nil
    }

    /// Goes on after a lock that it waited for was free: its statement is done, and with it a transaction that had
    /// changed nothing before.
    mutating func goOn(at now: UnixTime) {
        waitsFor = nil
        details.command = "Sleep"
        details.state = ""
        details.statement = nil
        since = now
        guard let transaction = details.transaction, transaction.state.isSame(as: "LOCK WAIT") else { return }
        details.transaction?.state = "RUNNING"
        if transaction.rows == 0 { (details.transaction, transactionID) = (nil, nil) }
    }

    var identity: SessionIdentity {
        SessionIdentity(id: id, user: user, host: host)
    }

    /// How much of its rollback is still to be done, from 1 down to 0; `nil` if it is not killed or has none.
    func restOfRollback(at now: UnixTime) -> Double? {
        guard let killed, case .rollsBack(let seconds) = reaction else { return nil }
        guard seconds > 0 else { return 0 }
        let passed = Double(now.milliseconds(since: killed.time)) / 1_000
        return min(1, max(0, 1 - passed / Double(seconds)))
    }

    /// Whether it is at its end after a KILL.
    func isDead(at now: UnixTime, looks: Int) -> Bool {
        guard let killed else { return false }
        switch reaction {
        case .dies(let least, let seconds):
            return looks &- killed.looks >= least && now >= killed.time.advanced(bySeconds: seconds)
        case .rollsBack(let seconds): return now >= killed.time.advanced(bySeconds: seconds)
        case .survives: return false
        case .refuses, .unkillable, .unguardable: return false
        }
    }

    /// Whether it is off the list while its transaction is still undone: MySQL takes a session that is asleep off at
    /// once.
    func isUnlisted(on kind: Seed.Kind) -> Bool {
        guard killed != nil, kind == .mysql, case .rollsBack = reaction else { return false }
        return details.command == "Sleep"
    }

    /// Its row of the transactions; `nil` if it has none, or it is a prepared one that MySQL shows apart from it.
    func openTransaction(on kind: Seed.Kind, at now: UnixTime) -> OpenTransaction? {
        guard let transaction = details.transaction, kind != .oceanBaseODP else { return nil }
        let rest = restOfRollback(at: now)
        let rows = transaction.rows.map { rows in
            // What cannot be told in a Double is more than anybody undoes.
            rest.map { UInt64(exactly: (Double(rows) * $0).rounded(.up)) ?? rows } ?? rows
        }
        return OpenTransaction(
            Transaction(
                id: transactionID, age: max(0, now.seconds(since: transactionSince)), rowsModified: rows,
                state: rest == nil ? transaction.state : "ROLLING BACK"),
            thread: details.hasPreparedXA && kind == .mysql ? nil : id)
    }

    /// - Parameters:
    ///   - transaction: its open one, as it was last read.
    ///   - lists: how many lists were read before.
    func listed(on kind: Seed.Kind, transaction: Transaction?, lists: Int, at now: UnixTime) -> SessionDetails {
        var statement = details.statement
        if !statements.isEmpty, details.command != "Sleep" {
            statement = statements[Int(lists.magnitude % UInt(statements.count))]
        }
        return SessionDetails(
            database: details.database, command: killed == nil ? details.command : "Killed",
            seconds: max(0, now.seconds(since: since)), state: details.state, statement: statement,
            transaction: transaction)
    }
}

// Scenes that were kept can tell any time.
extension UnixTime {
    func milliseconds(since time: UnixTime) -> Int64 {
        let (difference, isBeyond) = milliseconds.subtractingReportingOverflow(time.milliseconds)
        return isBeyond ? (self < time ? .min : .max) : difference
    }

    func seconds(since time: UnixTime) -> Int64 { milliseconds(since: time) / 1_000 }

    func before(bySeconds seconds: Int64) -> UnixTime { advanced(bySeconds: Int(clamping: 0 &- seconds)) }
}
