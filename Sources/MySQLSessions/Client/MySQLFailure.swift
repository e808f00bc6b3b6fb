/// A statement, or the connection, failed.
struct MySQLFailure: Error {
    let code: UInt32
    let message: String
    /// The limit that the call went beyond, if it did: what the server did is not known, and the connection is of no
    /// more use.
    let limit: Limit?
    private(set) var isOfOceanBase = false
    /// Whether it was not tried, so that the connection is as it was.
    private var wasNotSent = false

    /// What bounds a call.
    enum Limit {
        case time
        case size
    }

    init(code: UInt32, message: String, beyond limit: Limit? = nil) {
        self.code = code
        self.message = message
        self.limit = limit
    }

    static func outOfTime(_ limit: Duration) -> MySQLFailure {
        MySQLFailure(
            code: ErrorNumber.serverLost, message: "the server was not done within \(limit.inSeconds)", beyond: .time)
    }

    static func tooLarge(_ limit: MySQLServerConfiguration.ResponseSize) -> MySQLFailure {
        MySQLFailure(
            code: ErrorNumber.responseTooLarge,
            message: "the server sent more than the \(limit) that are read of its responses at a time", beyond: .size)
    }

    /// What the server would say before it ends the connection.
    static func notSent(bytes: Int, largest: Int) -> MySQLFailure {
        var failure = MySQLFailure(
            code: ErrorNumber.packetTooLarge,
            message: """
                a statement of \(bytes) bytes was not sent, since this server takes \(largest); as an administrator: \
                SET GLOBAL max_allowed_packet=16777216;
                """)
        failure.wasNotSent = true
        return failure
    }

    /// What is said of a password that was not sent.
    ///
    /// - Parameter reason: why it was not.
    static func passwordNotSent(because reason: String) -> MySQLFailure {
        MySQLFailure(
            code: ErrorNumber.passwordNotSent,
            message: """
                \(reason): it could be read on the way, so it was not sent; set "tls" of this instance to "required" \
                and give the server a certificate, or reach it by "socket", or give the account another \
                authentication method
                """)
    }

    /// Whether the server refused what was sent before it began with any of it.
    var isRefusedWhole: Bool { code == ErrorNumber.packetTooLarge && !isOfOceanBase }

    /// The same, from OceanBase, whose own errors have numbers that are MySQL's
    /// for other things, and those of client libraries.
    var ofOceanBase: MySQLFailure {
        var failure = self
        failure.isOfOceanBase = true
        return failure
    }

    /// What the server said in place of a greeting, such as 1040.
    ///
    /// Where TLS is wanted, MariaDB Connector/C 3.3 reports it as its own error
    /// 2002, since nobody can vouch for what comes before TLS: "Received error
    /// packet before completion of TLS handshake. The authenticity of the
    /// following error cannot be verified: 1040 - Too many connections".
    var beforeTLS: MySQLFailure? {
        let caution = "cannot be verified: "
        let bytes = Array(message.utf8)
        guard ErrorNumber.clientErrors.contains(code), let mark = bytes.firstRange(of: Array(caution.utf8)) else {
            return nil
        }
        let digits = bytes[mark.upperBound...].prefix { (0x30...0x39).contains($0) }
        guard let number = UInt32(String(decoding: digits, as: UTF8.self)) else { return nil }
        return MySQLFailure(code: number, message: message)
    }

    /// Whether there is no use in sending anything more over the connection.
    var isConnectionLost: Bool {
        switch code {
        case _ where limit != nil: true
        case ErrorNumber.packetTooLarge where !isOfOceanBase: !wasNotSent
        // Numbers from 4000 to 5999 are errors of OceanBase, such as 5010.
        case ErrorNumber.clientErrors where isOfOceanBase: true
        case _ where isOfOceanBase: code == ErrorNumber.serverShutdown
        // Client errors of both libraries, e.g. 2013; a read timeout inside TLS is 2026 in MariaDB's. Of
        // OceanBase's own errors in that range, 5066 is what its killed sessions hear.
        case ErrorNumber.clientErrors, ErrorNumber.connectorErrors: true
        case ErrorNumber.serverShutdown, ErrorNumber.connectionKilled, ErrorNumber.sessionWasKilled,
            ErrorNumber.clientInteractionTimeout:
            true
        default: false
        }
    }
}

extension Duration {
    /// `30 s`, `0.5 s`.
    fileprivate var inSeconds: String {
        let seconds = self / .seconds(1)
        return seconds == seconds.rounded() ? "\(Int(seconds)) s" : "\(seconds) s"
    }
}
