import SessionKill

extension SQLiteStore {
    static let endOfYear9999 = UnixTime(milliseconds: 253_402_300_799_999)

    /// The newest time at which anything on record happened; `nil` of an empty
    /// store. Deadlines are none of these.
    public func newestTime() throws(StoreError) -> UnixTime? {
        try attempting("read the newest time of the store") {
            let times: [Int64?]
            switch database {
            case .some(let database): times = try database.newestTimes()
            case .none: throw Self.closed
            }
            // Later ones are nobody's clock.
            return times.compactMap(\.self).filter { $0 <= Self.endOfYear9999.milliseconds }.max().map {
                UnixTime(milliseconds: $0)
            }
        }
    }
}

extension Database {
    /// Each is found at the end of an index, however many plans there are: times grow with the ids, and what has ended
    /// later than the last plan was prepared is little.
    fileprivate borrowing func newestTimes() throws -> [Int64?] {
        let lastPreparation = try Statement("SELECT prepared_at FROM plans ORDER BY id DESC LIMIT 1", on: connection)
            .rows { try $0.integer("prepared_at") }.first
        guard let lastPreparation else { return try timesOfTasks() }
        // As an argument: with a subquery SQLite would read the whole index.
        let lastEnd = try Statement(lastEndOfAPlan, on: connection).rows([.integer(lastPreparation)]) {
            try $0.optionalInteger("time")
        }
        let claim = try Statement(lastClaim, on: connection).rows { try $0.optionalInteger("time") }
        return try [lastPreparation] + lastEnd + claim + timesOfTasks()
    }

    private borrowing func timesOfTasks() throws -> [Int64?] {
        // The first entry is of an empty store.
        let entry = try tables.audit.head()
        var times: [Int64?] = entry.sequence > 1 ? [entry.time.milliseconds] : []
        for query in timesOfTasksQueries {
            times += try Statement(query, on: connection).rows { try $0.optionalInteger("time") }
        }
        return times
    }
}

let lastEndOfAPlan =
    "SELECT max(ended_at) AS time FROM plans WHERE state <> 'committing' AND coalesce(ended_at, expires_at) >= ?"
let lastClaim = "SELECT max(committing_since) AS time FROM plans WHERE state = 'committing'"
let timesOfTasksQueries = [
    "SELECT created_at AS time FROM kill_tasks ORDER BY id DESC LIMIT 1",
    "SELECT max(ended_at) AS time FROM kill_tasks WHERE ended_at IS NOT NULL",
    "SELECT created_at AS time FROM session_tasks ORDER BY id DESC LIMIT 1",
    "SELECT max(ended_at) AS time FROM session_tasks WHERE ended_at IS NOT NULL",
]
