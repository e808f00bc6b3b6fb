import SessionKill
import XCTest

extension StoreContract {
    static let claimPromises = [
        Promise("A plan is claimed by as many valid approvals as it or the configuration asks for, not by fewer") {
            store in
            // Approvals on record, those of them that are valid, what the configuration asks for.
            let cases: [(recorded: [String], valid: [String], required: Int, isClaimed: Bool)] = [
                ([], [], 0, false), (["alice"], ["alice"], 0, false), (["alice", "bob"], ["alice"], 0, false),
                (["alice", "bob"], ["alice", "bob"], 0, true), (["alice", "bob"], ["alice", "bob"], 1, true),
                (["alice", "bob"], ["alice", "bob"], 3, false),
                (["alice", "bob", "carol"], ["alice", "bob", "carol"], 3, true),
                // Nobody counts who is not on record.
                (["alice"], ["alice", "bob"], 0, false), (["alice"], ["alice", "alice"], 0, false),
            ]
            for (number, example) in cases.enumerated() {
                let plan = reviewed(number)
                try await store.insert(plan)
                for name in example.recorded {
                    _ = try await store.record(
                        try decision(.approved, by: name, digest: plan.digest()), on: plan.name)
                }
                let valid = try example.valid.map { try decision(.approved, by: $0, digest: plan.digest()) }
                let result = try await store.claim(
                    plan.name, try claim(of: plan, approvals: valid, required: example.required))
                XCTAssertEqual(result.isClaimed, example.isClaimed, "\(example)")
                let stored = try await store.plan(named: plan.name)
                XCTAssertEqual(stored?.state.status, example.isClaimed ? .committing : .prepared, "\(example)")
            }
        },

        Promise("A claim with another digest is none, whatever was approved or has expired") { store in
            try await store.insert(reviewed())
            for seconds in [120, 900] {
                let result = try await store.claim(
                    reviewed().name, try claim(after: seconds, digest: reviewed(2).digest()))
                XCTAssertEqual(result, .notClaimed)
            }
            let stored = try await store.plan(named: reviewed().name)
            XCTAssertEqual(stored?.state, .prepared)
        },

        Promise("A claim after the deadline records that the plan has expired, and no clock revives it") { store in
            let quorum = try ["alice", "bob"].map { try decision(.approved, by: $0) }
            // Without approvals the last moment is that of approving; with them, that of the one that completed them.
            for (number, isApproved, deadline) in [(1, true, 360), (2, false, 600)] {
                let plan = reviewed(number)
                try await store.insert(plan)
                if isApproved {
                    for var decision in quorum {
                        decision.digest = try plan.digest()
                        _ = try await store.record(decision, on: plan.name)
                    }
                    let early = try await store.plan(named: plan.name)
                    XCTAssertEqual(early?.status(at: preparation.advanced(bySeconds: deadline - 1)), .approved)
                }
                for seconds in [deadline, 120] {
                    let result = try await store.claim(
                        plan.name, try claim(of: plan, approvals: isApproved ? quorum : [], after: seconds))
                    XCTAssertEqual(result, seconds == deadline ? .expired : .notClaimed)
                }
                let stored = try await store.plan(named: plan.name)
                XCTAssertEqual(
                    stored?.state,
                    .ended(.expired, at: preparation.advanced(bySeconds: deadline), outcomes: [:]))
                let glass = try decision(.brokeGlass, by: "ci", comment: "the night is lost otherwise")
                let result = try await store.claim(plan.name, try claim(of: plan, breakGlass: glass))
                XCTAssertEqual(result, .notClaimed)
            }
        },

        Promise("A plan that needs no approvals can be claimed until it expires") { store in
            for (number, seconds) in [(1, 599), (2, 600)] {
                try await store.insert(plan(number))
                let result = try await store.claim(plan(number).name, try claim(of: plan(number), after: seconds))
                XCTAssertEqual(result.isClaimed, number == 1)
                XCTAssertEqual(result == .expired, number == 2)
            }
        },

        Promise("A plan that needed none needs as many as a configuration of later asks for") { store in
            var terms = terms
            terms.required = 0
            let plan = reviewed(1, terms)
            try await store.insert(plan)
            var result = try await store.claim(plan.name, try claim(of: plan, required: 1))
            XCTAssertEqual(result, .notClaimed)
            let approval = try decision(.approved, by: "alice", digest: plan.digest())
            _ = try await store.record(approval, on: plan.name)
            result = try await store.claim(plan.name, try claim(of: plan, approvals: [approval], required: 1))
            XCTAssertTrue(result.isClaimed)
        },

        Promise("A clock that was set back before a claim is not believed") { store in
            try await store.insert(reviewed())
            // Something else happens later than the plan's time is over.
            _ = try await store.insert(killTask())
            _ = try await store.end(
                killTask().name, as: .cancelled(by: "ci"), at: preparation.advanced(bySeconds: 600))
            let result = try await store.claim(reviewed().name, try claim())
            XCTAssertEqual(result, .expired)
            try await store.insert(reviewed(2))
            let decided = try await store.record(
                try decision(.approved, by: "alice", digest: reviewed(2).digest()), on: reviewed(2).name)
            XCTAssertEqual(decided, .notRecorded)
        },

        Promise("Glass is broken within the time for approving, and both is on record") { store in
            try await store.insert(reviewed())
            let glass = try decision(.brokeGlass, by: "ci", after: 100, comment: "the night is lost otherwise")
            try await assertRefused("glass broken without a claim") {
                try await store.record(glass, on: reviewed().name)
            }
            let before = try await store.revision()
            guard
                case .claimed(let receipt) = try await store.claim(
                    reviewed().name, try claim(breakGlass: glass, after: 599))
            else { return XCTFail("not claimed") }
            XCTAssertEqual(receipt.entry, before + 2)
            let stored = try await store.plan(named: reviewed().name)
            XCTAssertEqual(stored?.decisions.map(\.kind), [.brokeGlass])
            XCTAssertEqual(stored?.decisions.map(\.comment), ["the night is lost otherwise"])
        },

        Promise("Plans are listed by state, with how their approvals stand") { store in
            // 1 waits, 2 is approved, 3 has expired, 4 is rejected, 5 is committing, 6 is without terms of review.
            for number in 1...5 {
                var terms = terms
                if number == 3 { terms.approvableUntil = preparation.advanced(bySeconds: 90) }
                try await store.insert(reviewed(number, terms))
            }
            try await store.insert(plan(6))
            for number in [2, 5] {
                for name in ["alice", "bob"] {
                    _ = try await store.record(
                        try decision(.approved, by: name, digest: reviewed(number).digest()),
                        on: reviewed(number).name)
                }
            }
            _ = try await store.record(
                try decision(.rejected, by: "bob", digest: reviewed(4).digest()), on: reviewed(4).name)
            let approvals = try await store.plan(named: reviewed(5).name)?.approvals
            let claimed = try await store.claim(
                reviewed(5).name, try claim(of: reviewed(5), approvals: approvals ?? []))
            XCTAssertTrue(claimed.isClaimed)
            let time = preparation.advanced(bySeconds: 130)
            for (states, numbers) in [
                ([.prepared], [6, 1]), ([.approved], [2]), ([.expired], [3]), ([.rejected], [4]), ([.committing], [5]),
                ([.prepared, .approved], [6, 2, 1]), ([.cancelled], []),
            ] as [(Set<PlanStatus>, [Int])] {
                let listed = try await store.plans(
                    PlanQuery(instances: [instance], states: states, limit: 10), at: time)
                XCTAssertEqual(listed.map(\.name.rawValue), numbers.map { "plan-\($0)" }, "\(states)")
            }
            let page = try await store.plans(
                PlanQuery(instances: [instance], states: [.prepared, .approved], offset: 1, limit: 1), at: time)
            let stored = try await store.plan(named: reviewed(2).name)
            let outline = try XCTUnwrap(stored).outline
            XCTAssertEqual(outline.terms?.grade, .high)
            XCTAssertEqual(outline.approvals.map(\.caller.person.rawValue), ["alice", "bob"])
            XCTAssertEqual(
                page,
                [
                    PlanSummary(
                        outline, preparedAt: preparation, reason: "stuck", endedAt: nil, threadCount: 3, outcomes: [:],
                        at: time)
                ])
        },

        Promise("The receipt of a plan's end is that of whatever ended it, however much comes after") { store in
            for number in 1...4 { try await store.insert(reviewed(number)) }
            var receipt = try await store.receiptOfEnd(of: reviewed(1).name)
            XCTAssertNil(receipt, "it has not ended")
            let rejection = try decision(.rejected, by: "alice", digest: reviewed(3).digest(), comment: "no")
            guard case .recorded(let rejected) = try await store.record(rejection, on: reviewed(3).name) else {
                return XCTFail("not rejected")
            }
            let glass = try decision(.brokeGlass, by: "ci", comment: "the night is lost otherwise")
            _ = try await store.claim(reviewed(1).name, try claim(of: reviewed(1), breakGlass: glass))
            let committed = try await store.finish(
                reviewed(1).name, as: .committed, outcomes: [thread(1): .killed], at: end)
            _ = try await store.record(try decision(.reviewed, by: "alice", after: 700), on: reviewed(1).name)
            receipt = try await store.receiptOfEnd(of: reviewed(1).name)
            XCTAssertNotNil(receipt)
            XCTAssertEqual(receipt, committed)

            let stale = try await store.finish(reviewed(2).name, as: .stale(.riskRose), outcomes: [:], at: end)
            receipt = try await store.receiptOfEnd(of: reviewed(2).name)
            XCTAssertEqual(receipt, stale)
            receipt = try await store.receiptOfEnd(of: reviewed(3).name)
            XCTAssertEqual(receipt, rejected)
            for name in [reviewed(4).name, PlanName(rawValue: "plan-9")] {
                receipt = try await store.receiptOfEnd(of: name)
                XCTAssertNil(receipt)
            }
        },
    ]
}
