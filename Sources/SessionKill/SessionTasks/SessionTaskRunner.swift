import Text

/// Creates session tasks and carries them out in the background.
///
/// A task's plan, its sessions and the task itself are on disk before anything
/// is killed, and what became of each session before the task counts as ended.
/// What is done when is ``SessionTaskMachine``'s to decide.
public actor SessionTaskRunner: MachineRunner {
    /// What somebody who reads a log wants to know.
    public enum Event: Sendable {
        case created(SessionTask)
        case ended(SessionTask, SessionTaskEnding, killed: Int, failed: Int, spared: Int)
        /// The work on a task fails; it kills nobody any more.
        case failed(SessionTask, any Error)
    }

    private var engine: KillEngine
    private let store: any SessionTaskStore
    private let clock: KillEngine.Clock
    private let report: @Sendable (Event) -> Void
    private var machine = SessionTaskMachine()
    private var interrupted: [StoredSessionTask] = []
    /// What is known of the tasks that have not ended.
    private var works: [SessionTaskID: Work] = [:]
    /// What is under way for each.
    var steps = Steps<SessionTaskID>()

    private struct Work {
        let task: SessionTask
        var sessions: [TaskedSession]
        /// `nil` for the task's own if it is not configured any more.
        let instance: Instance?
        /// What is to be committed, and by whom; `nil` if the task was interrupted.
        let orders: (plan: KillPlan, killer: KillingAccount)?
        /// Whether clients can ask for it: it is in the store, or will be told of to its creator.
        let isKnown: Bool
        /// The server right before the KILLs.
        var observation: ServerObservation?
        /// What became of the sessions of its plan.
        var outcomes: [ThreadID: SessionTaskOutcome] = [:]
        /// How it ended and when, with what became of all its sessions, once that is decided.
        var end: (ending: SessionTaskEnding, sessions: [TaskedSession], time: UnixTime)?
    }

    /// - Parameters:
    ///   - clock: for the pauses between attempts to store an end.
    ///   - report: called on the runner, so it must not block.
    public init(
        engine: KillEngine, store: any SessionTaskStore, clock: KillEngine.Clock,
        report: @escaping @Sendable (Event) -> Void
    ) {
        self.engine = engine
        self.store = store
        self.clock = clock
        self.report = report
    }

    // MARK: From start to stop

    /// Reads which tasks were running when killd ended.
    public func load() async throws(StoreError) { interrupted = try await store.runningSessionTasks() }

    /// Takes over another configuration's settings for the tasks to come.
    public func replace(_ engine: KillEngine) { self.engine = engine }

    /// Ends the tasks that were running when killd ended, as ``SessionTaskEnding/error``.
    ///
    /// They kill nobody any more: with the process the callers' passwords were
    /// lost, and with killd's own account nobody had agreed to their kills. One
    /// whose plan had come to its end, so that all is known, ends as that tells.
    ///
    /// - Parameter instance: the one that a target names; `nil` if it is not
    ///   configured any more.
    public func start(_ instance: @Sendable (SessionTaskTarget) -> Instance?) {
        let engine = engine
        for stored in interrupted {
            let task = stored.task
            works[task.id] = Work(
                task: task, sessions: stored.sessions, instance: instance(task.target), orders: nil, isKnown: false)
            step(for: task.id) { _ in
                let plan = try? await engine.plan(named: task.plan)
                let isOver = if case .ended(.committed, _, _, _)? = plan?.state { true } else { false }
                return .interrupted(task, planIsOver: isOver)
            }
        }
        interrupted = []
    }

    /// Ends the work: tasks that wait kill nobody, and those that run are waited
    /// for.
    ///
    /// - Parameter limit: after so long, what became of sessions that were sent
    ///   a KILL is not waited for any more.
    public func stop(within limit: Duration) async {
        handle(.stopping)
        await finishSteps(within: limit, clock.sleep)
    }

    // MARK: Tasks

    /// Pins the sessions and begins to end them: one task for each target, or
    /// none at all.
    ///
    /// - Throws: ``SessionTaskError``, ``ServerError``, ``StoreError`` or
    ///   `CryptographyError`. Nothing was killed then.
    public func create(
        _ selection: Selection, on instances: [Instance], by killer: KillingAccount, for account: AccountName
    ) async throws -> [SessionTask] {
        guard !instances.contains(where: \.approvals.asks) else { throw SessionTaskError.approvalsNeeded }
        let targets = instances.map(\.target)
        try machine.admit(on: targets)
        var created: [Work] = []
        do {
            // All are pinned and stored before the first KILL: if one server is away, nobody is killed on the others.
            for instance in instances {
                let prepared = try await engine.prepare(selection, on: instance, by: killer, for: account)
                let task = SessionTask(
                    id: try .random(), account: account, target: instance.target, plan: prepared.plan.name,
                    createdAt: prepared.plan.content.preparedAt)
                created.append(
                    Work(
                        task: task, sessions: prepared.sessions, instance: instance,
                        orders: (prepared.plan, killer), isKnown: true))
            }
            for work in created { try await store.insert(work.task, work.sessions) }
        } catch {
            for work in created {
                works[work.task.id] = Work(
                    task: work.task, sessions: work.sessions, instance: work.instance, orders: nil, isKnown: false)
            }
            handle(.notCreated(created.map(\.task), on: targets, error))
            throw error
        }
        for work in created { works[work.task.id] = work }
        handle(.created(created.map(\.task)))
        return created.map(\.task)
    }

    /// The task with that id, if the account created it for that target and it has
    /// not been over for longer than ``SessionTask/retention``.
    public func task(
        _ id: SessionTaskID, at target: SessionTaskTarget, of account: AccountName
    ) async throws(StoreError) -> StoredSessionTask? {
        // Clients ask again and again.
        let known: StoredSessionTask? =
            if let work = works[id], work.isKnown {
                StoredSessionTask(task: work.task, state: .running, sessions: work.sessions)
            } else {
                try await store.sessionTask(id)
            }
        guard let stored = known, stored.task.target == target, stored.task.account == account else {
            return nil
        }
        if case .ended(_, let time) = stored.state, clock.now() >= time.advanced(bySeconds: SessionTask.retention) {
            return nil
        }
        return stored
    }

    // MARK: What the machine wants

    func handle(_ event: SessionTaskMachine.Event) {
        for action in machine.handle(event) {
            switch action {
            case .commit(let id): step(for: id) { runner in .committed(id, await runner.commit(id)) }
            case .close(let id, let reason): step(for: id) { runner in await runner.close(id, because: reason) }
            case .record(let id, let conclusion):
                step(for: id) { runner in await runner.record(id, conclusion) }
            case .retry(let id, let pause):
                let sleep = clock.sleep
                step(for: id) { _ in
                    let isCancelled = (try? await sleep(pause)) == nil
                    return .retryDue(id, isCancelled: isCancelled)
                }
            case .forget(let id): works[id] = nil
            case .report(let event): report(event)
            }
        }
    }

    private func commit(_ id: SessionTaskID) async -> SessionTaskMachine.CommitEnd {
        guard let work = works[id], let begun = work.instance, let orders = work.orders else {
            return .failed(KillError.planNotFound)
        }
        let instance: Instance
        do throws(KillObstacle) {
            // As it is configured now: a task may have waited for long.
            instance = try engine.instance(of: work.task, begun: begun)
        } catch {
            return .notPermitted(error)
        }
        let plan = orders.plan.name
        let run = await engine.commit(
            orders.plan.sqlExecID, on: instance, under: .sessionTask(by: orders.killer)
        ) { $0.name == plan }
        works[id]?.observation = run.observation
        do {
            let outcomes = await engine.outcomes(try run.report.get(), on: instance)
            works[id]?.outcomes = outcomes
            return .carriedOut
        } catch let refused as DelegatedLoginRefused {
            return .loginRefused(refused.cause)
        } catch KillError.notPermitted(let obstacle) {
            return .notPermitted(obstacle)
        } catch KillError.outcomesNotStored(let cause) {
            return .outcomesNotStored(cause)
        } catch {
            return .failed(error)
        }
    }

    private func close(_ id: SessionTaskID, because reason: Outcome.Failure) async -> SessionTaskMachine.Event {
        guard let work = works[id] else { return .closed(id) }
        do throws(StoreError) {
            let outcomes = try await engine.close(work.task.plan, on: work.instance, because: reason)
            works[id]?.outcomes = outcomes
            return .closed(id)
        } catch {
            return .notStored(id, error)
        }
    }

    private func record(
        _ id: SessionTaskID, _ conclusion: SessionTaskMachine.Conclusion
    ) async -> SessionTaskMachine.Event {
        guard let work = works[id] else { return .recorded(id) }
        let end = work.end ?? end(of: work, conclusion)
        works[id]?.end = end
        do throws(StoreError) {
            let isNews = try await store.end(id, as: end.ending, end.sessions, at: end.time)
            guard isNews else { return .recorded(id) }
            let outcomes = end.sessions.compactMap(\.outcome)
            report(
                .ended(
                    work.task, end.ending, killed: outcomes.count(where: \.isKilled),
                    failed: outcomes.count(where: \.isFailure), spared: outcomes.count(where: \.isSpared)))
            return .recorded(id)
        } catch {
            return .notStored(id, error)
        }
    }

    private func end(
        of work: Work, _ conclusion: SessionTaskMachine.Conclusion
    ) -> (ending: SessionTaskEnding, sessions: [TaskedSession], time: UnixTime) {
        var sessions = work.sessions
        if let observation = work.observation, let instance = work.instance {
            sessions.renewRows(from: observation, engine.settings.statementPolicy(of: instance))
        }
        let ending: SessionTaskEnding
        switch conclusion {
        case .loginRefused:
            for index in sessions.indices { sessions[index].outcome = .loginRefused }
            ending = .failure
        case .byOutcomes:
            sessions.complete(with: work.outcomes)
            ending = SessionTaskEnding(of: sessions.compactMap(\.outcome))
        case .error:
            sessions.complete(with: work.outcomes)
            ending = .error
        }
        // Whatever is not known by now.
        for index in sessions.indices { sessions[index].outcome = sessions[index].outcome ?? .decided(.unknown) }
        return (ending, sessions, clock.now())
    }
}

extension [TaskedSession] {
    /// Gives those an outcome that have none yet.
    fileprivate mutating func complete(with outcomes: [ThreadID: SessionTaskOutcome]) {
        for index in indices where self[index].outcome == nil { self[index].outcome = outcomes[self[index].id] }
    }

    /// Replaces the rows by what was seen later of the same sessions.
    fileprivate mutating func renewRows(from observation: ServerObservation, _ policy: RecordedStatement.Policy) {
        let listed = IndexedObservation(observation).sessions
        for index in indices {
            guard let now = listed[self[index].id], let row = self[index].row,
                // Somebody else's session under the id is none of the task's.
                row.user.isSame(as: now.identity.user), row.host.isSame(as: now.identity.host),
                let newRow = try? SessionRow(now, policy)
            else { continue }
            self[index].row = newRow
        }
    }
}

/// Why no task was created.
public enum SessionTaskError: Error, Hashable, Sendable {
    /// Too many wait for the target already.
    case tooMany
    /// Somebody has to agree before sessions are ended there, which by a task nobody can.
    case approvalsNeeded
    /// killd is ending.
    case stopping
}
