import StoreContract
import Synchronization
import XCTest

@testable import SessionKill

/// Each way around the quorum that other engines had, named for it.
final class WaysAroundTheQuorumTests: ApprovalTestCase {
    func testAPlanWithoutApprovalIsNotCommittedAndTheAnswerSaysWhoHasAndWhoCouldAndUntilWhen() async throws {
        let plan = try await preparePlan(firstTen)
        XCTAssertEqual(plan.plan.content.review?.risk?.grade, .high)
        try await approve(plan, by: "bob")
        do {
            try await commit(plan)
            XCTFail("committed")
        } catch KillError.notApproved(let gap) {
            XCTAssertEqual(
                gap,
                ApprovalGap(
                    required: 2, approvedBy: ["bob"].persons, couldApprove: ["alice", "carol", "dan"].persons,
                    until: clock.now().advanced(bySeconds: 600), plan: plan.plan.name))
        }
        await assertNobodyIsKilled()
        try await assertStatus(.prepared, plan)
    }

    func testAnApprovedPlanIsCommittedOnceHoweverOften() async throws {
        let plan = try await preparePlan()
        try await approve(plan, by: "alice")
        try await assertStatus(.approved, plan)
        let first = try await commit(plan)
        let second = try await commit(plan)
        XCTAssertEqual(second, first)
        let kills = await server.kills
        XCTAssertEqual(kills, [3])
        let events = await store.events.map(\.event.kind)
        XCTAssertEqual(events, [.prepared, .approved, .claimed, .committed])
    }

    func testNobodyApprovesTheirOwnPlanByWhicheverAccount() async throws {
        let plan = try await preparePlan(by: "dan")
        await assertRefused(.ownPlan) { try await decide(.approved, plan, by: "dan") }
        await assertRefused(.ownPlan) { try await decide(.approved, plan, by: "dan-admin") }
        let you = asking.review(of: plan.outline, for: try caller("dan-admin"), on: guarded).you
        XCTAssertFalse(you.mayApprove)
        XCTAssertEqual(you.why, [.ownPlan])
        await assertNotApproved(plan)
    }

    func testNobodyApprovesWhatWasPreparedForThemHoweverTheyAreSpelled() async throws {
        for name in ["dan", "DAN", "dan-admin", "Dan-Admin"] {
            let plan = try await preparePlan(for: name)
            XCTAssertEqual(plan.plan.content.requestedBy?.rawValue, "dan")
            await assertRefused(.requestedByYou) { try await decide(.approved, plan, by: "dan-admin") }
        }
        let plan = try await preparePlan(for: "somebody else")
        XCTAssertEqual(plan.plan.content.requestedBy?.rawValue, "somebody else")
    }

    func testWhoeverBehindAPreparersAccountIsNowDoesNotCountForTheQuorum() async throws {
        let plan = try await preparePlan()
        try await approve(plan, by: "alice")
        // ci turns out to be alice.
        reload { $0[0].person = PersonName(rawValue: "alice") }
        await assertNotApproved(plan)
    }

    func testTwoAccountsOfOnePersonAreOneApproval() async throws {
        let plan = try await preparePlan(firstTen)
        try await approve(plan, by: "dan")
        let again = try await decide(.approved, plan, by: "dan-admin")
        XCTAssertEqual(again.stored.decisions.count, 1)
        await assertNotApproved(plan, has: ["dan"], of: 2)
    }

    func testAnApprovalThatIsRepeatedIsAnsweredAsBeforeAndKeptOnce() async throws {
        let plan = try await preparePlan(firstTen)
        let first = try await decide(.approved, plan, by: "alice")
        let second = try await decide(.approved, plan, by: "alice")
        XCTAssertEqual(second.audit, first.audit)
        await assertNotApproved(plan, has: ["alice"], of: 2)
    }

    func testWhoMayNotApproveIsRefusedAndSoIsWhoIsNotConfigured() async throws {
        let plan = try await preparePlan()
        await assertRefused(.notPermitted) { try await decide(.approved, plan, by: "oncall") }
        let stranger = Caller(AccountName(rawValue: "stranger"))
        await assertRefused(.notPermitted) {
            _ = try await asking.decide(
                .approved, on: plan.plan.name, digest: plan.digest, comment: nil, by: stranger, request: nil,
                instance: guarded)
        }
    }

    func testAnApprovalOfAnotherDigestIsRefused() async throws {
        let plan = try await preparePlan()
        let other = try await preparePlan([4])
        await assertRefused(.otherDigest) { try await decide(.approved, plan, by: "alice", digest: other.digest) }
        await assertRefused(.otherDigest) { try await decide(.approved, plan, by: "alice", digest: "") }
        try await approve(other, by: "alice")
        await assertNotApproved(plan)
    }

    func testAnApprovalCopiedFromAnotherPlanDoesNotCount() async throws {
        let plan = try await preparePlan()
        let other = try await preparePlan([4])
        var copied = Decision(
            .approved, by: try caller("alice"), at: clock.now(), digest: plan.digest,
            request: Self.signed(other.outline, by: try member("alice")))
        _ = try await store.record(copied, on: plan.plan.name)
        await assertNotApproved(plan)
        copied.caller = try caller("bob")
        copied.request = nil
        _ = try await store.record(copied, on: plan.plan.name)
        await assertNotApproved(plan)
    }

    func testAnApproverWhoLostTheRightBeforeTheClaimDoesNotCount() async throws {
        let changes: [(inout [Member]) -> Void] = [
            { $0.removeAll { $0.account.rawValue == "alice" } },
            { $0[1].may = [] },
            { $0[1].person = PersonName(rawValue: "mallory") },
            // What was signed with the old key may be the work of whoever knew it.
            { $0[1].key = "another" },
        ]
        let before = members.withLock { $0 }
        for change in changes {
            let plan = try await preparePlan()
            try await approve(plan, by: "alice")
            reload(change)
            await assertNotApproved(plan)
            reload { $0 = before }
        }
    }

    func testAnApproverWhoLosesTheRightWhileTheCommitWaitsForItsServerDoesNotCount() async throws {
        let plan = try await preparePlan()
        try await approve(plan, by: "alice")
        members.withLock { $0[1].may = [] }
        let (engine, authority) = (asking, authority())
        await server.set { $0.beforeSnapshot = { _, _ in engine.replace(authority) } }
        await assertNotApproved(plan)
    }

    func testTheDeadlineIsThatOfTheClaimAndNotThatOfTheLook() async throws {
        let plan = try await preparePlan()
        try await approve(plan, by: "alice")
        await server.set { [clock] server in
            server.beforeSnapshot = { _, _ in clock.advance(bySeconds: 300) }
        }
        do {
            try await commit(plan)
            XCTFail("committed")
        } catch KillError.expired {}
        await assertNobodyIsKilled()
        let state = try await stored(plan.plan.name).state
        XCTAssertEqual(state.status, .expired, "nothing revives what was answered so")
    }

    func testAClockThatIsSetBackRevivesNothing() async throws {
        let plan = try await preparePlan()
        try await approve(plan, by: "alice")
        clock.advance(bySeconds: 301)
        do {
            try await commit(plan)
            XCTFail("committed")
        } catch KillError.expired {}
        clock.advance(bySeconds: -86_400)
        do {
            try await commit(plan)
            XCTFail("committed")
        } catch KillError.expired {}
        await assertNobodyIsKilled()
        do {
            try await decide(.approved, plan, by: "bob")
            XCTFail("approved")
        } catch KillError.decisionRefused(.notPrepared(.expired)) {}
    }

    func testNobodyApprovesAfterTheEndAndALateApprovalRevivesNoQuorum() async throws {
        let plan = try await preparePlan()
        clock.advance(bySeconds: 600)
        let since = clock.now()
        await assertRefused(.tooLate(since: since)) { try await decide(.approved, plan, by: "alice") }
        let other = try await preparePlan()
        try await approve(other, by: "alice")
        clock.advance(bySeconds: 300)
        let end = clock.now()
        await assertRefused(.tooLate(since: end)) { try await decide(.approved, other, by: "bob") }
    }

    func testARejectionIsFinalWhoeverHasApproved() async throws {
        let plan = try await preparePlan()
        try await approve(plan, by: "alice")
        await assertRefused(.reasonMissing) { try await decide(.rejected, plan, by: "alice", comment: " ") }
        try await decide(.rejected, plan, by: "alice", comment: "the report is nearly done")
        for attempt in [{ try await self.commit(plan) as Any }, { try await self.decide(.approved, plan, by: "bob") }] {
            do {
                _ = try await attempt()
                XCTFail("not refused")
            } catch KillError.decided(.rejected, _, let caller) {
                XCTAssertEqual(caller?.person.rawValue, "alice")
            }
        }
        await assertNobodyIsKilled()
    }

    func testARejectionThatComesBeforeTheClaimWinsAndOneBehindItIsRefused() async throws {
        let plan = try await preparePlan()
        try await approve(plan, by: "alice")
        let reject = Decision(
            .rejected, by: try caller("bob"), at: clock.now(), comment: "no", digest: plan.digest)
        await server.set { [store] server in
            server.beforeSnapshot = { _, _ in _ = try? await store.record(reject, on: plan.plan.name) }
        }
        do {
            try await commit(plan)
            XCTFail("committed")
        } catch KillError.decided(.rejected, _, _) {}
        await assertNobodyIsKilled()
        await server.set { $0.beforeSnapshot = { _, _ in } }

        let other = try await preparePlan()
        try await approve(other, by: "alice")
        await store.set { $0.dyingAfter = [.claim] }
        _ = try? await commit(other)
        await store.set { $0.dyingAfter = [] }
        await assertRefused(.notPrepared(.committing)) {
            try await decide(.rejected, other, by: "bob", comment: "no")
        }
        await assertRefused(.notPrepared(.committing)) { try await decide(.cancelled, other, by: "ci") }
        await assertRefused(.notPrepared(.committing)) { try await decide(.approved, other, by: "bob") }
    }

    func testOnlyThePreparersAccountTakesAPlanBack() async throws {
        let plan = try await preparePlan(by: "dan")
        try await approve(plan, by: "alice")
        await assertRefused(.notYourPlan) { try await decide(.cancelled, plan, by: "dan-admin") }
        try await decide(.cancelled, plan, by: "dan")
        do {
            try await commit(plan, by: "dan")
            XCTFail("committed")
        } catch KillError.decided(.cancelled, _, _) {}
        await assertNobodyIsKilled()
    }

    func testGrowthWithinAGradeChangesNothing() async throws {
        await server.set { $0.sessions[2].details.transaction = .changed(rows: 5) }
        let plan = try await preparePlan()
        XCTAssertEqual(plan.plan.content.review?.risk?.grade, .medium)
        try await approve(plan, by: "alice")
        await server.set { $0.sessions[2].details.transaction = .changed(rows: 99_999) }
        let report = try await commit(plan)
        XCTAssertEqual(report.killed, [3])
    }

    func testAPlanWhoseRiskRoseBeyondItsApprovalsIsStaleAndKillsNobody() async throws {
        let plan = try await preparePlan()
        XCTAssertEqual(plan.plan.content.review?.risk?.grade, .low)
        try await approve(plan, by: "alice")
        await server.set { $0.sessions[2].details.transaction = .changed(rows: 100_000) }
        for _ in 1...2 {
            do {
                try await commit(plan)
                XCTFail("committed")
            } catch KillError.stale(.riskRose, afterInterruption: false) {}
        }
        await assertNobodyIsKilled()
        try await assertStatus(.stale, plan)
    }

    func testRiskThatRoseIsNoObstacleWhereTheApprovalsSuffice() async throws {
        let plan = try await preparePlan()
        try await approve(plan, by: "alice", "bob")
        await server.set { $0.heldLocks.global = [3] }
        let report = try await commit(plan)
        XCTAssertEqual(report.killed, [3])
    }

    func testRiskIsThatOfWhoIsStillToBeKilled() async throws {
        let plan = try await preparePlan([3, 4])
        try await approve(plan, by: "alice")
        await server.set { server in
            // Another session has the id by now, which nobody is going to kill.
            server.sessions[3].identity.host = "10.0.0.9:1"
            server.sessions[3].details.transaction = .changed(rows: 500_000)
        }
        let report = try await commit(plan)
        XCTAssertEqual(report.killed, [3])
    }

    func testAPlanWithNobodyLeftNeedsItsApprovalsToo() async throws {
        let plan = try await preparePlan()
        await server.set { $0.sessions.remove(at: 2) }
        await assertNotApproved(plan)
        try await approve(plan, by: "alice")
        let report = try await commit(plan)
        XCTAssertEqual(report.outcomes, [3: .gone])
        let events = await store.events.map(\.event.kind)
        XCTAssertEqual(events, [.prepared, .approved, .claimed, .committed])
    }

    func testLoweringApprovalsByAReloadWeakensNoPlanThatExists() async throws {
        let plan = try await preparePlan(firstTen)
        policy = .none
        reload()
        await assertNotApproved(plan, of: 2)
    }

    func testRaisingApprovalsByAReloadHoldsForPlansThatExist() async throws {
        policy = .none
        reload()
        let plan = try await preparePlan()
        XCTAssertEqual(plan.plan.content.review?.required, 0)
        policy = ApprovalPolicy(required: [.low: 2, .medium: 2, .high: 2])
        reload()
        await assertNotApproved(plan, of: 2)
        try await approve(plan, by: "alice", "bob")
        let report = try await commit(plan)
        XCTAssertEqual(report.killed, [3])
    }

    func testAPlanThatIsCommittedByNameNeedsItsAccountItsDigestAndItsApprovals() async throws {
        let plan = try await preparePlan()
        let (name, guarded) = (plan.plan.name, guarded)
        func commit(_ account: String, _ digest: String) async throws -> CommitReport {
            try await asking.commit(.named(name, digest: digest), on: guarded, for: try caller(account))
        }
        do {
            _ = try await commit("dan", plan.digest)
            XCTFail("committed")
        } catch KillError.planNotFound {}
        await assertRefused(.otherDigest) { _ = try await commit("ci", "0") }
        do {
            _ = try await commit("ci", plan.digest)
            XCTFail("committed")
        } catch KillError.notApproved {}
        try await approve(plan, by: "alice")
        let report = try await commit("ci", plan.digest)
        XCTAssertEqual(report.killed, [3])
    }

    func testWhatIsNotKeptCannotBePlannedWhereSomebodyHasToAgree() async throws {
        do {
            _ = try await preparePlan(recordHistory: false)
            XCTFail("prepared")
        } catch PreparationError.historyNeeded {}
        policy = ApprovalPolicy(required: [.high: 2])
        reload()
        // This one needs nobody's approval.
        let plan = try await preparePlan(recordHistory: false)
        XCTAssertEqual(plan.plan.content.review?.required, 0)
        await assertRefused(.notKept) { try await decide(.approved, plan, by: "alice") }
        try await commit(plan)
    }

    func testACommentThatNobodyCouldReadIsRefused() async throws {
        let plan = try await preparePlan()
        let long = String(repeating: "x", count: 1_000_000)
        await assertRefused(.reasonTooLong(most: 1_024)) { try await decide(.approved, plan, by: "bob", comment: long) }
        for hidden in ["\u{202E}evil", "a\u{0}b", "\u{1B}[2J"] {
            await assertRefused(.reasonUnreadable) { try await decide(.approved, plan, by: "bob", comment: hidden) }
        }
        let decisions = try await stored(plan.plan.name).decisions
        XCTAssertEqual(decisions, [])
    }

    func testWhatTheCallerMayIsToldByTheServer() async throws {
        let plan = try await preparePlan()
        func you(_ account: String) async throws -> PlanReview.Rights {
            asking.review(of: try await stored(plan.plan.name).outline, for: try caller(account), on: guarded).you
        }
        let ci = try await you("ci")
        XCTAssertEqual([ci.mayApprove, ci.mayReject, ci.mayCancel, ci.mayCommit], [false, false, true, false])
        let alice = try await you("alice")
        XCTAssertEqual(
            [alice.mayApprove, alice.mayReject, alice.mayCancel, alice.mayCommit], [true, true, false, false])
        try await approve(plan, by: "alice")
        let after = try await you("alice")
        XCTAssertEqual(after.why, [.alreadyApproved])
        let approved = try await you("ci")
        XCTAssertTrue(approved.mayCommit)
    }
}

extension [String] {
    fileprivate var persons: [PersonName] { map { PersonName(rawValue: $0) } }
}

extension Transaction {
    fileprivate static func changed(rows: UInt64) -> Transaction {
        Transaction(id: "7", age: 1, rowsModified: rows, state: "RUNNING")
    }
}
