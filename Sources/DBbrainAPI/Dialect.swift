import FoundationEssentials
import SessionKill
import TencentCloudErrors

/// How what goes wrong in the engine is said in Tencent's dialect.
extension TencentCloudError {
    init(_ error: KillError) {
        self =
            switch error {
            case .planNotFound: .planNotFound
            case .expired(let time): .operationDenied(.expired(since: time.text))
            case .stale(.serverRestarted, let interrupted):
                .operationDenied(.serverRestarted(mayHaveKilled: interrupted))
            case .stale(.anotherServer, let interrupted):
                .operationDenied(.serverReplaced(mayHaveKilled: interrupted))
            // Until the API says how approvals stand.
            case .stale(.riskRose, _), .notPermitted: .operationDenied(.configurationChanged)
            case .planAltered: .failedOperation(.planAltered)
            case .beingCommitted: .failedOperation(.beingCommitted)
            case .notApproved(let gap):
                .operationDenied(.notYetApproved(approvals: gap.approvedBy.count, required: gap.required))
            case .decided, .decisionRefused: .operationDenied(.rejected)
            case .outcomesNotStored: .failedOperation(.outcomesNotStored)
            }
    }

    init(_ error: PreparationError) {
        func number(_ id: ThreadID) -> Int { Int(id.rawValue) }
        self =
            switch error {
            case .unknownConnectionID(let id): .unknownConnection(number(id))
            case .notPinnable(let id): .threadNotPinnable(number(id))
            case .serverSessionsUnsupported: .proxyParameter("ServerSessionIds")
            case .unknownServerSession(let id, _): .invalidValue(String(id), of: "ServerSessionIds")
            case .sessionNamedTwice(let id): .invalidValue(id.description, of: "Threads")
            case .historyNeeded: .invalidValue("false", of: "RecordHistory")
            }
    }

    init(_ error: KillTaskError) {
        self =
            switch error {
            case .duplicate: .duplicatedKillTask
            case .approvalsNeeded: .operationDenied(.notYetApproved(approvals: 0, required: 1))
            case .notFound: .killTaskNotFound
            case .cancellationNotStored: .failedOperation(.cancellationNotStored)
            }
    }

    init(_ error: StoreError) {
        self = .failedOperation(.storeUnavailable)
    }

    init(_ error: ServerError) {
        self =
            switch error.reason {
            case .unreachable, .connectionLost, .timedOut:
                .failedOperation(.serverUnreachable(words: error.description))
            case .answerTooLarge: .failedOperation(.answerTooLarge)
            case .tooManyConnections: .failedOperation(.serverFull(words: error.description))
            case .loginRefused: .failedOperation(.loginRefused(words: error.description))
            case .tlsUnavailable: .failedOperation(.tlsUnavailable(words: error.description))
            case .privilegeMissing(let privilege): .failedOperation(.privilegeMissing(privilege))
            case .behindProxy: .failedOperation(.behindProxy)
            case .unexpectedKind: .failedOperation(.unexpectedServerKind)
            case .startedMomentsAgo(let wait): .failedOperation(.serverJustStarted(wait: wait))
            case .other where error.code == 0: .failedOperation(.serverUnusable(words: error.description))
            case .other: .failedOperation(.refusedByServer(words: error.description))
            }
    }
}

extension UnixTime {
    /// The time as responses and messages write it: ISO 8601, in UTC and whole seconds.
    var text: String {
        Date(timeIntervalSince1970: Double(milliseconds) / 1_000).formatted(.iso8601)
    }
}
