/// Lets Commits of one plan that come at the same time share one run.
actor CommitsInProgress {
    struct Key: Hashable {
        let sqlExecID: SqlExecID
        let account: AccountName
        let instance: InstanceID
        let breaksGlass: Bool
    }

    private var running: [Key: Task<CommitReport, any Error>] = [:]

    func join(
        _ key: Key, _ commit: @escaping @Sendable () async throws -> CommitReport
    ) async throws -> CommitReport {
        if let task = running[key] { return try await task.value }
        // A task of its own: the caller that happens to be first may go away, the others still wait.
        let task = Task { try await commit() }
        running[key] = task
        defer { running[key] = nil }
        return try await task.value
    }
}
