import SessionKill

/// DAS's words for what became of a session.
///
/// | outcome | Reason | counts as |
/// | --- | --- | --- |
/// | `killed`, `rolling-back`, `xa-prepared`, `xa-unknown`, `already-committed` | SESSION_KILLED | success |
/// | `gone`: it had ended by itself | SESSION_EXPIRED | – |
/// | `ended`: it is proven to be gone after an interruption, whether of the KILL nobody can tell | SESSION_EXPIRED | – |
/// | `replaced`: the id is another session's, which was left alone | SESSION_EXPIRED | – |
/// | `denied`: KILL was refused, or the login sees its own sessions only | SESSION_NO_PERMISSION | failure |
/// | the login was refused (1045, 1044, …) | SESSION_ACCOUNT_ERROR | failure |
/// | its user is one of `IgnoredUsers` | SESSION_IGNORED_USER | ignored |
/// | `protected` | SESSION_INTERNAL_USER_OR_COMMAND | ignored |
/// | `failed`: still there `killWaitSeconds` after its KILL was accepted | SESSION_KILL_TASK_TIMEOUT | failure |
/// | `failed` otherwise, `unknown` | SESSION_OTHER_ERROR | failure |
///
/// The last column is ``SessionTaskOutcome``'s.
enum SessionReason: String, CaseIterable {
    case killed = "SESSION_KILLED"
    case expired = "SESSION_EXPIRED"
    case noPermission = "SESSION_NO_PERMISSION"
    case accountError = "SESSION_ACCOUNT_ERROR"
    case ignoredUser = "SESSION_IGNORED_USER"
    case internalUserOrCommand = "SESSION_INTERNAL_USER_OR_COMMAND"
    case timeout = "SESSION_KILL_TASK_TIMEOUT"
    case otherError = "SESSION_OTHER_ERROR"

    init(_ outcome: SessionTaskOutcome) {
        self =
            switch outcome {
            case .loginRefused: .accountError
            case .ignoredUser: .ignoredUser
            case .decided(let outcome):
                switch outcome {
                case .killed, .rollingBack, .xaPrepared, .xaUnknown, .alreadyCommitted: .killed
                case .gone, .ended, .replaced: .expired
                case .denied: .noPermission
                case .protected: .internalUserOrCommand
                case .failed(.outlivedKill), .failed(.outlivedKillCommitted): .timeout
                case .failed, .unknown: .otherError
                }
            }
    }
}
