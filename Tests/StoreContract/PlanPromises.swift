import SessionKill
import Synchronization
import XCTest

extension StoreContract {
    static let planPromises = [
        Promise("A plan is found by its ticket and by its name") { store in
            try await store.insert(plan())
            let expected = StoredPlan(plan: plan(), digest: try plan().digest(), state: .prepared)
            let found = [try await store.plan(with: plan().sqlExecID), try await store.plan(named: plan().name)]
            XCTAssertEqual(found, [expected, expected])
            let others = [
                try await store.plan(with: SqlExecID(rawValue: "ticket2")),
                try await store.plan(named: PlanName(rawValue: "plan-2")),
            ]
            XCTAssertEqual(others, [nil, nil])
        },

        Promise("A second plan of the same name or ticket is refused") { store in
            let (first, second) = (plan(1), plan(2))
            try await store.insert(first)
            for (name, ticket) in [(first.name, second.sqlExecID), (second.name, first.sqlExecID)] {
                try await assertRefused("a twin") {
                    try await store.insert(KillPlan(name: name, sqlExecID: ticket, content: second.content))
                }
            }
            let stored = try await store.plan(named: first.name)
            XCTAssertEqual(stored?.plan, first)
        },

        Promise("A plan that names a thread twice or an unknown task is refused") { store in
            try await assertRefused("a thread twice") { try await store.insert(plan(threads: [1, 2, 1])) }
            try await assertRefused("an unknown task") {
                try await store.insert(plan(task: KillTaskName(rawValue: "task-1")))
            }
            let stored = try await store.plan(named: plan().name)
            XCTAssertNil(stored)
        },

        Promise("A prepared plan is claimed once") { store in
            try await store.insert(plan())
            var claimed = try await store.claim(plan().name, intending: threads(1, 3), at: commit)
            XCTAssertTrue(claimed)
            claimed = try await store.claim(plan().name, intending: threads(2), at: end)
            XCTAssertFalse(claimed)
            let stored = try await store.plan(named: plan().name)
            XCTAssertEqual(stored?.state, .committing(since: commit, intended: Set(threads(1, 3))))
        },

        Promise("A plan that is unknown or has ended is not claimed") { store in
            var claimed = try await store.claim(plan().name, intending: [], at: commit)
            XCTAssertFalse(claimed)
            try await store.insert(plan())
            _ = try await store.finish(plan().name, as: .abandoned, outcomes: [:], at: commit)
            claimed = try await store.claim(plan().name, intending: threads(1), at: end)
            XCTAssertFalse(claimed)
            let stored = try await store.plan(named: plan().name)
            XCTAssertEqual(stored?.state, .ended(.abandoned, at: commit, outcomes: [:]))
        },

        Promise("A claim or an end with a thread that the plan does not have changes nothing") { store in
            try await store.insert(plan())
            try await assertRefused("a thread twice") {
                try await store.claim(plan().name, intending: threads(1, 1), at: commit)
            }
            try await assertRefused("a claim") {
                try await store.claim(plan().name, intending: threads(1, 9), at: commit)
            }
            try await assertRefused("an end") {
                try await store.finish(
                    plan().name, as: .abandoned, outcomes: [thread(1): .gone, thread(9): .gone], at: end)
            }
            let stored = try await store.plan(named: plan().name)
            XCTAssertEqual(stored?.state, .prepared)
        },

        Promise("A plan ends once") { store in
            for (number, ending) in [PlanEnding.committed, .stale(.serverRestarted)].enumerated() {
                let name = plan(number).name
                try await store.insert(plan(number))
                _ = try await store.claim(name, intending: threads(1), at: commit)
                let outcomes: [ThreadID: Outcome] = [thread(1): .killed, thread(2): .rollingBack(rowsLeft: 7)]
                var hasEnded = try await store.finish(name, as: ending, outcomes: outcomes, at: end)
                XCTAssertNotNil(hasEnded)
                hasEnded = try await store.finish(
                    name, as: .committed, outcomes: [thread(3): .denied(.byServer(message: "not owner"))], at: commit)
                XCTAssertNil(hasEnded)
                let stored = try await store.plan(named: name)
                XCTAssertEqual(stored?.state, .ended(ending, at: end, outcomes: outcomes))
            }
        },

        Promise("No session is recorded as killed that nobody was about to kill") { store in
            try await store.insert(plan(1))
            try await store.insert(plan(2))
            _ = try await store.claim(plan(2).name, intending: threads(1), at: commit)
            for number in 1...2 {
                for outcome in [Outcome.killed, .ended] {
                    try await assertRefused("a kill without an intent") {
                        try await store.finish(
                            plan(number).name, as: .abandoned, outcomes: [thread(2): outcome], at: end)
                    }
                }
            }
            let states = [try await store.plan(named: plan(1).name), try await store.plan(named: plan(2).name)]
            XCTAssertEqual(states.map { $0?.state.status }, [.prepared, .committing])
        },

        Promise("The end of an unknown plan is refused") { store in
            try await assertRefused("the end of a plan that is not there") {
                try await store.finish(plan().name, as: .committed, outcomes: [:], at: end)
            }
        },

        Promise("A claim with nobody to kill is still a claim") { store in
            try await store.insert(plan())
            let claimed = try await store.claim(plan().name, intending: [], at: commit)
            XCTAssertTrue(claimed)
            let stored = try await store.plan(named: plan().name)
            XCTAssertEqual(stored?.state, .committing(since: commit, intended: []))
        },

        Promise("Of many claims at the same moment one is true, and its intent is the one on record") { store in
            try await store.insert(plan(threads: Array(1...32)))
            let winners = Mutex<[Int]>([])
            try await assertOneIsTrue { number in
                let isTrue = try await store.claim(
                    plan().name, intending: threads(UInt32(number + 1)), at: commit)
                if isTrue { winners.withLock { $0.append(number) } }
                return isTrue
            }
            let stored = try await store.plan(named: plan().name)
            let intended = Set(winners.withLock { $0 }.map { thread(UInt32($0 + 1)) })
            XCTAssertEqual(stored?.state, .committing(since: commit, intended: intended))
        },

        Promise("Of many ends at the same moment one is true, and its outcomes are the ones on record") { store in
            try await store.insert(plan(threads: Array(1...32)))
            _ = try await store.claim(plan().name, intending: [], at: commit)
            let winners = Mutex<[Int]>([])
            try await assertOneIsTrue { number in
                let isTrue =
                    try await store.finish(
                        plan().name, as: .committed, outcomes: [thread(UInt32(number + 1)): .gone], at: end) != nil
                if isTrue { winners.withLock { $0.append(number) } }
                return isTrue
            }
            let stored = try await store.plan(named: plan().name)
            let outcomes = winners.withLock { $0 }.map { (thread(UInt32($0 + 1)), Outcome.gone) }
            XCTAssertEqual(
                stored?.state, .ended(.committed, at: end, outcomes: Dictionary(uniqueKeysWithValues: outcomes)))
        },

        Promise("A plan that nobody has claimed may end as stale or abandoned, but not as committed") { store in
            for (number, isClaimed) in [true, false].enumerated() {
                for (kind, ending) in [PlanEnding.committed, .stale(.anotherServer), .abandoned].enumerated() {
                    let plan = plan(number * 3 + kind)
                    try await store.insert(plan)
                    if isClaimed { _ = try await store.claim(plan.name, intending: threads(1), at: commit) }
                    guard isClaimed || ending != .committed else {
                        try await assertRefused("a commit that nobody claimed") {
                            try await store.finish(plan.name, as: ending, outcomes: [:], at: end)
                        }
                        continue
                    }
                    let receipt = try await store.finish(
                        plan.name, as: ending, outcomes: [thread(1): .replaced], at: end)
                    XCTAssertNotNil(receipt)
                    let stored = try await store.plan(named: plan.name)
                    XCTAssertEqual(stored?.state, .ended(ending, at: end, outcomes: [thread(1): .replaced]))
                }
            }
        },

        Promise("The guards are on record with the outcomes, of those who were to be killed only") { store in
            try await store.insert(plan())
            _ = try await store.claim(plan().name, intending: threads(1, 2), at: commit)
            for (words, number) in [("nobody was about to kill it", UInt32(3)), ("it is not the plan's", 9)] {
                try await assertRefused("a guard of a session: \(words)") {
                    try await store.finish(
                        plan().name, as: .committed, outcomes: [thread(1): .killed], guards: [thread(number): .list],
                        at: end)
                }
            }
            let guards: [ThreadID: KillGuard] = [thread(1): .threadID, thread(2): .listBefore]
            let outcomes: [ThreadID: Outcome] = [thread(1): .killed, thread(2): .unknown, thread(3): .gone]
            _ = try await store.finish(plan().name, as: .committed, outcomes: outcomes, guards: guards, at: end)
            let stored = try await store.plan(named: plan().name)
            XCTAssertEqual(stored?.state, .ended(.committed, at: end, outcomes: outcomes, guards: guards))
        },

        Promise("The digest stays that of the plan as it was stored") { store in
            try await store.insert(plan())
            let digest = try plan().digest()
            _ = try await store.claim(plan().name, intending: threads(1), at: commit)
            var stored = try await store.plan(with: plan().sqlExecID)
            XCTAssertEqual(stored?.digest, digest)
            _ = try await store.finish(plan().name, as: .committed, outcomes: [thread(1): .killed], at: end)
            stored = try await store.plan(with: plan().sqlExecID)
            XCTAssertEqual(stored?.digest, digest)
            XCTAssertEqual(try stored?.plan.digest(), digest)
        },

        Promise("Names that differ in their bytes only are different names") { store in
            // é as one code point and as two.
            let (composed, decomposed) = ("cdb-\u{E9}", "cdb-e\u{301}")
            try await store.insert(plan(1, on: composed))
            try await store.insert(plan(2, on: decomposed))
            let found = try await store.history(
                of: [InstanceID(rawValue: decomposed)], at: end, skipping: 0, limit: 10)
            XCTAssertEqual(found.map(\.name.rawValue), ["plan-2"])
            for (number, name) in [composed, decomposed].enumerated() {
                let isNew = try await store.insert(killTask(number, on: name))
                XCTAssertTrue(isNew)
            }
            let stored = try await store.plan(named: plan(2).name)
            XCTAssertEqual(try stored?.plan.digest(), try plan(2, on: decomposed).digest())
        },
    ]
}
