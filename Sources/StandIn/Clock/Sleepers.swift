/// Those who wait for a moment, each until one of its own.
///
/// A value: whoever keeps it says how late it is.
struct Sleepers<Sleeper> {
    private var waiting: [UInt64: (until: Duration, sleeper: Sleeper)] = [:]
    private var lastID: UInt64 = 0

    /// A name for somebody who may be about to wait.
    mutating func makeID() -> UInt64 {
        lastID += 1
        return lastID
    }

    mutating func add(_ sleeper: Sleeper, _ id: UInt64, until moment: Duration) {
        waiting[id] = (moment, sleeper)
    }

    mutating func remove(_ id: UInt64) -> Sleeper? { waiting.removeValue(forKey: id)?.sleeper }

    /// Removes those whose moment has come, the earliest first.
    mutating func removeDue(at elapsed: Duration) -> [Sleeper] {
        let due = waiting.filter { $0.value.until <= elapsed }.sorted {
            ($0.value.until, $0.key) < ($1.value.until, $1.key)
        }
        for (id, _) in due { waiting[id] = nil }
        return due.map(\.value.sleeper)
    }

    var count: Int { waiting.count }

    /// The moment of the first.
    var earliest: Duration? { waiting.values.map(\.until).min() }
}
