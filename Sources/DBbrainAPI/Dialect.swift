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
            case .stale(.riskRose, let interrupted): .operationDenied(.riskRose(mayHaveKilled: interrupted))
            case .notPermitted: .operationDenied(.configurationChanged)
            case .planAltered: .failedOperation(.planAltered)
            case .beingCommitted: .failedOperation(.beingCommitted)
            case .notApproved(let gap):
                .operationDenied(.notYetApproved(MissingApprovals(gap)))
            case .decided(let state, let time, let caller):
                .operationDenied(.decided(state: state.rawValue, since: time.text, by: caller?.person.rawValue))
            case .decisionRefused(let obstacle): TencentCloudError(obstacle)
            case .outcomesNotStored: .failedOperation(.outcomesNotStored)
            }
    }

    /// - Parameter obstacle: what it says of a reason is of one that the API did not check before.
    private init(_ obstacle: ReviewObstacle) {
        self =
            switch obstacle {
            case .ownPlan: .operationDenied(.ownPlan)
            case .requestedByYou: .operationDenied(.requestedByYou)
            case .alreadyApproved: .operationDenied(.alreadyApproved)
            case .otherDigest: .operationDenied(.otherDigest)
            case .notPrepared(let state): .operationDenied(.decided(state: state.rawValue, since: nil, by: nil))
            case .tooLate(let time): .operationDenied(.approvalsTooLate(since: time.text))
            case .notPermitted: .operationDenied(.configurationChanged)
            case .notKept: .invalidValue("false", of: "RecordHistory")
            case .notYourPlan: .operationDenied(.notYourPlan)
            case .notBroken, .notNeeded: .operationDenied(.nothingToReview)
            case .reasonMissing: .emptyValue(of: "Reason")
            case .reasonTooShort(let least): .tooShort("Reason", least: least)
            case .reasonTooLong(let most): .tooLong("Reason", limit: most)
            case .reasonUnreadable: .hiddenCharacter(in: "Reason")
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
            case .historyNeeded: .historyNeeded
            }
    }

    init(_ error: KillTaskError) {
        self =
            switch error {
            case .duplicate: .duplicatedKillTask
            case .approvalsNeeded: .operationDenied(.approvalsAskedFor)
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
            case .resultTooLarge: .failedOperation(.resultTooLarge)
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

extension MissingApprovals {
    fileprivate init(_ gap: ApprovalGap) {
        self.init(
            plan: gap.plan.rawValue, required: gap.required, approvedBy: gap.approvedBy.map(\.rawValue),
            couldApprove: gap.couldApprove.map(\.rawValue), until: gap.until.text)
    }
}

extension UnixTime {
    /// The time as responses and messages write it: ISO 8601, in UTC and whole seconds.
    var text: String {
        Date(timeIntervalSince1970: Double(milliseconds) / 1_000).formatted(.iso8601)
    }
}
