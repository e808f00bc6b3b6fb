import SessionKill

extension ServerError {
    /// Why a statement failed.
    init(_ failure: MySQLFailure, during work: String) {
        let reason: Reason =
            switch failure.code {
            case _ where failure.limit == .time: .timedOut
            case _ where failure.limit == .size: .answerTooLarge
            // Only the INNODB_ tables of information_schema ask for a privilege in this way.
            case 1_227: .privilegeMissing("PROCESS")
            case _ where failure.isConnectionLost: .connectionLost
            default: .other
            }
        self.init(reason, code: failure.code, "\(work): \(failure.message) (\(failure.code))")
    }

    /// Why there is no connection.
    init(connecting configuration: MySQLServerConfiguration, to address: MySQLAddress, _ failure: MySQLFailure) {
        let reason: Reason =
            switch failure.code {
            case _ where failure.limit == .time: .timedOut
            case _ where failure.limit == .size: .answerTooLarge
            // Of the server, and of the user: max_user_connections, and what CREATE USER … WITH allows.
            case 1_040, 1_203, 1_226: .tooManyConnections
            // MySQL's administrative interface.
            case 1_227: .privilegeMissing("SERVICE_CONNECTION_ADMIN")
            // Wrong password, host not allowed or blocked, account locked or expired, secure transport demanded,
            // and what the client says when it lacks the account's method.
            case 1_044, 1_045, 1_129, 1_130, 1_698, 1_862, 3_118, 3_159, 4_151, 2_059, 5_010: .loginRefused
            // 2061: a password that could be read on the way was not sent.
            case 2_026, 2_061: .tlsUnavailable
            case 2_000..<3_000, 5_000..<6_000: .unreachable
            default: .other
            }
        self.init(
            reason, code: failure.code,
            "connecting to \(address) as \(configuration.user): \(failure.message) (\(failure.code))")
    }
}
