import FoundationEssentials
import SessionKill

extension SQLiteStore: SessionTaskStore {
    public nonisolated func insert(_ task: SessionTask, _ sessions: [TaskedSession]) async throws(StoreError) {
        try await attempting("store the session task \(task.id.rawValue)") {
            let rows = try Self.rows(sessions)
            try await write { tables in
                try tables.sessionTasks.insert(task, rows)
                try tables.audit.append(.sessionTaskCreated(task, threads: sessions.map(\.id)), at: task.createdAt)
            }
        }
    }

    public nonisolated func end(
        _ task: SessionTaskID, as ending: SessionTaskEnding, _ sessions: [TaskedSession], at time: UnixTime
    ) async throws(StoreError) -> Bool {
        try await attempting("record the end of the session task \(task.rawValue)") {
            let rows = try Self.rows(sessions)
            return try await write { tables in
                guard try tables.sessionTasks.end(task, as: ending, rows, at: time) == 1 else { return false }
                try tables.audit.append(.ended(task, ending, sessions), at: time)
                return true
            }
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

    private nonisolated static func rows(_ sessions: [TaskedSession]) throws -> [SessionTaskRows.Session] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try sessions.map { try SessionTaskRows.Session($0, encoder) }
    }
}
