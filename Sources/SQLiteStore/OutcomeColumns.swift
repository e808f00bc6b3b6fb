import SessionKill

/// An outcome as it stands in the columns `outcome`, `outcome_reason`, `server_error` and `outcome_detail`.
struct OutcomeColumns: Hashable, Sendable {
    var outcome: String
    /// Why, of `denied` and `failed`.
    var reason: String?
    /// The number of the server's error.
    var serverError: Int64?
    var detail: String?

    init(outcome: String, reason: String? = nil, serverError: Int64? = nil, detail: String? = nil) {
        self.outcome = outcome
        self.reason = reason
        self.serverError = serverError
        self.detail = detail
    }

    init(_ outcome: Outcome) {
        self.init(outcome: outcome.kind.rawValue)
        switch outcome {
        case .rollingBack(let rowsLeft): detail = String(rowsLeft)
        case .protected(let protection): detail = protection.rawValue
        case .denied(let denial):
            reason = denial.code
            if case .byServer(let message) = denial { detail = message }
        case .failed(let failure):
            reason = failure.code
            switch failure {
            case .refused(let error):
                serverError = Int64(error.code)
                detail = error.text
            case .worded(let sentence): detail = sentence
            default: break
            }
        case .killed, .gone, .replaced, .xaPrepared, .xaUnknown, .alreadyCommitted, .ended, .unknown: break
        }
    }

    /// `nil` if the columns hold what no outcome is stored as.
    var value: Outcome? {
        switch (Outcome.Kind(rawValue: outcome), reason, detail) {
        case (.killed, nil, nil): .killed
        case (.rollingBack, nil, let detail?): UInt64(detail).map(Outcome.rollingBack)
        case (.gone, nil, nil): .gone
        case (.replaced, nil, nil): .replaced
        case (.protected, nil, let detail?): Protection(rawValue: detail).map(Outcome.protected)
        case (.denied, let reason?, let detail): Outcome.Denial(code: reason, message: detail).map(Outcome.denied)
        case (.xaPrepared, nil, nil): .xaPrepared
        case (.xaUnknown, nil, nil): .xaUnknown
        case (.alreadyCommitted, nil, nil): .alreadyCommitted
        case (.failed, let reason?, let detail):
            Outcome.Failure(code: reason, serverError: serverError, text: detail).map(Outcome.failed)
        case (.ended, nil, nil): .ended
        case (.unknown, nil, nil): .unknown
        default: nil
        }
    }
}

extension Outcome.Denial {
    fileprivate var code: String {
        switch self {
        case .byServer: "by-server"
        case .ownSessionsOnly: "own-sessions-only"
        case .untold: "untold"
        }
    }

    fileprivate init?(code: String, message: String?) {
        switch (code, message) {
        case ("by-server", let message?): self = .byServer(message: message)
        case ("own-sessions-only", nil): self = .ownSessionsOnly
        case ("untold", nil): self = .untold
        default: return nil
        }
    }
}

extension Outcome.Failure {
    fileprivate var code: String {
        switch self {
        case .outlivedKill: "outlived-kill"
        case .outlivedKillCommitted: "outlived-kill-committed"
        case .refused: "refused"
        case .unkillable: "unkillable"
        case .notFoundByGuard: "not-found-by-guard"
        case .connectionBroke: "connection-broke"
        case .planExpired: "plan-expired"
        case .taskRevoked: "task-revoked"
        case .noLongerMatched: "no-longer-matched"
        case .notPermitted(.instanceNotConfigured): "instance-not-configured"
        case .notPermitted(.anotherServer): "another-server"
        case .notPermitted(.accountNotConfigured): "account-not-configured"
        case .notPermitted(.notPermitted): "not-permitted"
        case .notPermitted(.approvalsNeeded): "approvals-needed"
        case .sparedByInterruptedCommit: "spared-by-interrupted-commit"
        case .taskInterrupted: "task-interrupted"
        case .loginRefused: "login-refused"
        case .unknownConnection: "unknown-connection"
        case .notPinnable: "not-pinnable"
        case .worded: "worded"
        }
    }

    /// Those that are told by their code alone.
    private static let byCode: [String: Self] = {
        let simple: [Self] =
            [
                .outlivedKill, .outlivedKillCommitted, .unkillable, .notFoundByGuard, .connectionBroke, .planExpired,
                .taskRevoked, .noLongerMatched, .sparedByInterruptedCommit, .taskInterrupted, .loginRefused,
                .unknownConnection, .notPinnable,
            ] + KillObstacle.allCases.map(Self.notPermitted)
        return Dictionary(simple.map { ($0.code, $0) }, uniquingKeysWith: { first, _ in first })
    }()

    fileprivate init?(code: String, serverError: Int64?, text: String?) {
        switch (code, serverError.flatMap(UInt32.init(exactly:)), text) {
        case ("refused", let number?, let text?): self = .refused(ServerMessage(code: number, text: text))
        case ("worded", nil, let text?): self = .worded(text)
        case (_, nil, nil):
            guard let failure = Self.byCode[code] else { return nil }
            self = failure
        default: return nil
        }
    }
}
