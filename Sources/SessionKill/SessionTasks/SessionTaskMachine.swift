/// Decides what is done for session tasks: a value that waits for nothing and
/// has no clock.
///
/// A task is committed, its plan is closed where that could not come to its end,
/// and its own end is stored; what the store does not take is tried again.
struct SessionTaskMachine {
    enum Event {
        /// Tasks were created for which there was room.
        case created([SessionTask])
        /// The creation failed; some of these may be in the store as running already.
        case notCreated([SessionTask], on: [SessionTaskTarget], any Error)
        /// A task that was running when killd ended.
        case interrupted(SessionTask, planIsOver: Bool)
        case committed(SessionTaskID, CommitEnd)
        /// The plan is over, and what became of its sessions is known.
        case closed(SessionTaskID)
        case recorded(SessionTaskID)
        /// The store did not take what an action wanted.
        case notStored(SessionTaskID, any Error)
        /// - Parameter isCancelled: then it is not tried again.
        case retryDue(SessionTaskID, isCancelled: Bool)
        case stopping
    }

    /// What came of the Commit of a task's plan.
    enum CommitEnd {
        case carriedOut
        case loginRefused(any Error)
        case notPermitted(KillObstacle)
        case outcomesNotStored(any Error)
        case failed(any Error)
    }

    enum Action {
        /// To be answered by ``Event/committed(_:_:)``.
        case commit(SessionTaskID)
        /// To be answered by ``Event/closed(_:)`` or ``Event/notStored(_:_:)``.
        case close(SessionTaskID, because: Outcome.Failure)
        /// To be answered by ``Event/recorded(_:)`` or ``Event/notStored(_:_:)``.
        case record(SessionTaskID, Conclusion)
        /// To be answered by ``Event/retryDue(_:isCancelled:)``.
        case retry(SessionTaskID, after: Duration)
        /// Nothing is left to do for the task.
        case forget(SessionTaskID)
        case report(SessionTaskRunner.Event)
    }

    /// How a task ends.
    enum Conclusion: Hashable {
        /// As the outcomes of its sessions tell.
        case byOutcomes
        /// Of none of its sessions anything was tried.
        case loginRefused
        case error
    }

    private enum Phase {
        case waiting
        case committing
        /// - Parameters:
        ///   - whenClosed: how the task ends then.
        ///   - otherwise: if the plan could not be closed.
        case closing(because: Outcome.Failure, whenClosed: Conclusion, otherwise: Conclusion)
        case recording(Conclusion)
    }

    private struct Work {
        let task: SessionTask
        var phase: Phase
        /// Whether it takes one of its target's places.
        let isCounted: Bool
        /// Whether it was reported that the store does not take what is to be stored now.
        var hasReported = false
    }

    /// What there is to do on one target.
    private struct Queue {
        /// Tasks that are being created, wait or run.
        var count = 0
        var running = 0
        var waiting: [SessionTaskID] = []
    }

    /// Tasks that are carried out at the same time on one target; the others wait.
    ///
    /// Each has a connection of killd's for its time, and there are four.
    static let mostAtOnce = 2
    /// Tasks that wait on one target.
    static let mostWaiting = 100

    private static let pause = Duration.seconds(1)

    private var queues: [SessionTaskTarget: Queue] = [:]
    private var works: [SessionTaskID: Work] = [:]
    private var isStopping = false

    /// Makes room for a task on each target; to be followed by ``Event/created(_:)``
    /// or ``Event/notCreated(_:on:_:)``.
    ///
    /// - Throws: if there is none on one of them; nothing is changed then.
    mutating func admit(on targets: [SessionTaskTarget]) throws(SessionTaskError) {
        guard !isStopping else { throw .stopping }
        for target in targets where queues[target, default: Queue()].count >= Self.mostAtOnce + Self.mostWaiting {
            throw .tooMany
        }
        for target in targets { queues[target, default: Queue()].count += 1 }
    }

    mutating func handle(_ event: Event) -> [Action] {
        switch event {
        case .created(let tasks):
            for task in tasks {
                works[task.id] = Work(task: task, phase: .waiting, isCounted: true)
                queues[task.target, default: Queue()].waiting.append(task.id)
            }
            return tasks.map { .report(.created($0)) } + beginAll(on: tasks.map(\.target))
        case .notCreated(let tasks, let targets, let error):
            for target in targets { leave(target, wasRunning: false) }
            return tasks.flatMap { abandon($0, error) } + beginAll(on: targets)
        case .interrupted(let task, let planIsOver):
            works[task.id] = Work(task: task, phase: .waiting, isCounted: false)
            let conclusion = planIsOver ? Conclusion.byOutcomes : .error
            return close(task.id, because: .taskInterrupted, whenClosed: conclusion, otherwise: conclusion)
        case .committed(let id, let end): return committed(id, end)
        case .closed(let id):
            guard case .closing(_, let conclusion, _)? = works[id]?.phase else { return [] }
            return record(id, conclusion)
        case .recorded(let id): return finish(id)
        case .notStored(let id, let error):
            guard let work = works[id] else { return [] }
            works[id]?.hasReported = true
            let reports = work.hasReported ? [] : [Action.report(.failed(work.task, error))]
            return reports + (isStopping ? giveUp(id) : [.retry(id, after: Self.pause)])
        case .retryDue(let id, let isCancelled): return isCancelled ? giveUp(id) : tryAgain(id)
        case .stopping:
            isStopping = true
            return []
        }
    }

    // MARK: The way of a task

    private mutating func beginAll(on targets: [SessionTaskTarget]) -> [Action] {
        var actions: [Action] = []
        for target in targets { actions += begin(on: target) }
        return actions
    }

    private mutating func begin(on target: SessionTaskTarget) -> [Action] {
        var actions: [Action] = []
        while let queue = queues[target], queue.running < Self.mostAtOnce, let id = queue.waiting.first {
            queues[target]?.waiting.removeFirst()
            queues[target]?.running += 1
            guard let work = works[id] else { continue }
            if isStopping {
                actions.append(.report(.failed(work.task, SessionTaskError.stopping)))
                actions += close(id, because: .taskInterrupted, whenClosed: .error, otherwise: .error)
            } else {
                works[id]?.phase = .committing
                actions.append(.commit(id))
            }
        }
        return actions
    }

    /// Ends a task of which nothing was tried, and which has no place.
    private mutating func abandon(_ task: SessionTask, _ cause: any Error) -> [Action] {
        works[task.id] = Work(task: task, phase: .waiting, isCounted: false)
        return [.report(.failed(task, cause))]
            + close(task.id, because: .taskInterrupted, whenClosed: .error, otherwise: .error)
    }

    private mutating func committed(_ id: SessionTaskID, _ end: CommitEnd) -> [Action] {
        guard let work = works[id], case .committing = work.phase else { return [] }
        switch end {
        case .carriedOut: return record(id, .byOutcomes)
        case .loginRefused(let cause):
            return [.report(.failed(work.task, cause))]
                + close(id, because: .loginRefused, whenClosed: .loginRefused, otherwise: .loginRefused)
        case .notPermitted(let obstacle):
            return [.report(.failed(work.task, obstacle))]
                + close(id, because: .notPermitted(obstacle), whenClosed: .error, otherwise: .error)
        case .outcomesNotStored(let cause):
            // What was seen is stored as soon as there is room, and tells how the task ended.
            return [.report(.failed(work.task, cause))]
                + close(id, because: .taskInterrupted, whenClosed: .byOutcomes, otherwise: .error)
        case .failed(let cause):
            return [.report(.failed(work.task, cause))]
                + close(id, because: .taskInterrupted, whenClosed: .error, otherwise: .error)
        }
    }

    private mutating func close(
        _ id: SessionTaskID, because reason: Outcome.Failure, whenClosed: Conclusion, otherwise: Conclusion
    ) -> [Action] {
        works[id]?.phase = .closing(because: reason, whenClosed: whenClosed, otherwise: otherwise)
        works[id]?.hasReported = false
        return [.close(id, because: reason)]
    }

    private mutating func record(_ id: SessionTaskID, _ conclusion: Conclusion) -> [Action] {
        works[id]?.phase = .recording(conclusion)
        works[id]?.hasReported = false
        return [.record(id, conclusion)]
    }

    private func tryAgain(_ id: SessionTaskID) -> [Action] {
        switch works[id]?.phase {
        case .closing(let reason, _, _)?: [.close(id, because: reason)]
        case .recording(let conclusion)?: [.record(id, conclusion)]
        case .waiting?, .committing?, nil: []
        }
    }

    /// What the store does not take now, the next start of killd finds as it stands there.
    private mutating func giveUp(_ id: SessionTaskID) -> [Action] {
        switch works[id]?.phase {
        case .closing(_, _, let conclusion)?: record(id, conclusion)
        case .recording?: finish(id)
        case .waiting?, .committing?, nil: []
        }
    }

    private mutating func finish(_ id: SessionTaskID) -> [Action] {
        guard let work = works.removeValue(forKey: id) else { return [] }
        guard work.isCounted else { return [.forget(id)] }
        leave(work.task.target, wasRunning: true)
        return [.forget(id)] + begin(on: work.task.target)
    }

    private mutating func leave(_ target: SessionTaskTarget, wasRunning: Bool) {
        queues[target]?.count -= 1
        if wasRunning { queues[target]?.running -= 1 }
        if queues[target]?.count == 0 { queues[target] = nil }
    }
}
