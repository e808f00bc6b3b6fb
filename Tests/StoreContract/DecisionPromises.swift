import SessionKill
import XCTest

/// What a plan of one instance asks for that needs two persons' approval.
let terms = ReviewTerms(
    risk: RiskAssessment(reasons: [RiskReason(.rowsToUndo, grade: .high, threads: [thread(1)], count: 123_456)]),
    required: 2, approvableUntil: preparation.advanced(bySeconds: 600), commitWithin: 300,
    waits: [
        WaitEdge(
            waiter: thread(9), user: "app", host: "10.0.0.9:1", seconds: 41, holder: thread(1),
            lock: Lock(kind: .row, object: "shop.orders", index: "PRIMARY", mode: "X"))
    ], omittedWaits: 3)

func caller(_ name: String) -> Caller {
    Caller(
        account: AccountName(rawValue: name), person: PersonName(rawValue: name),
        request: Caller.Request(address: "10.0.0.7", id: "request-\(name)"))
}

func decision(
    _ kind: Decision.Kind, by name: String, after seconds: Int = 60, digest: String? = nil, comment: String? = nil
) throws -> Decision {
    Decision(
        kind, by: caller(name), at: preparation.advanced(bySeconds: seconds), comment: comment,
        digest: try digest ?? reviewed().digest(), request: KeptRequest("{\"by\":\"\(name)\"}"))
}

/// A plan that needs approvals, made by ci for dan.
func reviewed(_ number: Int = 1, _ review: ReviewTerms = terms) -> KillPlan {
    plan(number, review: review, requestedBy: PersonName(rawValue: "dan"))
}

func claim(
    of plan: KillPlan = reviewed(), approvals: [Decision] = [], required: Int = 0, breakGlass: Decision? = nil,
    after seconds: Int = 120, digest: String? = nil, threads: [ThreadID] = threads(1)
) throws -> PlanClaim {
    PlanClaim(
        intended: threads, caller: caller("ci"), digest: try digest ?? plan.digest(), approvals: approvals,
        required: required, breakGlass: breakGlass, time: preparation.advanced(bySeconds: seconds))
}

extension DecisionResult {
    var isRecorded: Bool { if case .recorded = self { true } else { false } }
    var isRepeated: Bool { if case .repeated = self { true } else { false } }
}

extension ClaimResult {
    var isClaimed: Bool { if case .claimed = self { true } else { false } }
}

extension StoreContract {
    static let decisionPromises = [
        Promise("A plan is read back with what its approvers are shown, who asked and what was decided") { store in
            try await store.insert(reviewed(), by: caller("ci"))
            let first = try decision(.approved, by: "alice", comment: "seen e\u{301}")
            let second = try decision(.approved, by: "bob", after: 70)
            for decision in [first, second] {
                let result = try await store.record(decision, on: reviewed().name)
                XCTAssertTrue(result.isRecorded)
            }
            let stored = try await store.plan(named: reviewed().name)
            XCTAssertEqual(
                stored,
                StoredPlan(
                    plan: reviewed(), digest: try reviewed().digest(), state: .prepared, decisions: [first, second]))
            XCTAssertEqual(try stored?.plan.digest(), stored?.digest)
            XCTAssertEqual(stored?.status(at: preparation.advanced(bySeconds: 369)), .approved)
            XCTAssertEqual(stored?.status(at: preparation.advanced(bySeconds: 370)), .expired)
        },

        Promise("Neither who made a plan, nor for whom, nor who has approved already adds an approval") { store in
            try await store.insert(
                reviewed(), by: Caller(account: "ci", person: PersonName(rawValue: "carol"), request: nil))
            for name in ["carol", "dan"] {
                let result = try await store.record(try decision(.approved, by: name), on: reviewed().name)
                XCTAssertEqual(result, .notRecorded, name)
            }
            let result = try await store.record(try decision(.approved, by: "alice"), on: reviewed().name)
            guard case .recorded(let receipt) = result else { return XCTFail("\(result)") }
            var other = try decision(.approved, by: "alice", after: 90, comment: "again")
            other.caller.account = "alice-at-home"
            let again = try await store.record(other, on: reviewed().name)
            XCTAssertEqual(again, .repeated(receipt), "another account of hers is the same person")
            let stored = try await store.plan(named: reviewed().name)
            XCTAssertEqual(stored?.decisions.map(\.caller.account), ["alice"])
            let revision = try await store.revision()
            XCTAssertEqual(revision, receipt.entry, "no second entry")
        },

        Promise("An approval of another digest, of no plan, or too late is none") { store in
            try await store.insert(reviewed())
            let wrong = try decision(.approved, by: "alice", digest: reviewed(2).digest())
            let late = try decision(.approved, by: "alice", after: 600)
            for refused in [wrong, late] {
                let result = try await store.record(refused, on: reviewed().name)
                XCTAssertEqual(result, .notRecorded)
            }
            let result = try await store.record(
                try decision(.approved, by: "alice"), on: PlanName(rawValue: "plan-9"))
            XCTAssertEqual(result, .notRecorded)
            let stored = try await store.plan(named: reviewed().name)
            XCTAssertEqual(stored?.decisions, [])
        },

        Promise("A plan without terms of review is approved by nobody") { store in
            try await store.insert(plan())
            let result = try await store.record(
                try decision(.approved, by: "alice", digest: plan().digest()), on: plan().name)
            XCTAssertEqual(result, .notRecorded)
        },

        Promise("A rejection is final, also of an approved plan and by who approved") { store in
            try await store.insert(reviewed())
            for name in ["alice", "bob"] {
                _ = try await store.record(try decision(.approved, by: name), on: reviewed().name)
            }
            let wrong = try await store.record(
                try decision(.rejected, by: "alice", digest: reviewed(2).digest()), on: reviewed().name)
            XCTAssertEqual(wrong, .notRecorded)
            let result = try await store.record(
                try decision(.rejected, by: "alice", after: 80, comment: "no"), on: reviewed().name)
            XCTAssertTrue(result.isRecorded)
            for kind in [Decision.Kind.approved, .rejected, .cancelled] {
                for name in ["alice", "carol", "ci"] {
                    let result = try await store.record(try decision(kind, by: name, after: 90), on: reviewed().name)
                    XCTAssertEqual(result, .notRecorded, "\(kind) by \(name)")
                }
            }
            let stored = try await store.plan(named: reviewed().name)
            XCTAssertEqual(
                stored?.state, .ended(.rejected, at: preparation.advanced(bySeconds: 80), outcomes: [:]))
            XCTAssertEqual(stored?.decisions.map(\.kind), [.approved, .approved, .rejected])
            let approvals = try XCTUnwrap(stored).approvals
            let claimed = try await store.claim(reviewed().name, try claim(approvals: approvals))
            XCTAssertEqual(claimed, .notClaimed)
        },

        Promise("Only the preparer's account cancels, and only what nobody has ended") { store in
            try await store.insert(reviewed())
            try await store.insert(plan(2))
            var result = try await store.record(try decision(.cancelled, by: "alice"), on: reviewed().name)
            XCTAssertEqual(result, .notRecorded)
            result = try await store.record(try decision(.cancelled, by: "ci"), on: reviewed().name)
            XCTAssertTrue(result.isRecorded)
            result = try await store.record(try decision(.cancelled, by: "ci"), on: reviewed().name)
            XCTAssertEqual(result, .notRecorded)
            var withoutDigest = try decision(.cancelled, by: "ci")
            withoutDigest.digest = nil
            result = try await store.record(withoutDigest, on: plan(2).name)
            XCTAssertTrue(result.isRecorded)
            for number in 1...2 {
                let stored = try await store.plan(named: plan(number).name)
                XCTAssertEqual(stored?.state.status, .cancelled)
            }
        },

        Promise("A decision behind a claim changes nothing") { store in
            try await store.insert(reviewed())
            let glass = try decision(.brokeGlass, by: "ci", after: 100, comment: "the night is lost otherwise")
            let claimed = try await store.claim(reviewed().name, try claim(breakGlass: glass))
            XCTAssertTrue(claimed.isClaimed)
            let revision = try await store.revision()
            for (kind, name) in [(Decision.Kind.approved, "alice"), (.rejected, "alice"), (.cancelled, "ci")] {
                let result = try await store.record(try decision(kind, by: name, after: 130), on: reviewed().name)
                XCTAssertEqual(result, .notRecorded, "\(kind)")
            }
            let unchanged = try await store.revision()
            XCTAssertEqual(revision, unchanged)
        },

        Promise("Only a plan for which glass was broken is reviewed, once it has ended and by somebody else") { store in
            for number in 1...2 { try await store.insert(reviewed(number)) }
            let glass = try decision(.brokeGlass, by: "ci", comment: "the night is lost otherwise")
            _ = try await store.claim(reviewed().name, try claim(breakGlass: glass))
            let query = PlanQuery(instances: [instance], unreviewed: true, limit: 10)
            var listed = try await store.plans(query, at: end)
            XCTAssertEqual(listed.map(\.name), [reviewed().name])
            XCTAssertEqual(listed.map(\.outline.brokeGlass), [true])
            var result = try await store.record(
                try decision(.reviewed, by: "alice", after: 130), on: reviewed().name)
            XCTAssertEqual(result, .notRecorded, "it has not ended")
            _ = try await store.finish(reviewed().name, as: .committed, outcomes: [thread(1): .killed], at: end)
            for name in ["ci", "dan"] {
                result = try await store.record(try decision(.reviewed, by: name, after: 130), on: reviewed().name)
                XCTAssertEqual(result, .notRecorded, name)
            }
            result = try await store.record(try decision(.reviewed, by: "alice", after: 130), on: reviewed().name)
            guard case .recorded(let receipt) = result else { return XCTFail("\(result)") }
            result = try await store.record(try decision(.reviewed, by: "alice", after: 140), on: reviewed().name)
            XCTAssertEqual(result, .repeated(receipt))
            listed = try await store.plans(query, at: end)
            XCTAssertEqual(listed, [])
            let stored = try await store.plan(named: reviewed().name)
            XCTAssertEqual(stored?.decisions.map(\.kind), [.brokeGlass, .reviewed])
        },

        Promise("Every change has the next number of the audit, and what changes nothing has none") { store in
            let first = try await store.revision()
            let inserted = try await store.insert(reviewed())
            XCTAssertEqual(inserted.entry, first + 1)
            guard
                case .recorded(let approved) = try await store.record(
                    try decision(.approved, by: "alice"), on: reviewed().name)
            else { return XCTFail("not approved") }
            XCTAssertEqual(approved.entry, first + 2)
            _ = try await store.record(try decision(.approved, by: "dan"), on: reviewed().name)
            let finished = try await store.finish(
                reviewed().name, as: .stale(.riskRose), outcomes: [:], at: end)
            XCTAssertEqual(finished?.entry, first + 3)
            XCTAssertEqual(Set([inserted.hash, approved.hash, finished?.hash ?? ""]).count, 3)
            for hash in [inserted.hash, approved.hash] { XCTAssertEqual(hash.utf8.count, 64) }
            _ = try await store.finish(reviewed().name, as: .abandoned, outcomes: [:], at: end)
            let last = try await store.revision()
            XCTAssertEqual(last, first + 3)
        },
    ]
}
