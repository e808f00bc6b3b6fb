import SessionKill

/// One plan of an instance's history.
struct HistoryRow: Sendable {
    /// The row's id: greater for a plan that was stored later.
    let id: Int64
    let name: String
    let account: String
    let instance: InstanceID
    let preparedAt: Int64
    let expiresAt: Int64
    let state: String
    let endedAt: Int64?
    /// The task's name.
    let task: String?
    /// How many threads have each outcome; `nil` stands for none yet.
    var outcomes: [(outcome: String?, count: Int)] = []

    /// A row with the columns of `selectHistory`.
    init(_ row: borrowing Row, instance: InstanceID) throws {
        id = try row.integer("id")
        name = try row.text("name")
        account = try row.text("account")
        self.instance = instance
        preparedAt = try row.integer("prepared_at")
        expiresAt = try row.integer("expires_at")
        state = try row.text("state")
        endedAt = try row.optionalInteger("ended_at")
        task = try row.optionalText("task")
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
        guard let stored = PlanStatus(rawValue: state) else {
            throw StoreError(.damaged, "\(state) is no state of a plan")
        }
        let status = stored.asOf(time, expiresAt: UnixTime(milliseconds: expiresAt))
        return PlanSummary(
            name: PlanName(rawValue: name), account: AccountName(rawValue: account), instance: instance,
            task: task.map(KillTaskName.init), preparedAt: UnixTime(milliseconds: preparedAt), status: status,
            endedAt: endedAt.map(UnixTime.init), threadCount: outcomes.map(\.count).reduce(0, +), outcomes: counts)
    }
}
