/// What is under way for a machine: of each key at most one step, which takes time.
struct Steps<Key: Hashable & Sendable>: Sendable {
    private var tasks: [Key: Task<Void, Never>] = [:]
    /// Whether nothing is waited for any more.
    private var isGivingUp = false

    /// Any of those that are under way.
    fileprivate var any: Task<Void, Never>? { tasks.values.first }

    fileprivate mutating func begin(_ step: Task<Void, Never>, for key: Key) {
        tasks[key] = step
        if isGivingUp { step.cancel() }
    }

    fileprivate mutating func end(for key: Key) { tasks[key] = nil }

    /// Has a step end early, if it can.
    func cancel(_ key: Key) { tasks[key]?.cancel() }

    fileprivate mutating func giveUp() {
        isGivingUp = true
        for task in tasks.values { task.cancel() }
    }
}

/// An actor that does what a machine wants, and tells it what came of that.
protocol MachineRunner: Actor {
    associatedtype Key: Hashable & Sendable
    associatedtype MachineEvent: Sendable

    var steps: Steps<Key> { get set }

    /// Tells the machine, and does what it wants then.
    func handle(_ event: MachineEvent)
}

extension MachineRunner {
    /// Does what takes time, and tells the machine what came of it.
    func step(for key: Key, _ body: @escaping @Sendable (Self) async -> MachineEvent) {
        let step = Task {
            let event = await body(self)
            steps.end(for: key)
            handle(event)
        }
        steps.begin(step, for: key)
    }

    /// Returns when nothing is under way any more.
    ///
    /// - Parameters:
    ///   - limit: after so long, all that is under way is cancelled.
    ///   - sleep: the runner's clock.
    func finishSteps(within limit: Duration, _ sleep: @escaping @Sendable (Duration) async throws -> Void) async {
        let timer = Task {
            try await sleep(limit)
            steps.giveUp()
        }
        while let step = steps.any { await step.value }
        timer.cancel()
    }
}
