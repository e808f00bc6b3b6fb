import SessionKill

extension SQLiteStore: KillTaskStore {
    public nonisolated func insert(_ task: KillTask) async throws(StoreError) -> Bool {
        do {
            let row = try KillTaskRow(task)
            return try await write { tables in try tables.tasks.insert(row) } == 1
        } catch {
            throw StoreError(error, attempt: "store \(task.name.rawValue)")
        }
    }

    public nonisolated func end(
        _ task: KillTaskName, as ending: KillTaskEnding, at time: UnixTime
    ) async throws(StoreError) -> Bool {
        do {
            return try await write { tables in try tables.tasks.end(task, as: ending, at: time) } == 1
        } catch {
            throw StoreError(error, attempt: "record the end of \(task.rawValue)")
        }
    }

    public nonisolated func runningTasks() async throws(StoreError) -> [KillTask] {
        do {
            let rows = try await read { tables in try tables.tasks.runningTasks() }
            return try rows.map { try $0.storedTask().task }
        } catch {
            throw StoreError(error, attempt: "read the running tasks")
        }
    }

    public nonisolated func tasks(
        of instances: Set<InstanceID>, skipping offset: Int, limit: Int
    ) async throws(StoreError) -> [StoredKillTask] {
        do {
            let rows = try await read { tables in
                try tables.tasks.tasks(of: instances, skipping: offset, limit: limit)
            }
            return try rows.map { try $0.storedTask() }
        } catch {
            throw StoreError(error, attempt: "read the tasks")
        }
    }

    public nonisolated func interruptedTaskPlans() async throws(StoreError) -> [InterruptedTaskPlan] {
        do {
            return try await read { tables in try tables.plans.interruptedTaskPlans() }
        } catch {
            throw StoreError(error, attempt: "read the interrupted plans of tasks")
        }
    }
}
