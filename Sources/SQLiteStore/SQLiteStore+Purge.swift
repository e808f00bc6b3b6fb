import SessionKill

extension SQLiteStore {
    /// The most that are deleted, or noted as expired, at once, so that others never wait for long.
    static let portion = 32

    /// Deletes every plan that ended, or expired without being committed,
    /// before `time`, in portions between which others can write; then every
    /// task that ended before `time` and none of whose plans is left. A plan
    /// that is committing is kept, however old, and so is a running task.
    ///
    /// - Parameter now: the time of day.
    /// - Returns: how many plans were deleted.
    @discardableResult
    public nonisolated func purge(
        endedOrExpiredBefore time: UnixTime, at now: UnixTime
    ) async throws(StoreError) -> Int {
        let count = try await purge(.plans, at: now) { tables in
            try tables.plans.deletePlans(endedOrExpiredBefore: time, limit: Self.portion)
        }
        _ = try await purge(.killTasks, at: now) { tables in
            try tables.tasks.deleteTasks(endedBefore: time, limit: Self.portion)
        }
        return count
    }

    /// Deletes every session task that ended before `time`, in portions between
    /// which others can write. A running task is kept, however old.
    ///
    /// - Parameter now: the time of day.
    /// - Returns: how many were deleted.
    @discardableResult
    public nonisolated func purgeSessionTasks(
        endedBefore time: UnixTime, at now: UnixTime
    ) async throws(StoreError) -> Int {
        try await purge(.sessionTasks, at: now) { tables in
            try tables.sessionTasks.deleteTasks(endedBefore: time, limit: Self.portion)
        }
    }

    /// - Parameter deletePortion: returns the names of what it deleted.
    private nonisolated func purge(
        _ what: AuditEvent.Pruned, at now: UnixTime,
        _ deletePortion: @escaping @Sendable (borrowing Tables) throws -> [String]
    ) async throws(StoreError) -> Int {
        var total = 0
        while true {
            let deleted = try await attempting("delete old \(what.rawValue)") {
                try await write { tables in
                    let names = try deletePortion(tables)
                    if !names.isEmpty { try tables.audit.append(.pruned(names, of: what), at: now) }
                    return names.count
                }
            }
            total += deleted
            if deleted < Self.portion { return total }
        }
    }

    /// Records of every prepared plan that nobody can approve or commit any more, by whatever configuration, that it
    /// has expired.
    ///
    /// - Returns: how many they were.
    @discardableResult
    public nonisolated func noteExpired(at time: UnixTime) async throws(StoreError) -> Int {
        var total = 0
        while true {
            let noted = try await attempting("record which plans have expired") {
                try await write { tables in
                    let time = try tables.audit.head().time(atLeast: time)
                    let plans = try tables.plans.expire(at: time, limit: Self.portion)
                    for plan in plans { try tables.audit.append(.expired(plan), at: time) }
                    return plans.count
                }
            }
            total += noted
            if noted < Self.portion { return total }
        }
    }
}
