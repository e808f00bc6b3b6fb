import SessionKill
import XCTest

extension StoreContract {
    static let historyPromises = [
        Promise("The history has the recorded plans of some instances the latest first") { store in
            try await store.insert(plan(1))
            try await store.insert(plan(2, on: "cdb-2"))
            try await store.insert(plan(3, recordHistory: false))
            try await store.insert(plan(4, on: "cdb-3"))
            try await store.insert(plan(5))
            _ = try await store.claim(plan(5).name, intending: threads(1, 2), at: commit)
            _ = try await store.finish(
                plan(5).name, as: .committed, outcomes: [thread(1): .killed, thread(2): .killed, thread(3): .gone],
                at: end)

            let instances: Set = [instance, InstanceID(rawValue: "cdb-3")]
            let all = try await store.history(of: instances, at: end, skipping: 0, limit: 10)
            XCTAssertEqual(all.map(\.name.rawValue), ["plan-5", "plan-4", "plan-1"])
            let stored = try await store.plan(named: plan(5).name)
            let outline = try XCTUnwrap(stored).outline
            XCTAssertEqual(outline.state, .committed)
            XCTAssertEqual(
                all.first,
                PlanSummary(
                    outline, preparedAt: preparation, reason: nil, endedAt: end, threadCount: 3,
                    outcomes: [.killed: 2, .gone: 1], at: end))
            let page = try await store.history(of: instances, at: end, skipping: 1, limit: 1)
            XCTAssertEqual(page, [all[1]])
            let late = try await store.history(
                of: instances, at: plan().content.expiresAt, skipping: 0, limit: 10)
            XCTAssertEqual(late.map(\.status), [.committed, .expired, .expired])
        },

        Promise("The history tells of which task a plan is, and that its Commit has begun") { store in
            _ = try await store.insert(killTask())
            try await store.insert(plan(task: killTask().name))
            _ = try await store.claim(plan().name, intending: threads(1), at: commit)
            // A Commit that has begun does not expire.
            let all = try await store.history(
                of: [instance], at: plan().content.expiresAt, skipping: 0, limit: 10)
            let stored = try await store.plan(named: plan().name)
            let outline = try XCTUnwrap(stored).outline
            XCTAssertEqual(outline.task, try killTask().name)
            XCTAssertEqual(
                all,
                [
                    PlanSummary(
                        outline, preparedAt: preparation, reason: nil, endedAt: nil, threadCount: 3, outcomes: [:],
                        at: plan().content.expiresAt)
                ])
            XCTAssertEqual(all.map(\.status), [.committing])
        },

        Promise("Pages have every recorded plan once, and behind the last there is nothing") { store in
            for number in 1...7 { try await store.insert(plan(number, on: "cdb-\(number % 2)")) }
            let instances = Set((0...1).map { InstanceID(rawValue: "cdb-\($0)") })
            var names: [String] = []
            for page in 0...3 {
                names += try await store.history(of: instances, at: end, skipping: page * 2, limit: 2)
                    .map(\.name.rawValue)
            }
            XCTAssertEqual(names, (1...7).reversed().map { "plan-\($0)" })
            for (offset, limit) in [(7, 2), (1_000, 2), (0, 0)] {
                let page = try await store.history(of: instances, at: end, skipping: offset, limit: limit)
                XCTAssertEqual(page, [], "\(offset) \(limit)")
            }
            let nobodys = try await store.history(of: [], at: end, skipping: 0, limit: 10)
            XCTAssertEqual(nobodys, [])
        },
    ]
}
