import FoundationEssentials
import SessionKill

extension SQLiteStore: SessionTaskStore {
    public nonisolated func insert(_ task: SessionTask, _ sessions: [TaskedSession]) async throws(StoreError) {
        do {
            let rows = try Self.rows(sessions)
            _ = try await write { tables in try tables.sessionTasks.insert(task, rows) }
        } catch {
            throw StoreError(error, attempt: "store the session task \(task.id.rawValue)")
        }
    }

    public nonisolated func end(
        _ task: SessionTaskID, as ending: SessionTaskEnding, _ sessions: [TaskedSession], at time: UnixTime
    ) async throws(StoreError) -> Bool {
        do {
            let rows = try Self.rows(sessions)
            return try await write { tables in
                try tables.sessionTasks.end(task, as: ending, rows, at: time)
            } == 1
        } catch {
            throw StoreError(error, attempt: "record the end of the session task \(task.rawValue)")
        }
    }

    public nonisolated func sessionTask(_ id: SessionTaskID) async throws(StoreError) -> StoredSessionTask? {
        do {
            return try await read { tables in try tables.sessionTasks.task(id) }?.storedTask()
        } catch {
            throw StoreError(error, attempt: "read a session task")
        }
    }

    public nonisolated func runningSessionTasks() async throws(StoreError) -> [StoredSessionTask] {
        do {
            return try await read { tables in try tables.sessionTasks.runningTasks() }.map { try $0.storedTask() }
        } catch {
            throw StoreError(error, attempt: "read the running session tasks")
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
