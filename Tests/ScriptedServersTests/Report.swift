import SessionKill

/// Something that killd can report, by its name. Where the product has a new one, this does not compile until it has a
/// name here, and ``EveryReportTests`` fails until a seed makes it.
enum Report: Hashable {
    case outcome(Outcome.Kind)
    case failure(Failure)
    case denial(Denial)
    case protection(Protection)
    case killGuard(KillGuard)
    case stale(StaleReason)
    case killError(KillErrorName)
    case obstacle(KillObstacle)
    case serverError(ServerErrorName)
    case preparationError(PreparationErrorName)
    case taskEnding(SessionTaskEnding)
    case taskOutcome(TaskOutcome)
    case risk(RiskReason.Kind)
    case grade(RiskGrade)
    case preparedXA(XA)

    static var all: Set<Report> {
        var all: Set<Report> = []
        func add<Case>(_ cases: [Case], _ report: (Case) -> Report) { all.formUnion(cases.map(report)) }
        add(Outcome.Kind.allCases, Report.outcome)
        add(Failure.allCases, Report.failure)
        add(Denial.allCases, Report.denial)
        add(Protection.allCases, Report.protection)
        add(KillGuard.allCases, Report.killGuard)
        add(StaleReason.allCases, Report.stale)
        add(KillErrorName.allCases, Report.killError)
        add(KillObstacle.allCases, Report.obstacle)
        add(ServerErrorName.allCases, Report.serverError)
        add(PreparationErrorName.allCases, Report.preparationError)
        add(SessionTaskEnding.allCases, Report.taskEnding)
        add(TaskOutcome.allCases, Report.taskOutcome)
        add(RiskReason.Kind.allCases, Report.risk)
        add(RiskGrade.allCases, Report.grade)
        add(XA.allCases, Report.preparedXA)
        return all
    }

    /// In the words of a killd before this one, which kept nothing else: only its store has them.
    static let ofEarlierStores: Set<Report> = [.failure(.worded), .denial(.untold)]

    enum Failure: CaseIterable {
        case outlivedKill, outlivedKillCommitted, refused, unkillable, notFoundByGuard, connectionBroke, planExpired
        case taskRevoked, noLongerMatched, notPermitted, sparedByInterruptedCommit, taskInterrupted, loginRefused
        case unknownConnection, notPinnable, worded

        init(_ failure: Outcome.Failure) {
            self =
                switch failure {
                case .outlivedKill: .outlivedKill
                case .outlivedKillCommitted: .outlivedKillCommitted
                case .refused: .refused
                case .unkillable: .unkillable
                case .notFoundByGuard: .notFoundByGuard
                case .connectionBroke: .connectionBroke
                case .planExpired: .planExpired
                case .taskRevoked: .taskRevoked
                case .noLongerMatched: .noLongerMatched
                case .notPermitted: .notPermitted
                case .sparedByInterruptedCommit: .sparedByInterruptedCommit
                case .taskInterrupted: .taskInterrupted
                case .loginRefused: .loginRefused
                case .unknownConnection: .unknownConnection
                case .notPinnable: .notPinnable
                case .worded: .worded
                }
        }
    }

    enum Denial: CaseIterable {
        case byServer, ownSessionsOnly, untold

        init(_ denial: Outcome.Denial) {
            self =
                switch denial {
                case .byServer: .byServer
                case .ownSessionsOnly: .ownSessionsOnly
                case .untold: .untold
                }
        }
    }

    enum KillErrorName: CaseIterable {
        case planNotFound, expired, stale, notPermitted, planAltered, beingCommitted, notApproved, decided
        case decisionRefused, outcomesNotStored

        init(_ error: KillError) {
            self =
                switch error {
                case .planNotFound: .planNotFound
                case .expired: .expired
                case .stale: .stale
                case .notPermitted: .notPermitted
                case .planAltered: .planAltered
                case .beingCommitted: .beingCommitted
                case .notApproved: .notApproved
                case .decided: .decided
                case .decisionRefused: .decisionRefused
                case .outcomesNotStored: .outcomesNotStored
                }
        }
    }

    enum ServerErrorName: CaseIterable {
        case unreachable, tooManyConnections, loginRefused, tlsUnavailable, privilegeMissing, behindProxy
        case unexpectedKind, startedMomentsAgo, connectionLost, timedOut, resultTooLarge, other

        init(_ reason: ServerError.Reason) {
            self =
                switch reason {
                case .unreachable: .unreachable
                case .tooManyConnections: .tooManyConnections
                case .loginRefused: .loginRefused
                case .tlsUnavailable: .tlsUnavailable
                case .privilegeMissing: .privilegeMissing
                case .behindProxy: .behindProxy
                case .unexpectedKind: .unexpectedKind
                case .startedMomentsAgo: .startedMomentsAgo
                case .connectionLost: .connectionLost
                case .timedOut: .timedOut
                case .resultTooLarge: .resultTooLarge
                case .other: .other
                }
        }
    }

    enum PreparationErrorName: CaseIterable {
        case unknownConnectionID, notPinnable, serverSessionsUnsupported, unknownServerSession, sessionNamedTwice
        case historyNeeded

        init(_ error: PreparationError) {
            self =
                switch error {
                case .unknownConnectionID: .unknownConnectionID
                case .notPinnable: .notPinnable
                case .serverSessionsUnsupported: .serverSessionsUnsupported
                case .unknownServerSession: .unknownServerSession
                case .sessionNamedTwice: .sessionNamedTwice
                case .historyNeeded: .historyNeeded
                }
        }
    }

    enum TaskOutcome: CaseIterable {
        case decided, ignoredUser, loginRefused

        init(_ outcome: SessionTaskOutcome) {
            self =
                switch outcome {
                case .decided: .decided
                case .ignoredUser: .ignoredUser
                case .loginRefused: .loginRefused
                }
        }
    }

    enum XA: CaseIterable {
        case absent, present, unknown

        init(_ xa: PreparedXA) {
            self =
                switch xa {
                case .absent: .absent
                case .present: .present
                case .unknown: .unknown
                }
        }
    }
}

extension Set<Report> {
    init(_ outcomes: some Sequence<Outcome>) {
        self.init(
            outcomes.flatMap { outcome -> [Report] in
                let more: Report? =
                    switch outcome {
                    case .failed(let reason): .failure(Report.Failure(reason))
                    case .denied(let denial): .denial(Report.Denial(denial))
                    case .protected(let protection): .protection(protection)
                    default: nil
                    }
                return [.outcome(outcome.kind)] + (more.map { [$0] } ?? [])
            })
    }

    /// What an error says; `nil` for one of the test's own.
    init?(_ error: any Error) {
        switch error {
        case let error as KillError:
            self = [.killError(Report.KillErrorName(error))]
            if case .stale(let reason, _) = error { insert(.stale(reason)) }
            if case .notPermitted(let obstacle) = error { insert(.obstacle(obstacle)) }
        case let error as ServerError: self = [.serverError(Report.ServerErrorName(error.reason))]
        case let error as PreparationError: self = [.preparationError(Report.PreparationErrorName(error))]
        default: return nil
        }
    }
}
