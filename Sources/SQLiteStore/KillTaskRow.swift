import FoundationEssentials
import SessionKill

/// One row of `kill_tasks`.
struct KillTaskRow: Hashable, Sendable {
    /// The row's id: greater for a task that was stored later; 0 for one that is not stored yet.
    var id: Int64 = 0
    var name: String
    var account: String
    var instance: String
    var createdAt: Int64
    var endsAt: Int64?
    var host: String?
    var user: String?
    /// The databases as JSON.
    var databases: String?
    /// The commands as JSON.
    var commands: String?
    var longerThan: Int64?
    var statementPrefix: String?
    /// The keywords as JSON.
    var statementKeywords: String?
    var state = "running"
    var endedAt: Int64?
    var cancelledBy: String?
    var killedSessions: Int64 = 0
}

extension KillTaskRow {
    /// - Throws: whatever stops the encoder.
    init(_ task: KillTask) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        func json(_ texts: [String]) throws -> String { String(decoding: try encoder.encode(texts), as: UTF8.self) }
        let rule = task.rule
        self.init(
            name: task.name.rawValue, account: task.account.rawValue, instance: task.instance.rawValue,
            createdAt: task.createdAt.milliseconds, endsAt: task.endsAt?.milliseconds, host: rule.host, user: rule.user,
            databases: try rule.databases.map(json), commands: try rule.commands.map(json),
            longerThan: rule.longerThan)
        switch rule.statement {
        case .beginsWith(let prefix)?: statementPrefix = prefix
        case .containsAll(let keywords)?: statementKeywords = try json(keywords)
        case nil: break
        }
    }

    /// - Throws: ``StoreError`` of reason `damaged` or `DecodingError` if the
    ///   columns hold what the store never writes: a rule that cannot be read
    ///   wholly must not be taken for a wider one.
    func storedTask() throws -> StoredKillTask {
        let decoder = JSONDecoder()
        func texts(_ json: String?) throws -> [String]? {
            try json.map { try decoder.decode([String].self, from: Data($0.utf8)) }
        }
        let statement: KillRule.StatementCondition?
        switch (statementPrefix, try texts(statementKeywords)) {
        case (let prefix?, nil): statement = .beginsWith(prefix)
        case (nil, let keywords?): statement = .containsAll(keywords)
        case (nil, nil): statement = nil
        case (_?, _?): throw StoreError(.damaged, "\(name) has two conditions on the statement")
        }
        let rule: KillRule
        do {
            rule = try KillRule(
                host: host, user: user, databases: try texts(databases), commands: try texts(commands),
                longerThan: longerThan, statement: statement)
        } catch let error as KillRule.InvalidCondition {
            throw StoreError(.damaged, "\(name) has a condition on the \(error.condition) that makes no sense")
        }
        return StoredKillTask(
            task: KillTask(
                name: KillTaskName(rawValue: name), instance: InstanceID(rawValue: instance),
                account: AccountName(rawValue: account),
                rule: rule, createdAt: UnixTime(milliseconds: createdAt), endsAt: endsAt.map(UnixTime.init)),
            state: try taskState(), killedSessions: Int(killedSessions))
    }

    private func taskState() throws(StoreError) -> KillTaskState {
        switch (state, endedAt, cancelledBy) {
        case ("running", nil, nil): .running
        case ("expired", let time?, nil): .ended(.expired, at: UnixTime(milliseconds: time))
        case ("cancelled", let time?, let account?):
            .ended(.cancelled(by: AccountName(rawValue: account)), at: UnixTime(milliseconds: time))
        default: throw StoreError(.damaged, "the state \(state) of \(name) contradicts what stands beside it")
        }
    }
}
