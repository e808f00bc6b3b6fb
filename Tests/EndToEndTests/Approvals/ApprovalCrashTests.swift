import Foundation
import SessionKill
import TestSupport
import XCTest

/// killd killed before each system call of an approval, a rejection and a Commit by which it writes to its store, and
/// before it answers; and a disk that is full from one of their writes on.
final class ApprovalCrashTests: XCTestCase {
    func testAnApprovalIsThereWholeOrNotAtAllAndRepeatingItGivesTheAnswer() async throws {
        try await crash(Self.approval)
    }

    func testARejectionIsThereWholeOrNotAtAllAndItsPlanIsNeverCommitted() async throws {
        try await crash(Self.rejection)
    }

    func testACommitIsFinishedByRepeatingItWithTheReceiptOfItsOneEnd() async throws { try await crash(Self.commit) }

    func testAnApprovalOnAFullDiskIsNone() async throws { try await fillDisk(Self.approval) }

    func testARejectionOnAFullDiskIsNone() async throws { try await fillDisk(Self.rejection) }

    func testACommitOnADiskThatGetsFullIsFinishedByRepeatingIt() async throws { try await fillDisk(Self.commit) }

    // MARK: What is tried

    /// What is tried, and what must hold afterwards.
    private struct Attempt {
        let decide: () throws -> APIResponse
        let check: (_ step: String) async throws -> Void
    }

    private static func approval(_ scene: Scene) async throws -> Attempt {
        let plan = try await scene.preparePlan(of: 1)
        _ = try scene.approve(plan, by: "alice")
        return Attempt(
            decide: { try scene.approve(plan, by: "bob") },
            check: { step in
                let before = try scene.decisions(on: plan)
                XCTAssertEqual(before.approvals, before.entries, step)
                XCTAssertTrue([1, 2].contains(before.approvals), step)
                XCTAssertEqual(try scene.state(of: plan), before.approvals == 2 ? "approved" : "prepared", step)
                let answer = try scene.approve(plan, by: "bob")
                XCTAssertEqual(answer.Approvals, ["alice", "bob"], "\(step): \(answer)")
                XCTAssertEqual(answer.State, "approved", step)
                XCTAssertEqual(try scene.approve(plan, by: "bob").Audit, answer.Audit, step)
                let after = try scene.decisions(on: plan)
                XCTAssertEqual([after.approvals, after.entries], [2, 2], step)
                await plan.victims.assertAllAnswer()
                try await scene.assertCommitted(plan)
            })
    }

    private static func rejection(_ scene: Scene) async throws -> Attempt {
        let plan = try await scene.preparePlan(of: 1)
        for name in ["alice", "bob"] { _ = try scene.approve(plan, by: name) }
        return Attempt(
            decide: { try scene.reject(plan, by: "bob") },
            check: { step in
                let count = try StoreReader(scene.killd.storeFile).integers(
                    "SELECT count(*) FROM audit_entries WHERE plan = '\(plan.name)' AND kind = 'rejected'")
                let isRejected = try scene.state(of: plan) == "rejected"
                XCTAssertEqual(count, [isRejected ? 1 : 0], step)
                let answer = try scene.reject(plan, by: "bob")
                if isRejected {
                    assertRefused(answer, "OperationDenied", ", by `bob`.")
                } else {
                    XCTAssertEqual(answer.State, "rejected", "\(step): \(answer)")
                }
                assertRefused(try scene.commit(plan), "OperationDenied", "is `rejected` since `")
                await plan.victims.assertAllAnswer()
            })
    }

    private static func commit(_ scene: Scene) async throws -> Attempt {
        let plan = try await scene.preparePlan(of: 1)
        for name in ["alice", "bob"] { _ = try scene.approve(plan, by: name) }
        let killsBefore = try await scene.killsRun()
        return Attempt(
            decide: { try scene.commitByName(plan) },
            check: { step in
                let answers = try (0..<2).map { _ in try scene.commitByName(plan) }
                for answer in answers { XCTAssertEqual(answer.Threads, plan.threads, "\(step): \(answer)") }
                XCTAssertNotNil(answers[0].Audit, step)
                XCTAssertEqual(answers[0].Audit, answers[1].Audit, step)
                XCTAssertEqual(
                    try StoreReader(scene.killd.storeFile).integers(
                        "SELECT count(*) FROM audit_entries WHERE plan = '\(plan.name)'"
                            + " AND kind IN ('claimed', 'committed')"), [2], step)
                let kills = try await scene.killsRun() - killsBefore
                XCTAssertLessThanOrEqual(kills, scene.killStatements(ending: 1).upperBound, step)
                await plan.victims.assertNoneAnswers()
            })
    }

    // MARK: What happens to it

    /// Crashes attempts before their first such call, their second, and so on, until one has no more.
    private func crash(
        file: StaticString = #filePath, line: UInt = #line, _ prepare: (Scene) async throws -> Attempt
    ) async throws {
        try await withApprovals { scene in
            for (call, thread) in [("pwrite64", "store"), ("fdatasync", "store"), ("sendto", "http")] {
                try await untilUninterrupted("\(call) of \(thread)", file, line) { number in
                    let attempt = try await prepare(scene)
                    let fault = try await InjectedFault(
                        "signal=SIGKILL:when=\(number)", in: call, onThreads: thread, of: scene.killd)
                    let isInterrupted = (try? attempt.decide()) == nil
                    if isInterrupted {
                        scene.killd.kill()
                        try await scene.killd.start()
                    } else {
                        try await fault.remove()
                    }
                    try await attempt.check("before \(call) \(number) of \(thread)")
                    return isInterrupted
                }
            }
        }
    }

    /// Has the first write of an attempt and all after it fail, the second and all after it, and so on, until one has no
    /// more.
    private func fillDisk(
        file: StaticString = #filePath, line: UInt = #line, _ prepare: (Scene) async throws -> Attempt
    ) async throws {
        try await withApprovals { scene in
            try await untilUninterrupted("writes", file, line) { number in
                let attempt = try await prepare(scene)
                let fault = try await InjectedFault(
                    "error=ENOSPC:when=\(number)+", in: "pwrite64", onThreads: "store", of: scene.killd)
                let answer = try attempt.decide()
                try await fault.remove()
                if answer.Error != nil { assertRefused(answer, "FailedOperation", "could not be recorded") }
                try await attempt.check("full disk from write \(number) on")
                return answer.Error != nil
            }
        }
    }

    private func untilUninterrupted(
        _ what: String, _ file: StaticString, _ line: UInt, _ attempt: (Int) async throws -> Bool
    ) async throws {
        var interrupted = 0
        while try await attempt(interrupted + 1) { interrupted += 1 }
        XCTAssertGreaterThan(interrupted, 0, what, file: file, line: line)
    }
}

extension Scene {
    /// How many approvals a plan has, and how many entries of the audit tell of some.
    fileprivate func decisions(on plan: ReviewedPlan) throws -> (approvals: Int, entries: Int) {
        let store = try StoreReader(killd.storeFile)
        let approvals = try store.integers(
            "SELECT count(*) FROM decisions JOIN plans ON plans.id = plan WHERE name = '\(plan.name)'")
        let entries = try store.integers(
            "SELECT count(*) FROM audit_entries WHERE plan = '\(plan.name)' AND kind = 'approved'")
        return (try XCTUnwrap(approvals.first), try XCTUnwrap(entries.first))
    }
}
