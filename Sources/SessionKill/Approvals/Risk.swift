import Text

/// What it costs if the sessions of a plan die.
public enum RiskGrade: String, Hashable, Sendable, CaseIterable, Codable {
    /// They sleep without changes, or read.
    case low
    case medium
    case high
}

extension RiskGrade: Comparable {
    public static func < (lower: RiskGrade, higher: RiskGrade) -> Bool { lower.order < higher.order }

    private var order: Int {
        switch self {
        case .low: 0
        case .medium: 1
        case .high: 2
        }
    }
}

/// Why a plan has its grade, or would have one as high without what is told beside.
public struct RiskReason: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, CaseIterable, Codable {
        /// ``count`` rows have to be undone.
        case rowsToUndo = "rows-to-undo"
        /// How many rows have to be undone the server does not tell, of transactions older than a minute.
        case unknownRowsToUndo = "unknown-rows-to-undo"
        /// A prepared XA transaction, or perhaps one.
        case preparedXA = "prepared-xa"
        /// DDL, `REPAIR`, `OPTIMIZE`, `LOAD` or an index build runs.
        case definitionChange = "definition-change"
        /// ``count`` sessions, so many that the number alone has this grade.
        case sessions
        /// ``count`` sessions, a quarter of all client sessions or more.
        case shareOfSessions = "share-of-sessions"
        /// A global read lock or a backup lock.
        case globalLock = "global-lock"
        /// A lock taken by `GET_LOCK`.
        case userLock = "user-lock"
        /// A statement runs that is not a plain read, or of which that is not known.
        case changingStatement = "changing-statement"
        /// The client calls itself a dump or a backup.
        case backupClient = "backup-client"
    }

    public var kind: Kind
    /// The grade that this reason alone has.
    public var grade: RiskGrade
    /// Whom it is true of, in the order of the plan; empty where it is true of the whole.
    public var threads: [ThreadID]
    /// Rows or sessions, for the kinds that say so.
    public var count: UInt64?

    public init(_ kind: Kind, grade: RiskGrade, threads: [ThreadID] = [], count: UInt64? = nil) {
        self.kind = kind
        self.grade = grade
        self.threads = threads
        self.count = count
    }
}

/// A grade and every reason for it: the highest reason decides.
public struct RiskAssessment: Hashable, Sendable, Codable {
    /// The gravest first.
    public let reasons: [RiskReason]

    public init(reasons: [RiskReason]) {
        // A stable order by grade: reasons of one grade stay as they were found.
        self.reasons = RiskGrade.allCases.reversed().flatMap { grade in reasons.filter { $0.grade == grade } }
    }

    public var grade: RiskGrade { reasons.first?.grade ?? .low }
}

extension RiskReason: CustomStringConvertible {
    /// The reason in a few words, with the threads of which it is true: `1,203,004 rows to undo (12)`.
    public var description: String {
        guard !threads.isEmpty else { return words }
        let named = threads.prefix(Self.mostNamed).map(\.description).joined(separator: ", ")
        let more = threads.count > Self.mostNamed ? ", and \(threads.count - Self.mostNamed) more" : ""
        return "\(words) (\(named)\(more))"
    }

    /// What is so, without of which sessions.
    public var words: String {
        let count = count ?? 0
        return switch kind {
        case .rowsToUndo: "\(count.counted("row")) to undo"
        case .unknownRowsToUndo where grade == .high:
            "an unknown number of rows to undo, of a transaction older than a minute"
        case .unknownRowsToUndo: "an unknown number of rows to undo"
        case .preparedXA: "a prepared XA transaction, or perhaps one"
        case .definitionChange: "DDL, REPAIR, OPTIMIZE, LOAD or an index build runs"
        case .sessions: count.counted("session")
        case .shareOfSessions: "\(count.counted("session")), a quarter of all or more"
        case .globalLock: "holds a global read lock or backup lock"
        case .userLock: "holds a lock of GET_LOCK"
        case .changingStatement: "a statement runs that is not a plain read"
        case .backupClient: "a client that calls itself a dump or backup"
        }
    }

    private static let mostNamed = 10
}
