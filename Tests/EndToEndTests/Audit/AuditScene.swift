import AuditTrail
import Foundation
import SQLiteStore
import SessionKill
import TestSupport
import XCTest

/// A store with an audit, its heads outside, and the programs by which somebody forges and somebody checks.
struct AuditScene {
    let folder: TestFolder
    var store: String { folder.file("killd.sqlite") }
    /// Heads as killd's log has them.
    let log: String
    static let start = UnixTime(milliseconds: 1_790_000_000_000)

    /// Two plans that bob and carol approved: plan-1, which was committed, and plan-2. Then plan-3, rejected.
    init() async throws {
        folder = try TestFolder()
        log = folder.file("killd.log")
        let store = try await SQLiteStore.open(path: folder.file("killd.sqlite"), at: Self.start)
        try await Self.fill(store)
        try await store.close()
        try writeLog()
    }

    /// A copy of a store in use.
    init(copying killd: KilldProcess) throws {
        folder = try TestFolder()
        log = folder.file("killd.log")
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(
                atPath: killd.storeFile + suffix, toPath: folder.file("killd.sqlite" + suffix))
        }
    }

    /// Has the entry of a decision name the request that is kept with it now, as a forger does.
    func signAnew(_ decision: Int) async throws {
        let row = try XCTUnwrap(
            rows(
                """
                SELECT entry, request, json_extract(payload, '$.signature') FROM decisions JOIN audit_entries ON seq = entry
                WHERE id = \(decision)
                """
            ).first)
        try await forge(
            """
            UPDATE audit_entries SET payload = replace(payload, '\(row[2])', '\(try AuditChain.payloadHash(row[1]))')
            WHERE seq = \(row[0])
            """)
    }

    static func fill(_ store: SQLiteStore) async throws {
        for number in 1...3 {
            let plan = plan(number)
            try await store.insert(plan, by: Caller(AccountName(rawValue: "ci")))
            let digest = try plan.digest()
            guard number < 3 else {
                _ = try await store.record(
                    Decision(
                        .rejected, by: Caller(AccountName(rawValue: "bob")), at: start, comment: "no", digest: digest),
                    on: plan.name)
                break
            }
            var approvals: [Decision] = []
            for name in ["bob", "carol"] {
                let decision = Decision(
                    .approved, by: Caller(AccountName(rawValue: name)), at: start.advanced(bySeconds: number),
                    digest: digest)
                _ = try await store.record(decision, on: plan.name)
                approvals.append(decision)
            }
            guard number == 1 else { continue }
            let claim = PlanClaim(
                intended: plan.content.threads.map(\.id), caller: Caller(AccountName(rawValue: "ci")), digest: digest,
                approvals: approvals,
                time: start.advanced(bySeconds: 2))
            guard case .claimed = try await store.claim(plan.name, claim) else { return XCTFail("not claimed") }
            let outcomes = [plan.content.threads[0].id: Outcome.killed, plan.content.threads[1].id: .gone]
            try await store.finish(
                plan.name, as: .committed, outcomes: outcomes, at: start.advanced(bySeconds: 2))
        }
    }

    static func plan(_ number: Int) -> KillPlan {
        KillPlan(
            name: PlanName(rawValue: "plan-\(number)"), sqlExecID: SqlExecID(rawValue: "ticket\(number)"),
            content: KillPlan.Content(
                account: AccountName(rawValue: "ci"), instance: InstanceID(rawValue: "cdb-1"), preparedAt: start,
                expiresAt: start.advanced(bySeconds: 600), recordHistory: true,
                fingerprint: ServerFingerprint(
                    uniqueID: "3a9f", hostname: "db1", port: 3306, serverID: 1, version: "9.7.4",
                    startedAt: 1_700_000_000, connectionCount: 500),
                threads: [11, 12].compactMap { ThreadID($0) }.map { id in
                    PinnedThread(
                        PinnedSession(
                            identity: SessionIdentity(id: id, user: "app", host: "10.0.0.7:40\(id)"), details: nil))
                },
                requestedBy: PersonName(rawValue: "dan"), reason: "stuck",
                review: ReviewTerms(
                    risk: RiskAssessment(reasons: []), required: 2,
                    approvableUntil: start.advanced(bySeconds: 600), commitWithin: 300)))
    }

    /// Writes what killd's log would have of every entry.
    func writeLog() throws {
        let lines = try rows("SELECT seq, hash FROM audit_entries ORDER BY seq").map { row in
            #"{"level":"info","message":"audit entry","audit":"\#(row[0])","hash":"\#(row[1])"}"#
        }
        try folder.write(Data((lines.joined(separator: "\n") + "\n").utf8), to: "killd.log")
    }

    func rows(_ sql: String) throws -> [[String]] {
        try StoreReader(store).texts(sql)
    }

    /// Has the sqlite3 program change the store, as somebody does who has the file: what is there against accidents is
    /// dropped first.
    func forge(_ sql: String, file: StaticString = #filePath, line: UInt = #line) async throws {
        let forger = try await FinishedProgram.run(
            "/usr/bin/sqlite3",
            [
                store,
                """
                DROP TRIGGER IF EXISTS audit_entries_stay; DROP TRIGGER IF EXISTS audit_entries_are_not_changed;
                PRAGMA foreign_keys = OFF; \(sql)
                """,
            ])
        XCTAssertEqual(forger.status, 0, forger.error, file: file, line: line)
    }

    /// Makes the hashes anew from an entry on, as a forger does.
    func rehash(from first: Int64) async throws {
        var previous = AuditChain.firstPrevious
        var changes: [String] = []
        for row in try rows("SELECT seq, payload, hash FROM audit_entries ORDER BY seq") {
            let sequence = try XCTUnwrap(Int64(row[0]))
            guard sequence >= first else {
                previous = row[2]
                continue
            }
            let payload = try AuditChain.payloadHash(row[1])
            previous = try AuditChain.hash(sequence: sequence, previous: previous, payloadHash: payload)
            changes.append(
                "UPDATE audit_entries SET payload_sha256 = '\(payload)', hash = '\(previous)' WHERE seq = \(sequence);")
        }
        try await forge(changes.joined())
    }

    func verify(_ arguments: [String] = []) async throws -> FinishedProgram {
        try await KilldProcess.run(["audit", "verify", "--store", store] + arguments)
    }

    /// Checks that the real program finds something, and what it says of it.
    func assertFound(
        _ words: String, _ arguments: [String] = [], file: StaticString = #filePath, line: UInt = #line
    ) async throws {
        let found = try await verify(arguments)
        XCTAssertEqual(found.status, 1, found.output + found.error, file: file, line: line)
        XCTAssertTrue(found.output.contains("BROKEN   \(words)"), found.output + found.error, file: file, line: line)
    }
}
