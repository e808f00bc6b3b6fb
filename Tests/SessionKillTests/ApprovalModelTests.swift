import AuditTrail
import Foundation
import SQLiteStore
import SeededRandom
import SessionKill
import StoreContract
import TestSupport
import XCTest

/// A store on disk beside one that is plain to read, which are told the same.
final class ApprovalModelTests: XCTestCase {
    private static let people = ["alice", "bob", "carol", "dan", "ci"]
    /// A tenth under ThreadSanitizer, which looks for something else.
    private static let interleavings = 10_000 / slowdown

    func testTheStoreDoesAsItsModelInWhateverOrderThingsComeAndItsAuditAloneTellsTheStates() async throws {
        let seed = UInt64.random(in: .min ... .max)
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        let folder = try MemoryFolder()
        let path = folder.path + "/killd.sqlite"
        var clock = UnixTime(milliseconds: 1_790_000_000_000)
        var store = try await SQLiteStore.open(path: path, at: clock)
        let model = MemoryStore()
        for number in 0..<Self.interleavings {
            let plan = makePlan(number, at: clock, &random)
            let caller = Caller(account: "ci", person: PersonName(rawValue: random.next() % 4 == 0 ? "carol" : "ci"))
            try await store.insert(plan, by: caller)
            try await model.insert(plan, by: caller)
            var latest = 0
            for step in 0..<Int.random(in: 1...8, using: &random) {
                // At times the clock is set back, and at times far ahead.
                let seconds = Int.random(
                    in: random.next() % 8 == 0 ? -400...900 : latest...(latest + 120), using: &random)
                latest = max(latest, seconds)
                let words = "seed \(seed), plan \(number), step \(step)"
                try await doSomething(to: plan, at: clock.advanced(bySeconds: seconds), store, model, words, &random)
                if random.next() % 256 == 0 {
                    // What was answered is there after a crash too: nothing is told to the store before.
                    store = try await reopen(store, path, at: clock)
                }
            }
            let stored = try await store.plan(named: plan.name)
            let expected = try await model.plan(named: plan.name)
            XCTAssertEqual(stored, expected, "seed \(seed), plan \(number)")
            clock = clock.advanced(bySeconds: latest)
            guard testRun?.failureCount ?? 0 < 5 else { break }
        }
        try await store.close()
        try assertTheAuditTellsTheStates(in: path, "seed \(seed)")
        let findings = try SQLiteStore.inspectAudit(path: path, known: []) { _, _ in .unchecked }
        XCTAssertEqual(findings.faults.first, [], "seed \(seed)")
        XCTAssertEqual(findings.agreeingPlans, Self.interleavings, "seed \(seed)")
    }

    private func makePlan(_ number: Int, at time: UnixTime, _ random: inout SplitMix64) -> KillPlan {
        let threads = (1...2).compactMap { ThreadID($0) }.map { id in
            PinnedThread(
                PinnedSession(identity: SessionIdentity(id: id, user: "app", host: "10.0.0.7:\(id)"), details: nil))
        }
        let review: ReviewTerms? =
            random.next() % 8 == 0
            ? nil
            : ReviewTerms(
                risk: nil, required: Int.random(in: 0...2, using: &random),
                approvableUntil: time.advanced(bySeconds: 300), commitWithin: 120)
        return KillPlan(
            name: PlanName(rawValue: "plan-\(number)"), sqlExecID: SqlExecID(rawValue: "ticket\(number)"),
            content: KillPlan.Content(
                account: "ci", instance: InstanceID(rawValue: "cdb-1"), preparedAt: time,
                expiresAt: time.advanced(bySeconds: 300), recordHistory: false,
                fingerprint: ServerFingerprint(
                    uniqueID: "3a9f", hostname: "db1", port: 3306, serverID: 1, version: "9.7.4",
                    startedAt: 1_700_000_000, connectionCount: 500),
                threads: threads,
                requestedBy: random.next() % 4 == 0 ? PersonName(rawValue: "dan") : nil, review: review))
    }

    private func doSomething(
        to plan: KillPlan, at time: UnixTime, _ store: SQLiteStore, _ model: MemoryStore, _ words: String,
        _ random: inout SplitMix64
    ) async throws {
        let digest = random.next() % 16 == 0 ? String(repeating: "0", count: 64) : try plan.digest()
        let name = Self.people[Int(random.next() % UInt64(Self.people.count))]
        let caller = Caller(AccountName(rawValue: name))
        switch random.next() % 12 {
        case 0..<5:
            let decision = Decision(.approved, by: caller, at: time, digest: digest, request: KeptRequest(name))
            try await assertSame(words, store, model) { try await $0.record(decision, on: plan.name).word }
        case 5:
            let decision = Decision(.rejected, by: caller, at: time, comment: "no", digest: digest)
            try await assertSame(words, store, model) { try await $0.record(decision, on: plan.name).word }
        case 6:
            let decision = Decision(
                random.next() % 2 == 0 ? .cancelled : .reviewed, by: caller, at: time, digest: digest)
            try await assertSame(words, store, model) { try await $0.record(decision, on: plan.name).word }
        case 7..<11:
            // The rules of now: what they ask for, and whose approvals they still count.
            let approvals = try await model.plan(named: plan.name)?.approvals ?? []
            let valid = approvals.filter { _ in random.next() % 8 != 0 }
            let glass = Decision(.brokeGlass, by: Caller("ci"), at: time, comment: "no time to ask", digest: digest)
            let claim = PlanClaim(
                intended: plan.content.threads.map(\.id), caller: Caller("ci"), digest: digest, approvals: valid,
                required: random.next() % 4 == 0 ? Int.random(in: 1...3, using: &random) : 0,
                breakGlass: random.next() % 8 == 0 ? glass : nil, time: time)
            try await assertSame(words, store, model) { try await $0.claim(plan.name, claim).word }
        default:
            let ending: PlanEnding = random.next() % 2 == 0 ? .stale(.riskRose) : .committed
            try await assertSame(words, store, model) { store in
                do {
                    return try await store.finish(plan.name, as: ending, outcomes: [:], at: time) == nil
                        ? "nothing" : "ended"
                } catch {
                    return "refused"
                }
            }
        }
    }

    private func assertSame(
        _ words: String, _ store: SQLiteStore, _ model: MemoryStore, _ ask: (any PlanStore) async throws -> String
    ) async throws {
        let (answer, expected) = (try await ask(store), try await ask(model))
        XCTAssertEqual(answer, expected, words)
    }

    /// Copies the files as they are while the store is open, and goes on with the copy.
    private func reopen(_ store: SQLiteStore, _ path: String, at time: UnixTime) async throws -> SQLiteStore {
        for suffix in ["", "-wal"] {
            try? FileManager.default.removeItem(atPath: path + ".copy" + suffix)
            try FileManager.default.copyItem(atPath: path + suffix, toPath: path + ".copy" + suffix)
        }
        try await store.close()
        for suffix in ["", "-wal"] {
            try? FileManager.default.removeItem(atPath: path + suffix)
            try FileManager.default.moveItem(atPath: path + ".copy" + suffix, toPath: path + suffix)
        }
        return try await SQLiteStore.open(path: path, at: time)
    }

    // MARK: The oracle

    private struct Entry: Decodable {
        var kind: String
        var plan: String?
        var person: String?
        var requestedBy: String?
        var required: Int?
        var approvals: [String]?
    }

    private func assertTheAuditTellsTheStates(in path: String, _ words: String) throws {
        struct Told {
            var state: String
            var makers: Set<String>
            var required: Int
            var approvers: Set<String> = []
            var isGlassBroken = false
        }
        var told: [String: Told] = [:]
        for line in try read("SELECT payload FROM audit_entries ORDER BY seq", in: path) {
            let entry = try JSONDecoder().decode(Entry.self, from: Data(line.utf8))
            guard let plan = entry.plan else { continue }
            guard entry.kind != "prepared" else {
                told[plan] = Told(
                    state: "prepared", makers: Set([entry.person, entry.requestedBy].compactMap(\.self)),
                    required: entry.required ?? 0)
                continue
            }
            guard var known = told[plan] else { return XCTFail("\(words): \(plan) was never prepared") }
            let isOpen = known.state == "prepared"
            switch entry.kind {
            case "approved":
                XCTAssertTrue(isOpen, "\(words): \(line)")
                let person = try XCTUnwrap(entry.person)
                XCTAssertFalse(known.makers.contains(person), "\(words): \(line)")
                XCTAssertTrue(known.approvers.insert(person).inserted, "\(words): \(line)")
            case "broke-glass":
                XCTAssertTrue(isOpen, "\(words): \(line)")
                known.isGlassBroken = true
            case "claimed":
                XCTAssertTrue(isOpen, "\(words): \(line)")
                let approvals = Set(entry.approvals ?? [])
                XCTAssertTrue(known.approvers.isSuperset(of: approvals), "\(words): \(line)")
                XCTAssertGreaterThanOrEqual(entry.required ?? 0, known.required, "\(words): \(line)")
                XCTAssertTrue(
                    known.isGlassBroken || approvals.count >= entry.required ?? .max,
                    "\(words), committing without its quorum: \(line)")
                known.state = "committing"
            case "committed":
                XCTAssertEqual(known.state, "committing", "\(words): \(line)")
                known.state = entry.kind
            case "stale":
                XCTAssertTrue(isOpen || known.state == "committing", "\(words): \(line)")
                known.state = entry.kind
            case "rejected", "cancelled", "expired":
                XCTAssertTrue(isOpen, "\(words): \(line)")
                known.state = entry.kind
            case "reviewed": XCTAssertTrue(known.isGlassBroken && !isOpen, "\(words): \(line)")
            default: XCTFail("\(words): \(line)")
            }
            told[plan] = known
        }
        let states = try read("SELECT name || ' ' || state FROM plans", in: path)
        XCTAssertEqual(Set(states), Set(told.map { "\($0.key) \($0.value.state)" }), words)
        for state in ["rejected", "cancelled", "expired", "committed", "stale", "committing", "prepared"] {
            XCTAssertTrue(told.contains { $0.value.state == state }, "\(words): none came to be \(state)")
        }
    }
}

/// A folder in memory if the system has one, since tests that write much wait for no disk there.
private final class MemoryFolder {
    let path: String

    init() throws {
        let parent = FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm/" : NSTemporaryDirectory()
        path = parent + "killd-model-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

extension DecisionResult {
    fileprivate var word: String {
        switch self {
        case .recorded: "recorded"
        case .repeated: "repeated"
        case .notRecorded: "not recorded"
        }
    }
}

extension ClaimResult {
    fileprivate var word: String {
        switch self {
        case .claimed: "claimed"
        case .expired: "expired"
        case .notClaimed: "not claimed"
        }
    }
}
