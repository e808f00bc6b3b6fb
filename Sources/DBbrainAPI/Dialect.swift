import SessionKill
import TencentCloudErrors

/// How what goes wrong in the engine is said in Tencent's dialect.
extension TencentCloudError {
    init(_ error: KillError) {
        self =
            switch error {
            case .planNotFound: .planNotFound
            case .expired: .operationDenied(.expired)
            case .stale: .operationDenied(.stale)
            case .planAltered: .failedOperation(.planAltered)
            case .beingCommitted: .failedOperation(.beingCommitted)
            case .outcomesNotStored: .failedOperation(.outcomesNotStored)
            }
    }

    init(_ error: StoreError) {
        self = .failedOperation(.storeUnavailable)
    }

    init(_ error: ServerError) {
        self =
            switch error.reason {
            case .unreachable, .connectionLost: .failedOperation(.serverUnreachable)
            case .tooManyConnections: .failedOperation(.serverFull)
            case .loginRefused: .failedOperation(.loginRefused)
            case .tlsUnavailable: .failedOperation(.tlsUnavailable)
            case .privilegeMissing(let privilege): .failedOperation(.privilegeMissing(privilege))
            case .behindProxy: .failedOperation(.behindProxy)
            case .other: .failedOperation(.refusedByServer(errorNumber: Int(error.code)))
            }
    }
}
