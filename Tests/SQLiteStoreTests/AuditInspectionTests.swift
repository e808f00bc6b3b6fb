import AuditTrail
import Foundation
import SessionKill
import StoreContract
import Synchronization
import XCTest

@testable import SQLiteStore

final class AuditInspectionTests: StoreTestCase {
    private func inspect(_ known: [KnownHead] = []) throws -> AuditFindings {
        try SQLiteStore.inspectAudit(path: path, known: known) { _, _ in .unchecked }
    }

    func testWhatKilldWritesAndDeletesIsNoFaultAlsoWhileTheStoreIsOpen() async throws {
        let store = try await openStore()
        for number in 1...40 { try await store.insert(.example(number)) }
        _ = try await store.claim(KillPlan.example().name, intending: [.number(101)], at: commit)
        let outcomes: [ThreadID: Outcome] = [
            .number(101): .failed(.refused(ServerMessage(code: 1317, text: "no"))), .number(102): .denied(.untold),
        ]
        _ = try await store.finish(KillPlan.example().name, as: .committed, outcomes: outcomes, at: end)
        _ = try await store.claim(KillPlan.example(2).name, intending: [.number(101)], at: commit)
        let late = preparation.advanced(bySeconds: 86_400)
        try await store.noteExpired(at: late)
        var findings = try inspect()
        XCTAssertEqual(findings.faults.first, [])
        XCTAssertEqual([findings.plans, findings.agreeingPlans], [40, 40])
        try await store.purge(endedOrExpiredBefore: late, at: late)
        findings = try inspect()
        XCTAssertEqual(findings.faults.first, [])
        XCTAssertEqual([findings.plans, findings.agreeingPlans], [1, 1])
    }

    func testPayloadsAreDroppedAndNeverLinksAndAnEntrySaysSo() async throws {
        let store = try await openStore()
        for number in 1...3 { try await store.insert(.example(number)) }
        let late = preparation.advanced(bySeconds: 86_400)
        try await store.noteExpired(at: late)
        try await store.purge(endedOrExpiredBefore: late, at: late)
        try await store.insert(.example(4))
        try await store.setOutboxTargets(["ops"])
        try await store.insert(.example(5))
        let head = try inspect().chain
        let dropped = try await store.dropPayloads(before: late.advanced(bySeconds: 1), at: late)
        // 1 names the store, 8 what was deleted; the plans of 9 and 10 are there, and one of them is still to be told.
        XCTAssertEqual(dropped, 6)
        let kept = try await store.value(
            "SELECT group_concat(seq) FROM (SELECT seq FROM audit_entries WHERE payload IS NOT NULL ORDER BY seq)")
        XCTAssertEqual(kept, "1,8,9,10,11")
        let payload = try await store.value("SELECT payload FROM audit_entries WHERE seq = 11")
        XCTAssertEqual(
            payload?.contains(#""count":6,"kind":"pruned","of":"payloads","seq":11,"through":7"#), true, payload ?? "")
        let again = try await store.dropPayloads(before: late.advanced(bySeconds: 1), at: late)
        XCTAssertEqual(again, 0)
        let findings = try inspect([
            KnownHead(sequence: 10, hash: head.lastHash, place: KnownHead.Place(file: "x", line: 1))
        ])
        XCTAssertEqual(findings.faults.first, [])
        XCTAssertEqual(findings.chain.droppedPayloads, 6)
        XCTAssertEqual(findings.chain.provenThrough, 10)
        // Nobody else may: not even with a trigger dropped.
        try await store.execute("UPDATE audit_entries SET payload = NULL WHERE seq = 10")
        XCTAssertEqual(try inspect().faults.first, [.payloadGone(10)])
    }

    func testPlansThatAreOlderThanTheAuditAreCountedApart() async throws {
        let earlier = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Stores/migration-7.sql")
        try Data().write(to: URL(fileURLWithPath: path))
        let connection = try Connection(path: path)
        try connection.execute(try String(contentsOf: earlier, encoding: .utf8))
        try connection.close()
        let store = try await openStore()
        let count = try await store.value("SELECT count(*) FROM plans")
        let findings = try inspect()
        XCTAssertEqual(findings.faults.first, [])
        XCTAssertEqual(String(findings.earlierPlans), count)
    }

    func testTheWitnessIsToldOfEveryEntryOnceAndInOrderAlsoIfWhoeverAskedIsGone() async throws {
        let told = Mutex<[Int64]>([])
        let store = try await SQLiteStore.open(path: path, at: openingTime) { entries, _ in
            told.withLock { $0 += entries.map(\.sequence) }
        }
        let tasks = (1...50).map { number in
            Task { try await store.insert(.example(number)) }
        }
        for task in tasks.prefix(25) { task.cancel() }
        for task in tasks { _ = await task.result }
        try await store.close()
        XCTAssertEqual(told.withLock { $0 }, Array(1...51))
        let again = try await SQLiteStore.open(path: path, at: openingTime) { entries, _ in
            told.withLock { $0 = entries.map(\.sequence) }
        }
        XCTAssertEqual(told.withLock { $0 }, [51])
        try await again.close()
    }
}
