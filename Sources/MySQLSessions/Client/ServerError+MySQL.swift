import Glibc
import SessionKill

extension MySQLFailure {
    /// Why the system could not connect, and what to do: of that the libraries give the number alone, in parentheses
    /// at the end of their own words.
    fileprivate var systemWords: String? {
        guard [2_002, 2_003, 2_005].contains(code), message.utf8.last == UInt8(ascii: ")"),
            let parenthesis = message.utf8.lastIndex(of: UInt8(ascii: "("))
        else { return nil }
        let digits = message.utf8[message.utf8.index(after: parenthesis)...].dropLast()
        guard let number = Int32(String(decoding: digits, as: UTF8.self)), number != 0 else { return nil }
        guard code != 2_005 else { return "\(String(cString: gai_strerror(number))): is the host spelled right?" }
        let words = String(cString: strerror(number))
        switch number {
        case ECONNREFUSED:
            return "\(words): nothing listens there; is the server running, and is the address the one it listens at?"
        case ENOENT: return "\(words): is the server running, and is this the socket that its @@socket names?"
        case EACCES, EPERM: return "\(words): killd's user may not use it, or a firewall forbids it"
        case ETIMEDOUT, EHOSTUNREACH, ENETUNREACH:
            return "\(words): is the address right, and does a firewall let killd's machine through?"
        default: return words
        }
    }
}

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
            """
            connecting to \(address) as \(configuration.user): \
            \(failure.systemWords ?? failure.message) (\(failure.code))
            """)
    }
}
