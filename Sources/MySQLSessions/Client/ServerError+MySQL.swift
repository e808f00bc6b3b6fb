import Glibc
import SessionKill

extension MySQLFailure {
    /// Why the system could not connect, and what to do: of that the libraries give the number alone, in parentheses
    /// at the end of their own words.
    fileprivate var systemWords: String? {
        let codes = [ErrorNumber.connectionError, ErrorNumber.connectionToHostError, ErrorNumber.unknownHost]
        guard codes.contains(code), message.utf8.last == UInt8(ascii: ")"),
            let parenthesis = message.utf8.lastIndex(of: UInt8(ascii: "("))
        else { return nil }
        let digits = message.utf8[message.utf8.index(after: parenthesis)...].dropLast()
        guard let number = Int32(String(decoding: digits, as: UTF8.self)), number != 0 else { return nil }
        guard code != ErrorNumber.unknownHost else {
            return "\(String(cString: gai_strerror(number))): is the host spelled right?"
        }
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
            case _ where failure.limit == .size: .resultTooLarge
            // Only the INNODB_ tables of information_schema ask for a privilege in this way.
            case ErrorNumber.specificAccessDenied: .privilegeMissing("PROCESS")
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
            case _ where failure.limit == .size: .resultTooLarge
            case ErrorNumber.tooManyConnections, ErrorNumber.tooManyUserConnections, ErrorNumber.userLimitReached:
                .tooManyConnections
            // MySQL's administrative interface.
            case ErrorNumber.specificAccessDenied: .privilegeMissing("SERVICE_CONNECTION_ADMIN")
            case _ where ErrorNumber.refusingLogins.contains(failure.code): .loginRefused
            case ErrorNumber.tlsError, ErrorNumber.passwordNotSent: .tlsUnavailable
            case ErrorNumber.clientErrors, ErrorNumber.connectorErrors: .unreachable
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
