import Text

/// Which sessions a kill task ends: those for which every condition holds that
/// is there.
///
/// Without any condition that is every session. So an empty condition cannot be
/// made: taken for none, it would widen the rule to everybody.
public struct KillRule: Hashable, Sendable {
    /// The client's address as the server shows it, without its port; with it,
    /// unless the address is one of IPv6, where the two cannot be told apart.
    public let host: String?
    public let user: String?
    /// The session is in one of them.
    public let databases: [String]?
    /// What the session does is one of them, ASCII letters of either case alike.
    public let commands: [String]?
    /// The time in the present state is greater than this, in seconds.
    public let longerThan: Int64?
    public let statement: StatementCondition?

    /// What is asked of the statement that the session runs.
    public enum StatementCondition: Hashable, Sendable {
        case beginsWith(String)
        case containsAll([String])
    }

    public enum Condition: Hashable, Sendable {
        case host, user, databases, commands, longerThan, statement
    }

    /// The condition is empty, or far larger than any that makes sense.
    public struct InvalidCondition: Error, Hashable, Sendable {
        public let condition: Condition

        public init(condition: Condition) { self.condition = condition }
    }

    /// The most bytes of one text.
    public static let longestText = 4_096
    /// The most members of one list.
    public static let longestList = 100

    /// - Throws: ``InvalidCondition`` for the first text that is empty or blank
    ///   or has more than ``longestText`` bytes, the first list that is empty or
    ///   has more than ``longestList`` members, and a negative time, which every
    ///   session exceeds.
    public init(
        host: String? = nil, user: String? = nil, databases: [String]? = nil, commands: [String]? = nil,
        longerThan: Int64? = nil, statement: StatementCondition? = nil
    ) throws(InvalidCondition) {
        func check(_ texts: [String]?, _ condition: Condition) throws(InvalidCondition) {
            guard let texts else { return }
            guard (1...Self.longestList).contains(texts.count), texts.allSatisfy(Self.isSensible) else {
                throw InvalidCondition(condition: condition)
            }
        }
        try check(host.map { [$0] }, .host)
        try check(user.map { [$0] }, .user)
        try check(databases, .databases)
        try check(commands, .commands)
        guard longerThan.map({ $0 >= 0 }) ?? true else { throw InvalidCondition(condition: .longerThan) }
        switch statement {
        case .beginsWith(let prefix)?: try check([prefix], .statement)
        case .containsAll(let keywords)?: try check(keywords, .statement)
        case nil: break
        }
        self.host = host
        self.user = user
        self.databases = databases
        self.commands = commands
        self.longerThan = longerThan
        self.statement = statement
    }

    private static func isSensible(_ text: String) -> Bool {
        text.utf8.count <= longestText && !text.unicodeScalars.allSatisfy(\.properties.isWhitespace)
    }

    /// Whether every condition holds for a session.
    ///
    /// What the server does not say of a session fulfils no condition.
    public func matches(_ session: Session) -> Bool {
        let details = session.details
        return host.map { session.identity.comesFrom($0) } != false
            && user.map { $0.isSame(as: session.identity.user) } != false
            && databases.map { $0.contains { details.database?.isSame(as: $0) == true } } != false
            && commands.map { $0.contains { details.command.utf8.isSameWord(as: $0) } } != false
            && longerThan.map { details.hasLasted(longerThan: $0) } != false
            && statement.map { $0.holds(for: details.statement) } != false
    }
}

extension KillRule.StatementCondition {
    fileprivate func holds(for statement: String?) -> Bool {
        guard let statement else { return false }
        switch self {
        case .beginsWith(let prefix): return statement.utf8.starts(with: prefix.utf8)
        case .containsAll(let keywords): return keywords.allSatisfy { statement.hasBytes(of: $0) }
        }
    }
}

extension SessionDetails {
    /// A session that has not logged in has no time. One that began in the same
    /// moment in which the server read its clock can have a time below zero,
    /// which servers have shown as 2^32 - 1 or 2^64 - 1.
    fileprivate func hasLasted(longerThan limit: Int64) -> Bool {
        guard let seconds, seconds <= Self.longestCredibleTime else { return false }
        return seconds > limit
    }

    /// 68 years.
    private static let longestCredibleTime = Int64(Int32.max)
}
