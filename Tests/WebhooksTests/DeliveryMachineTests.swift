import SeededRandom
import SessionKill
import XCTest

@testable import Webhooks

/// What is sent when, decided without a network, a store or a clock.
final class DeliveryMachineTests: XCTestCase {
    func testAMessageIsTriedNineTimesOverSomewhatMoreThanADay() throws {
        for random in [0.0, 0.5, 1.0] {
            let world = try World(.standard, random: { random }, receiver: { _ in .failed(.status(500)) })
            world.add(.committed)
            world.run(days: 3)
            XCTAssertEqual(world.attempts.count, 9)
            XCTAssertEqual(world.fates, [.gaveUp])
            let day = Double(world.attempts[8].time.milliseconds - world.attempts[0].time.milliseconds) / 86_400_000
            XCTAssertTrue((1...1.2).contains(day), "\(day)")
            let seconds = world.attempts.prefix(3).map { $0.time.milliseconds / 1_000 }
            XCTAssertTrue((5...6).contains(seconds[1] - seconds[0]), "\(seconds)")
            XCTAssertTrue((30...36).contains(seconds[2] - seconds[1]), "\(seconds)")
        }
    }

    func testWhatIsRefusedIsNotTriedAgainAndHoldsNothingUp() throws {
        let world = try World(.standard) { $0.contains { $0.entry == 1 } ? .refused(.status(400)) : .delivered }
        world.add(.committed)
        world.add(.committed)
        world.run(seconds: 1)
        XCTAssertEqual(world.attempts.count, 2)
        XCTAssertEqual(world.fates, [.refused, .delivered])
    }

    func testAMessageThatItsReceiverCannotDigestHoldsTheOthersUpForSecondsOnly() throws {
        let world = try World(.standard) { $0.contains { $0.entry == 1 } ? .failed(.status(500)) : .delivered }
        for _ in 0..<10 { world.add(.committed) }
        world.run(seconds: 30)
        XCTAssertEqual(world.fates.filter { $0 == .delivered }.count, 9)
    }

    func testAReceiverThatIsGoneIsLeftAlone() throws {
        let world = try World(.standard) { _ in .gone }
        world.add(.committed)
        world.run(seconds: 10)
        world.add(.brokeGlass)
        world.run(days: 2)
        XCTAssertEqual(world.attempts.count, 1)
        XCTAssertEqual(world.outbox.count, 1)
        XCTAssertEqual(world.machine.problem, .status(410))
    }

    func testARetryAfterIsObeyedForAllMessages() throws {
        let world = try World(.standard) { _ in .busy(.status(429), seconds: 300) }
        world.add(.committed)
        world.add(.committed)
        world.run(seconds: 299)
        XCTAssertEqual(world.attempts.count, 1)
        world.run(seconds: 2)
        XCTAssertEqual(world.attempts.count, 2)
    }

    func testARequestForADecisionIsDroppedOnceThereIsOne() throws {
        var isUp = false
        let world = try World(.standard) { _ in isUp ? .delivered : .failed(.connection("refused")) }
        let asking = world.add(.prepared)
        let final = world.add(.committed)
        world.run(seconds: 60)
        world.decided.insert(asking)
        isUp = true
        world.run(days: 1)
        XCTAssertEqual(world.delivered, [final])
        XCTAssertEqual(world.fates.filter { $0 == .dropped }.count, 1)
    }

    func testThatGlassWasBrokenIsToldBeforeAllElseAndToWhoAskedForNothing() throws {
        let world = try World(.standard, kinds: []) { _ in .delivered }
        world.add(.committed)
        let broken = world.add(.brokeGlass)
        world.run(seconds: 1)
        XCTAssertEqual(world.delivered, [broken])

        let busy = try World(.slack) { _ in .delivered }
        for _ in 0..<5 { busy.add(.committed) }
        let urgent = busy.add(.brokeGlass)
        busy.run(seconds: 10)
        XCTAssertEqual(busy.delivered.first, urgent)
    }

    func testWeComAndDingTalkGetOneMessageInThreeSecondsWithAllThatWaits() throws {
        for format in [WebhookFormat.wecom, .dingtalk] {
            let world = try World(format) { _ in .delivered }
            world.add(.committed)
            world.run(seconds: 1)
            for _ in 0..<30 { world.add(.committed) }
            world.run(seconds: 4)
            XCTAssertEqual(world.attempts.map(\.messages.count), [1, 30])
            XCTAssertGreaterThanOrEqual(
                world.attempts[1].time.milliseconds - world.attempts[0].time.milliseconds, 3_000)
        }
    }

    func testAReceiverThatIsAwayIsTriedOnceAMinuteHoweverMuchWaits() throws {
        let world = try World(.standard) { _ in .failed(.connection("refused")) }
        for _ in 0..<1_000 { world.add(.committed) }
        world.run(seconds: 3_600)
        XCTAssertLessThan(world.attempts.count, 75)
        XCTAssertEqual(world.machine.problem, .connection("refused"))
    }

    func testAfterADayOfDowntimeEverybodyHearsWhatBecameOfEveryPlan() throws {
        for format in WebhookFormat.allCases {
            var isUp = false
            let world = try World(format) { _ in isUp ? .delivered : .failed(.connection("refused")) }
            for _ in 0..<50 { world.add(.committed) }
            world.run(days: 1)
            for _ in 0..<50 { world.add(.stale) }
            isUp = true
            world.run(days: 2)
            XCTAssertEqual(Set(world.delivered).count, 100, "\(format)")
            XCTAssertTrue(world.outbox.isEmpty)
            XCTAssertNil(world.machine.problem)
        }
    }

    func testAFullStoreIsTriedAgain() throws {
        let world = try World(.standard) { _ in .delivered }
        world.storeFailures = 3
        world.add(.committed)
        world.run(seconds: 60)
        XCTAssertEqual(world.delivered.count, 1)
    }

    /// Any order of messages, answers, outages, decisions and failures of the store.
    func testGeneratedOrders() throws {
        for seed in UInt64(1)...300 {
            let random = Seeded(seed)
            let format = WebhookFormat.allCases[random.below(5)]
            var isUp = true
            let world = try World(format, random: { random.fraction() }) { messages in
                guard isUp else { return random.below(2) == 0 ? .failed(.connection("x")) : .failed(.noAnswer("x")) }
                switch random.below(10) {
                case 0: return .failed(.status(502))
                case 1: return .busy(.status(429), seconds: random.below(3) == 0 ? nil : random.below(600))
                case 2: return .failed(.unknownBody)
                case 3: return .refused(.status(404))
                default: return .delivered
                }
            }
            let kinds: [AuditEvent.Kind] = [
                .prepared, .approved, .committed, .brokeGlass, .stale, .configured, .claimed,
            ]
            for _ in 0..<random.below(60) {
                switch random.below(8) {
                case 0...3: world.add(kinds[random.below(kinds.count)])
                case 4: isUp.toggle()
                case 5: world.decided.formUnion(world.outbox.filter { $0.kind == .prepared }.map(\.id))
                case 6: world.storeFailures = random.below(3)
                default: world.run(seconds: [1, 5, 60, 3_600, 86_400][random.below(5)])
                }
            }
            isUp = true
            world.storeFailures = 0
            world.run(days: 4)

            XCTAssertEqual(world.outbox.map(\.entry), [], "seed \(seed)")
            XCTAssertEqual(world.broken, [], "seed \(seed)")
            // Each message comes to one end, and what was delivered is not sent again.
            XCTAssertEqual(world.ends.values.filter { $0 != 1 }.count, 0, "seed \(seed)")
            for (message, count) in world.attemptsByMessage { XCTAssertLessThanOrEqual(count, 9, "\(seed) \(message)") }
        }
    }
}

/// An outbox, a receiver and a clock around a machine.
private final class World {
    struct Attempt {
        let time: UnixTime
        let messages: [OutboxMessage]
    }

    var machine: DeliveryMachine
    private(set) var outbox: [OutboxMessage] = []
    var decided: Set<Int64> = []
    var storeFailures = 0
    private(set) var attempts: [Attempt] = []
    private(set) var fates: [DeliveryMachine.Fate] = []
    private(set) var delivered: [Int64] = []
    private(set) var ends: [Int64: Int] = [:]
    private(set) var attemptsByMessage: [Int64: Int] = [:]
    /// Which rule was broken.
    private(set) var broken: [String] = []
    private var now = UnixTime(milliseconds: 1_790_000_000_000)
    private var entry: Int64 = 0
    private let format: WebhookFormat
    private let receiver: ([OutboxMessage]) -> DeliveryResult
    private var silentUntil = UnixTime(milliseconds: .min)

    init(
        _ format: WebhookFormat, kinds: Set<Notice.Kind> = Notice.Kind.usual,
        random: @escaping @Sendable () -> Double = { 0.5 }, receiver: @escaping ([OutboxMessage]) -> DeliveryResult
    ) throws {
        var target = try WebhookTarget.sample(format)
        target.kinds = kinds
        machine = DeliveryMachine(for: target, random: random)
        self.format = format
        self.receiver = receiver
    }

    @discardableResult
    func add(_ kind: AuditEvent.Kind) -> Int64 {
        entry += 1
        outbox.append(
            OutboxMessage(
                id: entry, entry: entry, hash: "", kind: kind, time: now, payload: "{}", plan: nil, attempts: 0,
                dueAt: now))
        return entry
    }

    func run(days: Int) { run(seconds: days * 86_400) }

    /// Lets so much time pass: everything that is due happens, and time jumps in between.
    func run(seconds: Int) {
        let end = UnixTime(milliseconds: now.milliseconds + Int64(seconds) * 1_000)
        var event = DeliveryMachine.Event.woken
        while true {
            guard let last = perform(machine.handle(event, at: now)) else { return broken.append("nothing to do") }
            switch last {
            case .event(let next): event = next
            case .wake(let time):
                guard let time, time <= end else {
                    now = end
                    return
                }
                if time < now { broken.append("woken in the past") }
                now = max(now, time)
                event = .woken
            }
        }
    }

    private enum Next {
        case event(DeliveryMachine.Event)
        case wake(UnixTime?)
    }

    private func perform(_ actions: [DeliveryMachine.Action]) -> Next? {
        var next: Next?
        for action in actions {
            if next != nil { broken.append("an action behind the one to be answered") }
            switch action {
            case .settle(let message, let settlement, let fate):
                settle(message, settlement, fate)
            case .read(let limit):
                if storeFailures > 0 {
                    storeFailures -= 1
                    next = .event(.storeFailed)
                } else {
                    next = .event(.found(Array(due.prefix(limit))))
                }
            case .check(let messages):
                next = .event(
                    .checked(
                        Dictionary(
                            uniqueKeysWithValues: messages.map { ($0.id, decided.contains($0.id) ? .decided : .wanted) }
                        )))
            case .send(let messages): next = .event(.answered(send(messages)))
            case .wait(let time): next = .wake(time)
            case .waitForMessages: next = .wake(outbox.map(\.dueAt).min())
            case .rest: next = .wake(nil)
            }
        }
        return next
    }

    /// In the order in which the store tells them.
    private var due: [OutboxMessage] {
        let due = outbox.filter { $0.dueAt <= now }
        return due.filter { $0.kind == .brokeGlass } + due.filter { $0.kind != .brokeGlass }
    }

    private func send(_ messages: [OutboxMessage]) -> DeliveryResult {
        if messages.isEmpty || (messages.count > 1 && format == .standard) { broken.append("\(messages.count) in one") }
        if now < silentUntil { broken.append("too soon") }
        if messages.contains(where: { decided.contains($0.id) }) { broken.append("a decided request") }
        if messages.contains(where: { $0.kind == .configured }) { broken.append("a kind that nobody wants") }
        if due.contains(where: { $0.kind == .brokeGlass }), !messages.contains(where: { $0.kind == .brokeGlass }) {
            broken.append("broken glass waits behind others")
        }
        for message in messages {
            if !outbox.contains(message) { broken.append("a message that is settled") }
            if message.dueAt > now { broken.append("before its time") }
            attemptsByMessage[message.id, default: 0] += 1
        }
        attempts.append(Attempt(time: now, messages: messages))
        let result = receiver(messages)
        silentUntil = now.after(seconds: Double(format.pause))
        if case .busy(_, let seconds?) = result { silentUntil = max(silentUntil, now.after(seconds: Double(seconds))) }
        return result
    }

    private func settle(_ message: OutboxMessage, _ settlement: OutboxSettlement, _ fate: DeliveryMachine.Fate) {
        guard let index = outbox.firstIndex(of: message) else { return broken.append("settled twice") }
        switch settlement {
        case .retry(let time):
            outbox[index].attempts += 1
            outbox[index].dueAt = time
        case .delivered, .dropped:
            outbox.remove(at: index)
            ends[message.id, default: 0] += 1
            if fate != .unwanted { fates.append(fate) }
            if settlement == .delivered { delivered.append(message.id) }
        }
    }
}

/// Random numbers that several closures of a test draw from.
private final class Seeded: @unchecked Sendable {
    /// One test uses it, on one thread.
    private var generator: SplitMix64

    init(_ seed: UInt64) { generator = SplitMix64(seed: seed) }

    func below(_ bound: Int) -> Int { bound <= 0 ? 0 : Int(generator.next() % UInt64(bound)) }
    func fraction() -> Double { Double(generator.next() >> 11) / Double(1 << 53) }
}
