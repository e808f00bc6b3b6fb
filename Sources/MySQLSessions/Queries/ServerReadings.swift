import SessionKill
import Synchronization

/// What the last readings of a server showed, for all connections to it.
///
/// InnoDB renews what it shows there only when nobody read it for 100 ms
/// (`CACHE_MIN_IDLE_TIME` in its `trx0i_s.cc`): two Commits that each read it a
/// few times a second would show each other the same old rows for ever
/// (measured). So killd reads it four times a second at most, and whoever
/// comes sooner is handed the last reading.
final class ServerReadings: Sendable {
    /// The least time between two readings: even with somebody else's poll in between, it leaves InnoDB its pause.
    static let pause = Duration.milliseconds(250)

    private struct State {
        var count = 0
        var last: (reading: TransactionReading, begunAt: ContinuousClock.Instant)?
        var lastLockWaits: (waits: LockWaits, begunAt: ContinuousClock.Instant)?
        /// When the last list was read whose statements were too much to read whole.
        var largeStatements: ContinuousClock.Instant?
    }

    private let state = Mutex(State())

    /// The last reading, if it was begun less than 250 ms before `time`.
    func recent(at time: ContinuousClock.Instant) -> TransactionReading? {
        state.withLock { state in
            guard let last = state.last, last.begunAt.duration(to: time) < Self.pause else { return nil }
            return last.reading
        }
    }

    /// Numbers a reading and keeps it.
    func add(_ transactions: [OpenTransaction], begunAt: ContinuousClock.Instant) -> TransactionReading {
        state.withLock { state in
            state.count += 1
            let reading = TransactionReading(number: state.count, transactions: transactions)
            state.last = (reading, begunAt)
            return reading
        }
    }

    /// The same for who waits for whom: on MariaDB that is read from the same
    /// cache, and on both servers it is dear where many wait.
    func recentLockWaits(at time: ContinuousClock.Instant) -> LockWaits? {
        state.withLock { state in
            guard let last = state.lastLockWaits, last.begunAt.duration(to: time) < Self.pause else { return nil }
            return last.waits
        }
    }

    func add(_ waits: LockWaits, begunAt: ContinuousClock.Instant) {
        state.withLock { $0.lastLockWaits = (waits, begunAt) }
    }

    /// The most bytes of all statements of a session list together, up to which they are read whole.
    private static let mostOfWholeStatements = 8 << 20
    /// For how long after a list with more than that none is read with whole statements.
    private static let pauseOfWholeStatements = Duration.seconds(60)

    func readsWholeStatements(at time: ContinuousClock.Instant) -> Bool {
        state.withLock { state in
            state.largeStatements.map { $0.duration(to: time) >= Self.pauseOfWholeStatements } ?? true
        }
    }

    /// Takes note of how much the statements of a list were.
    func noteStatements(of sessions: [Session], begunAt: ContinuousClock.Instant) {
        let bytes = sessions.reduce(0) {
            $0 + ($1.details.statementLength ?? $1.details.statement?.utf8.count ?? 0)
        }
        if bytes > Self.mostOfWholeStatements { noteLargeStatements(at: begunAt) }
    }

    func noteLargeStatements(at time: ContinuousClock.Instant) { state.withLock { $0.largeStatements = time } }
}
