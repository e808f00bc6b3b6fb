import StoreContract
import SeededRandom
import TestSupport
import XCTest

@testable import SessionKill

/// The decisions of kill tasks in thousands of generated orders of events.
final class KillTaskMachineTests: XCTestCase {
    func testNoOrderOfEventsBreaksAPromise() throws {
        withSeeds(3_000) { random in
            var world = World(random)
            try world.run(steps: 120)
        }
    }

    func testAWorldThatComesToRestHasEndedAllThatWasToEnd() throws {
        withSeeds(500) { random in
            var world = World(random)
            try world.run(steps: 60)
            try world.settle()
        }
    }
}

/// A machine whose actions are answered in a random order, with what was promised of them.
private struct World {
    /// Something that is under way.
    struct Step {
        let action: KillTaskMachine.Action
        /// Whether whoever cancelled a task stores its end, beside the rounds.
        var isBesideTheRounds = false
    }

    struct Broken: Error, CustomStringConvertible {
        let description: String
    }

    var random: SplitMix64
    var machine = KillTaskMachine()
    var now = UnixTime(milliseconds: 1_000_000)
    let instances = ["a", "b", "c"].map { InstanceID(rawValue: $0) }
    var configured: Set<InstanceID> = []
    /// Tasks whose account may not run them.
    var forbidden: Set<KillTaskName> = []
    var tasks: [KillTask] = []
    var ended: Set<KillTaskName> = []
    var pending: [Step] = []
    var revoked: Set<KillTaskMachine.GateID> = []
    var plansUnderWay: Set<SqlExecID> = []
    var plansOver: Set<SqlExecID> = []
    var count = 0
    var isStopping = false

    init(_ random: SplitMix64) { self.random = random }

    mutating func run(steps: Int) throws {
        machine.add(InterruptedTaskPlan(sqlExecID: newTicket(), instance: instances[0]))
        configured = Set(instances)
        try handle(.configured(configured) { _ in nil })
        try handle(.started)
        for _ in 0..<steps { try step() }
    }

    /// Answers all that is under way with success, until the world is at rest or only pauses.
    mutating func settle() throws {
        try handle(.stopping)
        isStopping = true
        for _ in 0..<1_000 {
            guard let index = pending.indices.first else { return }
            try answer(index, succeeds: true)
        }
        throw Broken(description: "a machine that is to stop goes on: \(pending)")
    }

    private mutating func step() throws {
        now = UnixTime(milliseconds: now.milliseconds + Int64.random(in: 0...800, using: &random))
        switch Int.random(in: 0..<12, using: &random) {
        case 0: try configure()
        case 1: try create()
        case 2: try cancel()
        case 3 where Int.random(in: 0..<20, using: &random) == 0:
            isStopping = true
            try handle(.stopping)
        default:
            guard let index = pending.indices.randomElement(using: &random) else { return }
            try answer(index, succeeds: Int.random(in: 0..<4, using: &random) > 0)
        }
    }

    private mutating func configure() throws {
        configured = Set(instances.filter { _ in Bool.random(using: &random) })
        forbidden = Set(tasks.map(\.name).filter { _ in Bool.random(using: &random) })
        try handle(
            .configured(configured) { [forbidden] task in forbidden.contains(task.name) ? .notPermitted : nil })
    }

    private mutating func create() throws {
        guard let instance = instances.randomElement(using: &random),
            // The store lets one task of an instance run.
            !tasks.contains(where: { $0.instance == instance && !ended.contains($0.name) })
        else { return }
        count += 1
        let task = KillTask(
            name: KillTaskName(rawValue: "task-\(count)"), instance: instance, account: "ci",
            rule: try KillRule(user: "app"), createdAt: now,
            endsAt: Bool.random(using: &random)
                ? now.advanced(bySeconds: Int.random(in: 1...9, using: &random)) : nil)
        tasks.append(task)
        try handle(.created(task))
    }

    private mutating func cancel() throws {
        guard let instance = instances.randomElement(using: &random),
            let end = machine.cancel(on: instance, by: "dba", at: now)
        else { return }
        revoked.insert(end.gate)
        pending.append(Step(action: .storeEnd(end.task, end.ending, at: end.at), isBesideTheRounds: true))
    }

    private mutating func answer(_ index: Int, succeeds: Bool) throws {
        let step = pending.remove(at: index)
        let failure = ServerError(.unreachable, "no answer")
        switch step.action {
        case .storeEnd(let task, let ending, _):
            guard succeeds else {
                // Whoever cancelled it is told, and the next round stores it.
                return step.isBesideTheRounds ? () : try handle(.endNotStored(task, StoreError(.cannotWrite, "full")))
            }
            let isNews = ended.insert(task.name).inserted
            try handle(
                step.isBesideTheRounds
                    ? .ended(task, ending, isNews: isNews) : .endStored(task, ending, isNews: isNews))
        case .prepare(let task, _):
            guard succeeds else { return try handle(.failed(task.instance, failure)) }
            try handle(.prepared(task.instance, Bool.random(using: &random) ? plan(of: task) : nil))
        case .commit(let plan, let id):
            plansUnderWay.remove(plan.sqlExecID)
            guard succeeds else {
                let error: KillError =
                    Bool.random(using: &random) ? .beingCommitted : .stale(.serverRestarted, afterInterruption: false)
                if error != .beingCommitted { plansOver.insert(plan.sqlExecID) }
                return try handle(.failed(id, error))
            }
            plansOver.insert(plan.sqlExecID)
            try handle(.committed(id, CommitReport(plan: self.plan(of: nil, plan.sqlExecID), outcomes: [:])))
        case .pause(let id, _): try handle(.pauseOver(id))
        case .endPause, .revoke, .forget, .report: break
        }
    }

    private mutating func handle(_ event: KillTaskMachine.Event) throws {
        for action in machine.handle(event, at: now) { try take(action) }
        for instance in instances {
            let steps = pending.filter { $0.action.instance == instance && !$0.isBesideTheRounds }
            guard steps.count <= 1 else { throw Broken(description: "\(instance): two at a time: \(steps)") }
        }
    }

    private mutating func take(_ action: KillTaskMachine.Action) throws {
        switch action {
        case .prepare(let task, _):
            guard configured.contains(task.instance) else { throw Broken(description: "prepared where nothing is") }
            guard !forbidden.contains(task.name) else { throw Broken(description: "\(task.name) may not run") }
            guard !ended.contains(task.name) else { throw Broken(description: "\(task.name) has ended") }
            guard task.endsAt.map({ now < $0 }) != false else { throw Broken(description: "\(task.name) expired") }
            guard !machine.isSuspended(task) else { throw Broken(description: "\(task.name) is suspended") }
            pending.append(Step(action: action))
        case .commit(let plan, _):
            guard plansUnderWay.insert(plan.sqlExecID).inserted else { throw Broken(description: "two runs of a plan") }
            guard !plansOver.contains(plan.sqlExecID) else { throw Broken(description: "committed again") }
            // Whose KILLs may pass no more must have had its gate closed.
            if let conditions = plan.conditions, let task = tasks.first(where: { isOf($0, plan) }) {
                let mayKill = configured.contains(task.instance) && !machine.isSuspended(task)
                guard mayKill || revoked.contains(conditions.gate) || ended.contains(task.name) || hasExpired(task)
                else { throw Broken(description: "the gate of \(task.name) is open") }
                guard machine.gates.contains(conditions.gate) else { throw Broken(description: "a gate is forgotten") }
            }
            pending.append(Step(action: action))
        case .pause:
            guard !isStopping else { throw Broken(description: "paused, though it is to stop") }
            pending.append(Step(action: action))
        case .storeEnd: pending.append(Step(action: action))
        case .endPause(let id):
            guard pending.contains(where: { if case .pause(id, _) = $0.action { true } else { false } }) else {
                throw Broken(description: "a pause of \(id) ends that there is not")
            }
        case .revoke(let gate): revoked.insert(gate)
        case .forget(let id):
            guard !configured.contains(id) else { throw Broken(description: "forgot \(id), which is configured") }
        case .report(.ended(let task, _)):
            guard reported.insert(task.name).inserted else { throw Broken(description: "ended twice") }
        case .report: break
        }
    }

    private var reported: Set<KillTaskName> = []
    private var taskOfPlan: [SqlExecID: KillTaskName] = [:]

    private func isOf(_ task: KillTask, _ plan: KillTaskMachine.UnfinishedPlan) -> Bool {
        taskOfPlan[plan.sqlExecID] == task.name
    }

    private func hasExpired(_ task: KillTask) -> Bool { task.endsAt.map { now >= $0 } == true }

    private mutating func newTicket() -> SqlExecID {
        count += 1
        return SqlExecID(rawValue: "ticket-\(count)")
    }

    private mutating func plan(of task: KillTask) -> KillPlan {
        let ticket = newTicket()
        taskOfPlan[ticket] = task.name
        return plan(of: task.name, ticket)
    }

    private func plan(of task: KillTaskName?, _ ticket: SqlExecID) -> KillPlan {
        KillPlan(
            name: PlanName(rawValue: "plan-" + ticket.rawValue), sqlExecID: ticket,
            content: KillPlan.Content(
                account: "ci", instance: instances[0], task: task, preparedAt: now,
                expiresAt: now.advanced(bySeconds: 600), recordHistory: true,
                fingerprint: ServerFingerprint(
                    uniqueID: nil, hostname: "h", port: 3306, serverID: 1, version: "10", startedAt: 1,
                    connectionCount: 1),
                threads: []))
    }
}

extension KillTaskMachine.Action {
    /// Of what is under way.
    fileprivate var instance: InstanceID? {
        switch self {
        case .storeEnd(let task, _, _), .prepare(let task, _): task.instance
        case .commit(_, let id), .pause(let id, _): id
        case .endPause, .revoke, .forget, .report: nil
        }
    }
}
