import StoreContract
import SeededRandom
import TestSupport
import XCTest

@testable import SessionKill

/// The decisions of session tasks in thousands of generated orders of events.
final class SessionTaskMachineTests: XCTestCase {
    func testNoOrderOfEventsBreaksAPromise() throws {
        withSeeds(1_500) { random in
            var world = World(random)
            try world.run(steps: 150)
            try world.settle()
        }
    }

    func testBeyondItsPlacesATargetTakesNoTask() throws {
        var machine = SessionTaskMachine()
        let target = SessionTaskTarget(instance: InstanceID(rawValue: "a"), node: nil)
        for _ in 0..<SessionTaskMachine.mostAtOnce + SessionTaskMachine.mostWaiting { try machine.admit(on: [target]) }
        let other = SessionTaskTarget(instance: InstanceID(rawValue: "b"), node: nil)
        XCTAssertThrowsError(try machine.admit(on: [other, target])) {
            XCTAssertEqual($0 as? SessionTaskError, .tooMany)
        }
        // Nothing was taken of the other's either.
        for _ in 0..<SessionTaskMachine.mostAtOnce + SessionTaskMachine.mostWaiting { try machine.admit(on: [other]) }
    }
}

/// A machine whose actions are answered in a random order, with what was promised of them.
private struct World {
    struct Broken: Error, CustomStringConvertible {
        let description: String
    }

    var random: SplitMix64
    var machine = SessionTaskMachine()
    let targets = ["a", "b"].map { SessionTaskTarget(instance: InstanceID(rawValue: $0), node: nil) }
    var pending: [SessionTaskMachine.Action] = []
    var tasks: [SessionTaskID: SessionTask] = [:]
    var committed: Set<SessionTaskID> = []
    var over: Set<SessionTaskID> = []
    var count = 0
    var isStopping = false

    init(_ random: SplitMix64) { self.random = random }

    mutating func run(steps: Int) throws {
        let old = task(on: targets[0])
        try handle(.interrupted(old, planIsOver: Bool.random(using: &random)))
        for _ in 0..<steps {
            switch Int.random(in: 0..<8, using: &random) {
            case 0...2: try create()
            case 3 where Int.random(in: 0..<40, using: &random) == 0: try stop()
            default:
                guard let index = pending.indices.randomElement(using: &random) else { continue }
                try answer(index, succeeds: Int.random(in: 0..<4, using: &random) > 0)
            }
        }
    }

    /// Stops, and answers all that is under way.
    mutating func settle() throws {
        try stop()
        for _ in 0..<100_000 {
            guard let index = pending.indices.randomElement(using: &random) else {
                let left = tasks.keys.filter { !over.contains($0) || !forgotten.contains($0) }
                guard left.isEmpty else { throw Broken(description: "left behind: \(left.count)") }
                return
            }
            try answer(index, succeeds: Bool.random(using: &random))
        }
        throw Broken(description: "a machine that is to stop goes on")
    }

    private mutating func stop() throws {
        isStopping = true
        try handle(.stopping)
    }

    private mutating func task(on target: SessionTaskTarget) -> SessionTask {
        count += 1
        let task = SessionTask(
            id: SessionTaskID(rawValue: "\(count)"), account: "ci", target: target,
            plan: PlanName(rawValue: "plan-\(count)"), createdAt: UnixTime(milliseconds: 0))
        tasks[task.id] = task
        return task
    }

    private mutating func create() throws {
        let chosen = targets.filter { _ in Bool.random(using: &random) }
        do {
            try machine.admit(on: chosen)
        } catch {
            guard isStopping == (error == .stopping) else { throw Broken(description: "\(error)") }
            return
        }
        guard !isStopping else { throw Broken(description: "took a task, though it is to stop") }
        let created = chosen.map { task(on: $0) }
        if Int.random(in: 0..<5, using: &random) == 0 {
            try handle(.notCreated(created, on: chosen, StoreError(.cannotWrite, "full")))
        } else {
            try handle(.created(created))
        }
    }

    private mutating func answer(_ index: Int, succeeds: Bool) throws {
        let error = StoreError(.cannotWrite, "full")
        switch pending.remove(at: index) {
        case .commit(let id):
            let ends: [SessionTaskMachine.CommitEnd] = [
                .loginRefused(error), .notPermitted(.anotherServer), .outcomesNotStored(error), .failed(error),
            ]
            let end = succeeds ? .carriedOut : ends.randomElement(using: &random) ?? .carriedOut
            try handle(.committed(id, end))
        case .close(let id, _): try handle(succeeds ? .closed(id) : .notStored(id, error))
        case .record(let id, _):
            if succeeds { over.insert(id) }
            // What is not stored when killd stops is found by its next start.
            if !succeeds, isStopping { over.insert(id) }
            try handle(succeeds ? .recorded(id) : .notStored(id, error))
        case .retry(let id, _):
            let isCancelled = isStopping && Bool.random(using: &random)
            if isCancelled, wantsRecord.contains(id) { over.insert(id) }
            try handle(.retryDue(id, isCancelled: isCancelled))
        case .forget, .report: break
        }
    }

    /// Those for which nothing is left to do.
    private var forgotten: Set<SessionTaskID> = []

    /// Those whose end is being stored.
    private var wantsRecord: Set<SessionTaskID> = []

    private mutating func handle(_ event: SessionTaskMachine.Event) throws {
        for action in machine.handle(event) {
            try take(action)
            guard let id = action.id, let target = tasks[id]?.target else { continue }
            guard pending.count(where: { $0.id == id }) == 1 else {
                throw Broken(description: "two at a time for \(id)")
            }
            let commits = pending.filter { if case .commit(let id) = $0 { tasks[id]?.target == target } else { false } }
            guard commits.count <= SessionTaskMachine.mostAtOnce else {
                throw Broken(description: "\(commits.count) Commits at once")
            }
        }
    }

    private mutating func take(_ action: SessionTaskMachine.Action) throws {
        if let id = action.id, over.contains(id) { throw Broken(description: "\(id) goes on after its end") }
        switch action {
        case .commit(let id):
            guard !isStopping else { throw Broken(description: "committed, though it is to stop") }
            guard committed.insert(id).inserted else { throw Broken(description: "committed twice") }
            pending.append(action)
        case .close: pending.append(action)
        case .record(let id, let conclusion):
            wantsRecord.insert(id)
            guard conclusion != .loginRefused || committed.contains(id) else {
                throw Broken(description: "a login was refused that was not tried")
            }
            pending.append(action)
        case .retry:
            guard !isStopping else { throw Broken(description: "tries again, though it is to stop") }
            pending.append(action)
        case .forget(let id):
            guard over.contains(id), forgotten.insert(id).inserted else {
                throw Broken(description: "\(id) is forgotten before its end, or twice")
            }
        case .report: break
        }
    }
}

extension SessionTaskMachine.Action {
    fileprivate var id: SessionTaskID? {
        switch self {
        case .commit(let id), .close(let id, _), .record(let id, _), .retry(let id, _): id
        case .forget, .report: nil
        }
    }
}
