import SessionKill

extension SQLiteStore: KillTaskStore {
    public nonisolated func insert(_ task: KillTask) async throws(StoreError) -> Bool {
        try await attempting("store \(task.name.rawValue)") {
            let row = try KillTaskRow(task)
            return try await write { tables in
                guard try tables.tasks.insert(row) == 1 else { return false }
                try tables.audit.append(.taskCreated(task), at: task.createdAt)
                return true
            }
        }
    }

    public nonisolated func end(
        _ task: KillTaskName, as ending: KillTaskEnding, at time: UnixTime
    ) async throws(StoreError) -> Bool {
        try await attempting("record the end of \(task.rawValue)") {
            try await write { tables in
                guard try tables.tasks.end(task, as: ending, at: time) == 1 else { return false }
                try tables.audit.append(.taskEnded(task, ending), at: time)
                return true
            }
        }
    }

    public nonisolated func runningTasks() async throws(StoreError) -> [KillTask] {
        try await attempting("read the running tasks") {
            let rows = try await read { tables in try tables.tasks.runningTasks() }
            return try rows.map { try $0.storedTask().task }
        }
    }

    public nonisolated func tasks(
        of instances: Set<InstanceID>, skipping offset: Int, limit: Int
    ) async throws(StoreError) -> [StoredKillTask] {
        try await attempting("read the tasks") {
            let rows = try await read { tables in
                try tables.tasks.tasks(of: instances, skipping: offset, limit: limit)
            }
            return try rows.map { try $0.storedTask() }
        }
    }

    public nonisolated func interruptedTaskPlans() async throws(StoreError) -> [InterruptedTaskPlan] {
        try await attempting("read the interrupted plans of tasks") {
            try await read { tables in try tables.plans.interruptedTaskPlans() }
        }
    }
}
