import COpenSSL

/// A certificate, a key or OpenSSL itself cannot be used, in words.
public struct TLSError: Error, Sendable, CustomStringConvertible {
    /// What a file is for.
    public enum Role: Sendable {
        case certificate
        case privateKey
        /// The certificates of whoever is trusted to certify the other side.
        case authorities
    }

    /// The file that is wrong; nil if none is.
    public let role: Role?
    /// What is wrong, with the path of the file and without its content.
    public let description: String

    init(_ role: Role?, _ description: String) {
        self.role = role
        self.description = description
    }
}

/// OpenSSL keeps the errors of each thread in a queue. A call that fails adds to
/// it, and `SSL_get_error` looks into it: what an earlier call left there must
/// be gone before the next one.
enum ErrorQueue {
    static func clear() { ERR_clear_error() }

    /// OpenSSL's words for the first error of the last call, which comes nearest
    /// to the cause. Empties the queue.
    static func takeReason() -> String {
        let code = ERR_get_error()
        clear()
        guard code != 0 else { return "no reason is known" }
        guard let text = ERR_reason_error_string(code) else { return "OpenSSL error \(code)" }
        return String(cString: text)
    }

    /// Whether a PEM reader failed because there is no further block.
    static var endsWithLackOfPEM: Bool {
        let code = ERR_peek_last_error()
        return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE
    }
}
