import DedicatedThread
import SessionKill
import Synchronization

/// Delivers what the outbox holds for one target, on a thread of its own: a target that is slow or away holds nobody up.
actor WebhookSender {
    private let thread: DedicatedThread
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private let target: WebhookTarget
    private let sources: WebhookSources
    private let publicURL: String?
    private let deliver: @Sendable (WebhookRequest, UnixTime) -> DeliveryResult
    private var machine: DeliveryMachine
    nonisolated let record: DeliveryRecord
    private nonisolated let signal = WakeSignal()
    private nonisolated let stopped = Atomic(false)
    /// What the messages that were checked last tell.
    private var notices: [Int64: Notice] = [:]

    /// However long there is nothing to do, the clock may be set meanwhile.
    private static let longestSleep = Duration.seconds(60)

    /// - Parameter deliver: may block.
    init(
        to target: WebhookTarget, from sources: WebhookSources, publicURL: String?, record: DeliveryRecord,
        deliver: @escaping @Sendable (WebhookRequest, UnixTime) -> DeliveryResult
    ) throws {
        thread = try DedicatedThread(name: "webhook")
        self.target = target
        self.sources = sources
        self.publicURL = publicURL
        self.record = record
        self.deliver = deliver
        machine = DeliveryMachine(for: target) { Double.random(in: 0...1) }
    }

    nonisolated func wake() { signal.wake() }

    /// Has ``run()`` return after what it is doing.
    nonisolated func stop() {
        stopped.store(true, ordering: .relaxed)
        signal.wake()
    }

    /// Delivers until it is stopped.
    func run() async {
        var event = DeliveryMachine.Event.woken
        while true {
            // What came of a message is stored in any case, or it would be sent again.
            if case .answered = event {} else if stopped.load(ordering: .relaxed) { return }
            event = await perform(machine.handle(event, at: sources.now()))
        }
    }

    /// - Returns: what came of the last one.
    private func perform(_ actions: [DeliveryMachine.Action]) async -> DeliveryMachine.Event {
        record.note(problem: machine.problem, isOff: machine.isOff, at: sources.now())
        do throws(StoreError) {
            try await settle(actions)
            switch actions.last {
            case .read(let limit):
                return .found(try await sources.outbox.outbox(target: target.name, dueBy: sources.now(), limit: limit))
            case .check(let messages): return .checked(try await check(messages))
            case .send(let messages): return .answered(send(messages))
            case .wait(let time): await sleep(until: time)
            case .waitForMessages: await sleep(until: try await sources.outbox.nextDue(target: target.name))
            case .rest, .settle, nil: await sleep(until: nil)
            }
            return .woken
        } catch {
            record.noteStoreFailure(error)
            return .storeFailed
        }
    }

    /// All at once, so that the store can write them to disk at once.
    private func settle(_ actions: [DeliveryMachine.Action]) async throws(StoreError) {
        let settlements = actions.compactMap { action -> (OutboxMessage, OutboxSettlement, DeliveryMachine.Fate)? in
            if case .settle(let message, let settlement, let fate) = action { (message, settlement, fate) } else { nil }
        }
        let failures = await withTaskGroup(of: StoreError?.self, returning: [StoreError].self) {
            [outbox = sources.outbox] group in
            for (message, settlement, _) in settlements {
                group.addTask {
                    do throws(StoreError) {
                        try await outbox.settle(message.id, as: settlement)
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            var failures: [StoreError] = []
            for await failure in group { if let failure { failures.append(failure) } }
            return failures
        }
        if let failure = failures.first { throw failure }
        for (message, _, fate) in settlements { record.count(fate, of: message) }
    }

    private func check(_ messages: [OutboxMessage]) async throws(StoreError) -> [Int64: DeliveryMachine.Standing] {
        notices = [:]
        var standings: [Int64: DeliveryMachine.Standing] = [:]
        for message in messages {
            var plan: StoredPlan?
            if let name = message.plan { plan = try await sources.plan(name) }
            let time = sources.now()
            let notice = Notice(message, plan: plan, store: sources.name, publicURL: publicURL, at: time)
            notices[message.id] = notice
            standings[message.id] = DeliveryMachine.Standing(notice, plan: plan, at: time)
        }
        return standings
    }

    private func send(_ messages: [OutboxMessage]) -> DeliveryResult {
        let time = sources.wallTime()
        let notices = messages.compactMap { self.notices[$0.id] }
        guard !notices.isEmpty, let request = try? WebhookRequest(notices, to: target, at: time) else {
            return .failed(.unsigned)
        }
        return deliver(request, time)
    }

    /// - Parameter time: nil for as long as nothing is new.
    private func sleep(until time: UnixTime?) async {
        guard !stopped.load(ordering: .relaxed) else { return }
        let milliseconds = time.map { max(10, $0.milliseconds - sources.now().milliseconds) }
        await signal.wait(atMost: min(Self.longestSleep, milliseconds.map { .milliseconds($0) } ?? Self.longestSleep))
    }
}

/// Where senders find what to tell.
public struct WebhookSources: Sendable {
    /// Of the store, in the ids of messages.
    let name: String
    let outbox: any AuditOutbox
    let plan: @Sendable (PlanName) async throws(StoreError) -> StoredPlan?
    /// By the clock that deadlines go by.
    let now: @Sendable () -> UnixTime
    /// By the clock that receivers have too.
    let wallTime: @Sendable () -> UnixTime

    public init(
        name: String, outbox: any AuditOutbox,
        plan: @escaping @Sendable (PlanName) async throws(StoreError) -> StoredPlan?,
        now: @escaping @Sendable () -> UnixTime, wallTime: @escaping @Sendable () -> UnixTime
    ) {
        self.name = name
        self.outbox = outbox
        self.plan = plan
        self.now = now
        self.wallTime = wallTime
    }
}
