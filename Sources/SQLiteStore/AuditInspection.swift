import AuditTrail
import Cryptography
import FileDescriptors
import Glibc
import Migrations
import SessionKill

/// What a store's audit proves, as far as the store itself and what is known outside tell.
public struct AuditFindings: Sendable {
    public var chain: ChainFindings
    /// Also those of the chain.
    public var faults: AuditFaults
    public var plans = 0
    /// Plans that are as their entries say.
    public var agreeingPlans = 0
    /// Plans that are older than the audit, of whose preparation there is no entry.
    public var earlierPlans = 0
    public var decisions = 0
    /// Decisions whose kept request was made for them and verifies.
    public var verifiedRequests = 0
    /// Decisions whose kept request could not be verified, and why.
    public var unprovenRequests: [UnprovenRequest] = []

    public struct UnprovenRequest: Hashable, Sendable {
        public var plan: String
        public var decision: String
        public var account: String
        public var reason: String
    }
}

/// What a request that is kept with a decision proves.
public enum RequestStanding: Hashable, Sendable {
    /// None is kept, or nobody wants to know.
    case unchecked
    case verified
    /// Nothing, and it need not be wrong.
    case unproven(String)
    case wrong(RequestFault)
}

extension SQLiteStore {
    /// Checks the audit of a store as it is at this moment, also while a killd writes to it. Changes nothing.
    ///
    /// - Parameters:
    ///   - known: heads that are known outside, read before this.
    ///   - request: what the kept request of a decision on a plan proves.
    public static func inspectAudit(
        path: String, known: [KnownHead], request: (Decision, StoredPlan) throws -> RequestStanding
    ) throws(StoreError) -> AuditFindings {
        try attempting("read the audit of \(path)") {
            let connection = try Connection.readingAudit(of: path)
            // One moment for all that is read.
            try connection.execute("BEGIN")
            var inspection = try AuditInspection(connection, known: known)
            try inspection.readEntries(on: connection)
            try inspection.checkPlans(on: connection, request)
            return try inspection.findings()
        }
    }
}

extension Connection {
    /// Opens a store whose audit is to be read.
    static func readingAudit(of path: String) throws -> Connection {
        guard access(path, F_OK) == 0 else { throw StoreError(.other, "there is no such file") }
        let file = try FileDescriptor(ofStore: path, flags: O_RDONLY)
        try StoreFile.checkDatabase(file, at: path)
        let connection = try Connection.reading(path)
        let versions = try SchemaVersions(of: connection, known: Migration.all)
        guard versions.pending.isEmpty else {
            throw StoreError(.other, "an earlier killd wrote it, and no audit; start this killd with it once")
        }
        return connection
    }
}

/// One look at an audit and at the plans that it tells of.
struct AuditInspection: ~Copyable {
    private var check: ChainCheck
    private var trails: [String: [Int64]] = [:]
    /// The entries that say which plans were deleted.
    private var pruned: [String: Int64] = [:]
    private var beginning = UnixTime(milliseconds: .min)
    private var allowedEarlierPlans = 0

    private var plans = 0
    private var agreeingPlans = 0
    private var earlierPlans = 0
    private var decisions = 0
    private var verifiedRequests = 0
    private var unprovenRequests: [AuditFindings.UnprovenRequest] = []
    private var planFaults: [(String, PlanFault)] = []
    private var hasOrphans = false
}

extension AuditInspection {
    init(_ connection: borrowing Connection, known: [KnownHead]) throws {
        check = try ChainCheck(known: known)
    }

    mutating func readEntries(on connection: borrowing Connection) throws {
        try ChainCheck.readEntries(on: connection) { entry in
            try check.add(entry)
            if let plan = entry.plan {
                trails[String(decoding: plan, as: UTF8.self), default: []].append(entry.sequence)
            }
            if entry.sequence == 1 || entry.kind.elementsEqual("pruned".utf8) { takeNote(of: entry) }
        }
    }

    private mutating func takeNote(of entry: ChainCheck.Entry) {
        guard let payload = entry.payload else { return }
        let slice = JSONSlice(String(decoding: payload, as: UTF8.self))
        if entry.sequence == 1 {
            beginning = UnixTime(milliseconds: entry.time)
            allowedEarlierPlans = Int(slice["earlierPlans"]?.integer ?? 0)
        } else if slice["of"]?.string == AuditEvent.Pruned.plans.rawValue {
            for name in slice["names"]?.strings ?? [] { pruned[name] = entry.sequence }
        }
    }

    mutating func checkPlans(
        on connection: borrowing Connection, _ request: (Decision, StoredPlan) throws -> RequestStanding
    ) throws {
        let tables = try PlanTables(on: connection)
        let selectEntry = try Statement(
            "SELECT seq, at, kind, plan, payload FROM audit_entries WHERE seq = ?", on: connection)
        let selectDecisions = try Statement("SELECT entry FROM decisions WHERE plan = ? ORDER BY id", on: connection)
        let names = try Statement("SELECT id, name, risk_grade FROM plans ORDER BY id", on: connection).rows { row in
            (id: try row.integer("id"), name: try row.text("name"), grade: try row.optionalText("risk_grade"))
        }
        plans = names.count
        for (id, name, grade) in names {
            let trail = trails.removeValue(forKey: name) ?? []
            var found: [PlanFault] = []
            if let entry = pruned[name] { found.append(.restored(entry: entry)) }
            do {
                guard let record = try tables.plan(named: PlanName(rawValue: name)) else { continue }
                let stored = try record.storedPlan()
                var entries: [TrailEntry] = []
                for sequence in trail { entries += try selectEntry.rows([.integer(sequence)]) { try TrailEntry($0) } }
                let numbers = try selectDecisions.rows([.integer(id)]) { try $0.integer("entry") }
                var planCheck = try PlanCheck(stored, record.progress, grade: grade, decisionEntries: numbers)
                if entries.first?.kind != .prepared, allowsEarlierPlan(stored) {
                    earlierPlans += 1
                    planCheck.isEarlier = true
                }
                try planCheck.run(entries)
                for (decision, entry) in planCheck.strays {
                    let other = try selectEntry.rows([.integer(entry)]) { try $0.optionalText("plan") }.first
                    found.append(
                        (other ?? nil).map {
                            .decisionCopied(
                                kind: decision.kind.rawValue, person: decision.caller.person.rawValue, from: $0)
                        }
                            ?? .decisionForged(
                                kind: decision.kind.rawValue, person: decision.caller.person.rawValue))
                }
                found += planCheck.faults
                decisions += stored.decisions.count
                for decision in stored.decisions { found += try prove(decision, on: stored, request) }
            } catch let error as CryptographyError {
                throw error
            } catch {
                found.append(.unreadable("\(error)"))
            }
            if found.isEmpty { agreeingPlans += 1 }
            planFaults += found.map { (name, $0) }
        }
        for (name, _) in trails.sorted(by: { ($0.value.first ?? 0) < ($1.value.first ?? 0) })
        where pruned[name] == nil {
            planFaults.append((name, .removed))
        }
        let orphans = try Statement(
            """
            SELECT (SELECT count(*) FROM decisions WHERE plan NOT IN (SELECT id FROM plans))
                + (SELECT count(*) FROM threads WHERE plan NOT IN (SELECT id FROM plans)) AS count
            """, on: connection
        ).rows { try $0.integer("count") }
        hasOrphans = orphans != [0]
    }

    private func allowsEarlierPlan(_ stored: StoredPlan) -> Bool {
        stored.plan.content.preparedAt <= beginning && earlierPlans < allowedEarlierPlans
    }

    private mutating func prove(
        _ decision: Decision, on stored: StoredPlan, _ request: (Decision, StoredPlan) throws -> RequestStanding
    ) throws -> [PlanFault] {
        switch try request(decision, stored) {
        case .unchecked: break
        case .verified: verifiedRequests += 1
        case .unproven(let reason):
            unprovenRequests.append(
                AuditFindings.UnprovenRequest(
                    plan: stored.plan.name.rawValue, decision: decision.kind.rawValue,
                    account: decision.caller.account.rawValue, reason: reason))
        case .wrong(let fault):
            return [.request(kind: decision.kind.rawValue, person: decision.caller.person.rawValue, fault)]
        }
        return []
    }

    consuming func findings() throws -> AuditFindings {
        let chain = check.result()
        var faults = chain.faults
        for (name, fault) in planFaults { faults.add(.plan(name, fault)) }
        if hasOrphans { faults.add(.orphans) }
        return AuditFindings(
            chain: chain, faults: faults, plans: plans, agreeingPlans: agreeingPlans, earlierPlans: earlierPlans,
            decisions: decisions, verifiedRequests: verifiedRequests, unprovenRequests: unprovenRequests)
    }
}
