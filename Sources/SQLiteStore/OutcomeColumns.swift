import SessionKill

/// An outcome as it stands in the columns `outcome` and `outcome_detail`.
struct OutcomeColumns: Hashable, Sendable {
    var outcome: String
    var detail: String?

    init(outcome: String, detail: String?) {
        self.outcome = outcome
        self.detail = detail
    }

    init(_ outcome: Outcome) {
        switch outcome {
        case .killed: self.init(outcome: "killed", detail: nil)
        case .rollingBack(let rowsLeft): self.init(outcome: "rolling-back", detail: String(rowsLeft))
        case .gone: self.init(outcome: "gone", detail: nil)
        case .replaced: self.init(outcome: "replaced", detail: nil)
        case .protected(let protection): self.init(outcome: "protected", detail: protection.columnValue)
        case .denied: self.init(outcome: "denied", detail: nil)
        case .xaPrepared: self.init(outcome: "xa-prepared", detail: nil)
        case .failed(let reason): self.init(outcome: "failed", detail: reason)
        case .unknown: self.init(outcome: "unknown", detail: nil)
        }
    }

    /// `nil` if the columns hold what no outcome is stored as.
    var value: Outcome? {
        switch (outcome, detail) {
        case ("killed", nil): .killed
        case ("rolling-back", let detail?): UInt64(detail).map(Outcome.rollingBack)
        case ("gone", nil): .gone
        case ("replaced", nil): .replaced
        case ("protected", let detail?): Protection(columnValue: detail).map(Outcome.protected)
        case ("denied", nil): .denied
        case ("xa-prepared", nil): .xaPrepared
        case ("failed", let detail?): .failed(detail)
        case ("unknown", nil): .unknown
        default: nil
        }
    }
}

extension Protection {
    fileprivate var columnValue: String {
        switch self {
        case .ownConnection: "own-connection"
        case .replication: "replication"
        case .systemThread: "system-thread"
        case .eventScheduler: "event-scheduler"
        case .protectedUser: "protected-user"
        }
    }

    fileprivate init?(columnValue: String) {
        switch columnValue {
        case "own-connection": self = .ownConnection
        case "replication": self = .replication
        case "system-thread": self = .systemThread
        case "event-scheduler": self = .eventScheduler
        case "protected-user": self = .protectedUser
        default: return nil
        }
    }
}

extension StaleReason {
    var columnValue: String {
        switch self {
        case .anotherServer: "another-server"
        case .serverRestarted: "server-restarted"
        }
    }

    init?(columnValue: String) {
        switch columnValue {
        case "another-server": self = .anotherServer
        case "server-restarted": self = .serverRestarted
        default: return nil
        }
    }
}
