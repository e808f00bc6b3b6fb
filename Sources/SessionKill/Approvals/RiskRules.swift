import Text

/// Grades what it costs if sessions die, from one snapshot of their server.
///
/// Whoever is protected cannot die, and whoever is not there has nothing to lose: neither raises a grade.
struct RiskRules {
    let thresholds: RiskThresholds

    /// From how many sessions on the number alone is no trifle.
    private static let fewSessions = 10
    /// How old a transaction may be, in seconds, of which nobody can tell how much it has changed.
    private static let oldestUnknown: Int64 = 60

    /// - Parameters:
    ///   - dying: those that a plan would end, in its order.
    ///   - rules: of the same snapshot.
    func assess(
        _ dying: [Session], in observation: ServerObservation, protecting rules: ProtectionRules
    ) -> RiskAssessment {
        let dying = dying.filter { rules.protection(of: $0) == nil }
        let held = observation.heldLocks.adding(observation.lockWaits)
        func threads(_ isTrue: (Session) -> Bool) -> [ThreadID] { dying.filter(isTrue).map(\.id) }
        var reasons = rowsToUndo(dying) + numbers(dying, of: observation.sessions, protecting: rules)
        func add(_ kind: RiskReason.Kind, _ grade: RiskGrade, _ threads: [ThreadID]) {
            if !threads.isEmpty { reasons.append(RiskReason(kind, grade: grade, threads: threads)) }
        }
        add(.preparedXA, .high, threads { $0.details.preparedXA != .absent })
        add(.definitionChange, .high, threads { $0.details.runningStatement == .definitionChange })
        add(.globalLock, .high, threads { held.global.contains($0.id) })
        add(.changingStatement, .medium, threads { $0.details.runningStatement == .other })
        add(.userLock, .medium, threads { held.user.contains($0.id) })
        add(.backupClient, .medium, threads { $0.identity.client?.programName?.namesABackup == true })
        return RiskAssessment(reasons: reasons)
    }

    private func rowsToUndo(_ dying: [Session]) -> [RiskReason] {
        // What a session has changed that only waits for a replica is committed and stays.
        let open = dying.compactMap { session in
            session.details.state?.isWaitForReplica == true
                ? nil : session.details.transaction.map { (thread: session.id, transaction: $0) }
        }
        var reasons: [RiskReason] = []
        let changed = open.filter { ($0.transaction.rowsModified ?? 0) > 0 }
        let rows = changed.reduce(UInt64(0)) { sum, open in
            let (sum, isBeyond) = sum.addingReportingOverflow(open.transaction.rowsModified ?? 0)
            return isBeyond ? .max : sum
        }
        if rows > 0 {
            reasons.append(
                RiskReason(
                    .rowsToUndo, grade: rows >= thresholds.rows ? .high : .medium, threads: changed.map(\.thread),
                    count: rows))
        }
        let unknown = open.filter { $0.transaction.rowsModified == nil && $0.transaction.id != nil }
        for (grade, isOld) in [(RiskGrade.high, true), (.medium, false)] {
            let threads = unknown.filter { ($0.transaction.age > Self.oldestUnknown) == isOld }.map(\.thread)
            if !threads.isEmpty { reasons.append(RiskReason(.unknownRowsToUndo, grade: grade, threads: threads)) }
        }
        return reasons
    }

    /// - Parameter sessions: all that the server lists.
    private func numbers(
        _ dying: [Session], of sessions: [Session], protecting rules: ProtectionRules
    ) -> [RiskReason] {
        guard !dying.isEmpty else { return [] }
        let count = UInt64(dying.count)
        var reasons: [RiskReason] = []
        if dying.count >= thresholds.sessions {
            reasons.append(RiskReason(.sessions, grade: .high, count: count))
        } else if dying.count > Self.fewSessions {
            reasons.append(RiskReason(.sessions, grade: .medium, count: count))
        }
        // Of those that could die: neither replicas nor killd itself are anybody's clients.
        let clients = sessions.count { rules.protection(of: $0) == nil }
        if dying.count * 4 >= clients { reasons.append(RiskReason(.shareOfSessions, grade: .high, count: count)) }
        return reasons
    }
}

extension String {
    /// Whether a client by this name is one that makes dumps or backups, such as `mysqldump` or `mariabackup`.
    fileprivate var namesABackup: Bool {
        let lowercase = [UInt8](utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 })
        return lowercase.hasBytes(of: "dump") || lowercase.hasBytes(of: "backup")
    }
}
