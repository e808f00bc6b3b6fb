import SessionKill

/// One plan of a list.
struct SummaryRow: Sendable {
    /// The row's id: greater for a plan that was stored later.
    let id: Int64
    let preparedAt: Int64
    let reason: String?
    let endedAt: Int64?
    /// Its decisions are read later.
    var outline: PlanOutline
    /// How many threads have each, of those that have one.
    var outcomes: [String: Int] = [:]
    var threadCount = 0

    /// A row with the columns of ``PlanLists``.
    ///
    /// - Throws: ``StoreError`` of reason `damaged` if it holds what the store never writes.
    init(_ row: borrowing Row, _ instance: InstanceID) throws {
        id = try row.integer("id")
        preparedAt = try row.integer("prepared_at")
        reason = try row.optionalText("reason")
        endedAt = try row.optionalInteger("ended_at")
        let state = try row.text("state")
        guard let stored = PlanStatus(rawValue: state) else {
            throw StoreError(.damaged, "\(state) is no state of a plan")
        }
        outline = PlanOutline(
            name: PlanName(rawValue: try row.text("name")), account: AccountName(rawValue: try row.text("account")),
            preparer: PersonName(rawValue: try row.text("person")), instance: instance,
            task: try row.optionalText("task").map(KillTaskName.init),
            requestedBy: try row.optionalText("requested_by").map(PersonName.init),
            // No list has others.
            recordHistory: true, expiresAt: UnixTime(milliseconds: try row.integer("expires_at")),
            terms: try PlanOutline.Terms(row), digest: try row.text("digest"), state: stored, decisions: [])
    }

    /// - Throws: ``StoreError`` of reason `damaged` if the columns hold what the
    ///   store never writes.
    func summary(at time: UnixTime) throws(StoreError) -> PlanSummary {
        var counts: [Outcome.Kind: Int] = [:]
        for (outcome, count) in outcomes {
            guard let kind = Outcome.Kind(rawValue: outcome) else {
                throw StoreError(.damaged, "\(outcome) is no outcome")
            }
            counts[kind] = count
        }
        return PlanSummary(
            outline, preparedAt: UnixTime(milliseconds: preparedAt), reason: reason,
            endedAt: endedAt.map(UnixTime.init), threadCount: threadCount, outcomes: counts, at: time)
    }
}

extension PlanOutline.Terms {
    /// `nil` if the row has none.
    fileprivate init?(_ row: borrowing Row) throws {
        guard let until = try row.optionalInteger("approvable_until") else { return nil }
        var grade: RiskGrade?
        if let text = try row.optionalText("risk_grade") {
            grade = RiskGrade(rawValue: text)
            guard grade != nil else { throw StoreError(.damaged, "\(text) is no grade") }
        }
        self.init(
            grade: grade, required: Int(try row.integer("required")),
            approvableUntil: UnixTime(milliseconds: until), commitWithin: Int(try row.integer("commit_within")))
    }
}
