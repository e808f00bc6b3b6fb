import SessionKill

/// One plan of a list.
struct SummaryRow: Sendable {
    /// The row's id: greater for a plan that was stored later.
    let id: Int64
    let name: String
    let account: String
    let instance: InstanceID
    let preparedAt: Int64
    let expiresAt: Int64
    /// As it is stored.
    let state: String
    let endedAt: Int64?
    let requestedBy: String?
    let reason: String?
    let riskGrade: String?
    let required: Int64
    let approvableUntil: Int64?
    let commitWithin: Int64?
    let digest: String
    /// The task's name.
    let task: String?
    var decisions: [Decision] = []
    /// How many threads have each outcome; `nil` stands for none yet.
    var outcomes: [(outcome: String?, count: Int)] = []

    /// A row with the columns of ``PlanLists``.
    init(_ row: borrowing Row, _ instance: InstanceID) throws {
        id = try row.integer("id")
        name = try row.text("name")
        account = try row.text("account")
        self.instance = instance
        preparedAt = try row.integer("prepared_at")
        expiresAt = try row.integer("expires_at")
        state = try row.text("state")
        endedAt = try row.optionalInteger("ended_at")
        requestedBy = try row.optionalText("requested_by")
        reason = try row.optionalText("reason")
        riskGrade = try row.optionalText("risk_grade")
        required = try row.integer("required")
        approvableUntil = try row.optionalInteger("approvable_until")
        commitWithin = try row.optionalInteger("commit_within")
        digest = try row.text("digest")
        task = try row.optionalText("task")
    }

    private var approvals: [Decision] { decisions.filter { $0.kind == .approved && $0.digest == digest } }

    /// How its approvals stand; `nil` if it is not prepared any more.
    private func standing(at time: UnixTime) -> ReviewStanding? {
        guard state == PlanStatus.prepared.rawValue else { return nil }
        return ReviewStanding(
            required: Int(required), approvedAt: approvals.map(\.time),
            approvableUntil: UnixTime(milliseconds: approvableUntil ?? expiresAt),
            commitWithin: Int(commitWithin ?? 0), expiresAt: UnixTime(milliseconds: expiresAt), at: time)
    }

    /// - Throws: ``StoreError`` of reason `damaged` if the state is none.
    func status(at time: UnixTime) throws(StoreError) -> PlanStatus {
        guard let stored = PlanStatus(rawValue: state) else {
            throw StoreError(.damaged, "\(state) is no state of a plan")
        }
        return standing(at: time).map(PlanStatus.init) ?? stored
    }

    /// - Throws: ``StoreError`` of reason `damaged` if the columns hold what the
    ///   store never writes.
    func summary(at time: UnixTime) throws(StoreError) -> PlanSummary {
        var counts: [Outcome.Kind: Int] = [:]
        for case let (outcome?, count) in outcomes {
            guard let kind = Outcome.Kind(rawValue: outcome) else {
                throw StoreError(.damaged, "\(outcome) is no outcome")
            }
            counts[kind] = count
        }
        var risk: RiskGrade?
        if let riskGrade {
            risk = RiskGrade(rawValue: riskGrade)
            guard risk != nil else { throw StoreError(.damaged, "\(riskGrade) is no grade") }
        }
        return PlanSummary(
            name: PlanName(rawValue: name), account: AccountName(rawValue: account), instance: instance,
            task: task.map(KillTaskName.init), preparedAt: UnixTime(milliseconds: preparedAt),
            status: try status(at: time), endedAt: endedAt.map(UnixTime.init),
            threadCount: outcomes.map(\.count).reduce(0, +), outcomes: counts,
            requestedBy: requestedBy.map(PersonName.init), reason: reason, risk: risk, required: Int(required),
            approvals: approvals.map(\.caller.person), approvableUntil: approvableUntil.map(UnixTime.init),
            deadline: standing(at: time)?.deadline, brokeGlass: decisions.contains { $0.kind == .brokeGlass },
            reviewed: decisions.contains { $0.kind == .reviewed })
    }
}
