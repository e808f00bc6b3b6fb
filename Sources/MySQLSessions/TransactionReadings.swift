import SessionKill
import Synchronization

/// What the last reading of a server's INNODB_TRX showed, for all connections
/// to that server.
///
/// InnoDB renews what it shows there only when nobody read it for 100 ms
/// (`CACHE_MIN_IDLE_TIME` in its `trx0i_s.cc`): two Commits that each looked a
/// few times a second would show each other the same old rows for ever
/// (measured). So killd reads it four times a second at most, and whoever
/// comes sooner is handed the last reading.
final class TransactionReadings: Sendable {
    /// Even with somebody else's poll in between, this leaves InnoDB its pause.
    static let pause = Duration.milliseconds(250)

    private struct State {
        var count = 0
        var last: (reading: TransactionReading, begunAt: ContinuousClock.Instant)?
        var lastLockWaits: (waits: LockWaits, begunAt: ContinuousClock.Instant)?
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
}
