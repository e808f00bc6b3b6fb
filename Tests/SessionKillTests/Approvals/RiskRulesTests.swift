@testable import SessionKill
import XCTest

/// What it costs if sessions die, from snapshots that are given.
final class RiskRulesTests: XCTestCase {
    private func assess(
        _ dying: [Session], among others: Int = 100, locks: LockWaits = LockWaits(), held: HeldLocks = HeldLocks(),
        protectedUsers: Set<String> = ["monitor"], thresholds: RiskThresholds = RiskThresholds()
    ) -> RiskAssessment {
        let bystanders = (0..<others).map { Session.idle(UInt32(10_000 + $0)) }
        let observation = ServerObservation(
            fingerprint: ServerFingerprint(
                uniqueID: "u", hostname: "h", port: 1, serverID: 1, version: "9.7", startedAt: 1, connectionCount: 1),
            sessions: dying + bystanders, ownThreadIDs: [], lockWaits: locks, heldLocks: held)
        return RiskRules(thresholds: thresholds).assess(
            dying, in: observation,
            protecting: ProtectionRules(protectedUsers: protectedUsers, ownThreadIDs: []))
    }

    private func session(
        _ id: UInt32, user: String = "app", rows: UInt64?? = nil, age: Int64 = 1, statement: String? = nil,
        command: String = "Query", state: String? = nil, xa: PreparedXA = .absent, program: String? = nil
    ) -> Session {
        var session = Session.idle(id, user: user, command: statement == nil ? "Sleep" : command)
        session.details.statement = statement
        session.details.state = state
        session.details.preparedXA = xa
        if let program { session.identity.client = ClientAttributes(programName: program, processID: nil) }
        if let rows {
            session.details.transaction = Transaction(id: "7", age: age, rowsModified: rows, state: "RUNNING")
        }
        return session
    }

    private func reasons(_ assessment: RiskAssessment) -> [String] {
        assessment.reasons.map { reason in
            let threads = reason.threads.map(\.description).joined(separator: ",")
            return "\(reason.grade.rawValue) \(reason.kind.rawValue) \(threads) \(reason.count.map(String.init) ?? "")"
        }
    }

    func testWhoSleepsWithoutChangesOrReadsCostsNothing() {
        let assessment = assess([session(1), session(2, rows: 0), session(3, statement: "SELECT * FROM orders")])
        XCTAssertEqual(assessment.grade, .low)
        XCTAssertEqual(assessment.reasons, [])
    }

    func testRowsToUndoOfAllSessionsTogetherGradeThePlan() {
        XCTAssertEqual(reasons(assess([session(1, rows: 1)])), ["medium rows-to-undo 1 1"])
        XCTAssertEqual(
            reasons(assess([session(1, rows: 99_998), session(2, rows: 1)])), ["medium rows-to-undo 1,2 99999"])
        XCTAssertEqual(
            reasons(assess([session(1, rows: 99_998), session(2, rows: 2), session(3)])),
            ["high rows-to-undo 1,2 100000"])
        XCTAssertEqual(
            reasons(assess([session(1, rows: .max), session(2, rows: 2)])), ["high rows-to-undo 1,2 \(UInt64.max)"])
        XCTAssertEqual(assess([session(1, rows: 10)], thresholds: RiskThresholds(rows: 10)).grade, .high)
    }

    func testRowsThatTheServerDoesNotTellAreHighInAnOldTransaction() {
        XCTAssertEqual(
            reasons(assess([session(1, rows: .some(nil), age: 61)])), ["high unknown-rows-to-undo 1 "])
        XCTAssertEqual(
            reasons(assess([session(1, rows: .some(nil), age: 60)])), ["medium unknown-rows-to-undo 1 "])
        var readOnly = session(1, rows: .some(nil), age: 900)
        readOnly.details.transaction?.id = nil
        XCTAssertEqual(assess([readOnly]).grade, .low)
    }

    func testWhatIsCommittedAndOnlyWaitsForAReplicaIsNotUndone() {
        let waiting = session(
            1, rows: 500_000, statement: "COMMIT", state: "Waiting for semi-sync ACK from replica")
        XCTAssertEqual(reasons(assess([waiting])), ["medium changing-statement 1 "])
    }

    func testAPreparedTransactionOrPerhapsOneIsHigh() {
        XCTAssertEqual(reasons(assess([session(1, xa: .present)])), ["high prepared-xa 1 "])
        XCTAssertEqual(reasons(assess([session(1, xa: .unknown), session(2)])), ["high prepared-xa 1 "])
    }

    func testDefinitionChangesAreHighByTheirTextOrTheirState() {
        XCTAssertEqual(
            reasons(assess([session(1, statement: "ALTER TABLE t ADD INDEX (a)")])), ["high definition-change 1 "])
        for state in ["altering table", "copy to tmp table", "Repair by sorting", "Creating index"] {
            XCTAssertEqual(assess([session(1, statement: "CALL nightly()", state: state)]).grade, .high, state)
        }
    }

    func testAStatementThatIsNoPlainReadIsMedium() {
        XCTAssertEqual(
            reasons(assess([session(1, statement: "UPDATE t SET a = 1")])), ["medium changing-statement 1 "])
        // Of a statement that the server does not show nobody knows what it is.
        var untold = session(1)
        untold.details.command = "Query"
        XCTAssertEqual(reasons(assess([untold])), ["medium changing-statement 1 "])
        // The end that is not there may be FOR UPDATE.
        var cut = session(1, statement: "SELECT * FROM t WHERE a IN (1, 2")
        cut.details.statementLength = 9_000
        XCTAssertEqual(reasons(assess([cut])), ["medium changing-statement 1 "])
    }

    func testManySessionsAndAQuarterOfAllAreGrave() {
        func idle(_ count: Int) -> [Session] { (1...count).map { session(UInt32($0)) } }
        XCTAssertEqual(reasons(assess(idle(10))), [])
        XCTAssertEqual(reasons(assess(idle(11))), ["medium sessions  11"])
        XCTAssertEqual(reasons(assess(idle(49), among: 1_000)), ["medium sessions  49"])
        XCTAssertEqual(reasons(assess(idle(50), among: 1_000)), ["high sessions  50"])
        XCTAssertEqual(reasons(assess(idle(2), among: 7)), [])
        XCTAssertEqual(reasons(assess(idle(2), among: 6)), ["high share-of-sessions  2"])
        XCTAssertEqual(assess(idle(3), among: 1_000, thresholds: RiskThresholds(sessions: 3)).grade, .high)
    }

    func testProtectedSessionsNeitherGradeNorCountAsClients() {
        let replica = session(1, user: "repl", rows: 500_000, statement: "x", command: "Binlog Dump GTID")
        let monitor = session(2, user: "monitor", rows: 500_000, statement: "DROP TABLE t", xa: .present)
        XCTAssertEqual(
            assess([replica, monitor], held: HeldLocks(global: [1, 2], user: [1, 2])).reasons, [])
        // Three protected ones beside: one of four clients is a quarter, not one of seven.
        let protected = (2...4).map { session(UInt32($0), user: "monitor") }
        XCTAssertEqual(reasons(assess([session(1)] + protected, among: 3)), ["high share-of-sessions  1"])
    }

    func testGlobalLocksAreHighAndNamedOnesMediumWhetherAnybodyWaitsOrNot() {
        XCTAssertEqual(reasons(assess([session(1)], held: HeldLocks(global: [1, 9]))), ["high global-lock 1 "])
        XCTAssertEqual(reasons(assess([session(1)], held: HeldLocks(user: [1, 9]))), ["medium user-lock 1 "])
        func waits(_ kind: Lock.Kind, _ object: String, _ mode: String) -> LockWaits {
            LockWaits(known: [LockWait(waiter: 10_001, holder: 1, lock: Lock(kind: kind, object: object, mode: mode))])
        }
        for (object, mode, grade) in [
            ("GLOBAL", "SHARED", RiskGrade.high), ("BACKUP LOCK", "SHARED", .high), ("BACKUP", "BACKUP_FTWRL2", .high),
            // Whoever writes holds these.
            ("GLOBAL", "INTENTION_EXCLUSIVE", .low), ("BACKUP", "BACKUP_TRANS_DML", .low), ("d.t", "SHARED", .low),
        ] {
            XCTAssertEqual(
                assess([session(1)], locks: waits(.metadata, object, mode)).grade, grade, "\(object) \(mode)")
        }
        XCTAssertEqual(assess([session(1)], locks: waits(.user, "nightly", "EXCLUSIVE")).grade, .medium)
    }

    func testAClientThatCallsItselfADumpOrABackupIsMedium() {
        for program in ["mysqldump", "mariadb-dump", "MariaBackup", "xtrabackup", "mydumper"] {
            XCTAssertEqual(reasons(assess([session(1, program: program)])), ["medium backup-client 1 "], program)
        }
        XCTAssertEqual(assess([session(1, program: "mysql")]).grade, .low)
    }

    func testEveryReasonIsToldAndTheHighestDecides() {
        let assessment = assess(
            [session(1, rows: 5, statement: "DELETE FROM t"), session(2, statement: "OPTIMIZE TABLE t")],
            held: HeldLocks(user: [1]))
        XCTAssertEqual(assessment.grade, .high)
        XCTAssertEqual(
            reasons(assessment),
            [
                "high definition-change 2 ", "medium rows-to-undo 1 5", "medium changing-statement 1 ",
                "medium user-lock 1 ",
            ])
    }
}
