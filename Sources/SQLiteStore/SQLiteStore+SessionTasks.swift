import FoundationEssentials
import SessionKill

extension SQLiteStore: SessionTaskStore {
    public nonisolated func insert(_ task: SessionTask, _ sessions: [TaskedSession]) async throws(StoreError) {
        try await attempting("store the session task \(task.id.rawValue)") {
            let rows = try Self.rows(sessions)
            _ = try await write { tables in try tables.sessionTasks.insert(task, rows) }
        }
    }

    public nonisolated func end(
        _ task: SessionTaskID, as ending: SessionTaskEnding, _ sessions: [TaskedSession], at time: UnixTime
    ) async throws(StoreError) -> Bool {
        try await attempting("record the end of the session task \(task.rawValue)") {
            let rows = try Self.rows(sessions)
            return try await write { tables in
                try tables.sessionTasks.end(task, as: ending, rows, at: time)
            } == 1
        }
    }

    public nonisolated func sessionTask(_ id: SessionTaskID) async throws(StoreError) -> StoredSessionTask? {
        try await attempting("read a session task") {
            try await read { tables in try tables.sessionTasks.task(id) }?.storedTask()
        }
    }

    public nonisolated func runningSessionTasks() async throws(StoreError) -> [StoredSessionTask] {
        try await attempting("read the running session tasks") {
            try await read { tables in try tables.sessionTasks.runningTasks() }.map { try $0.storedTask() }
        }
    }

    /// Deletes every session task that ended before `time`, in portions between
    /// which others can write. A running task is kept, however old.
    ///
    /// - Returns: how many were deleted.
    @discardableResult
    public nonisolated func purgeSessionTasks(endedBefore time: UnixTime) async throws(StoreError) -> Int {
        try await purge("session tasks") { tables in
            try tables.sessionTasks.deleteTasks(endedBefore: time, limit: Self.purgePortion)
        }
    }

    private nonisolated static func rows(_ sessions: [TaskedSession]) throws -> [SessionTaskRows.Session] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try sessions.map { try SessionTaskRows.Session($0, encoder) }
    }
}
