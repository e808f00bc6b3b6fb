import COpenSSL

/// TLS on one connection, as a filter: what comes from the other side goes in
/// and plaintext comes out, plaintext goes in and ``output`` has what is to be
/// sent. It knows no socket and no clock and never blocks.
///
/// Confined to the thread that uses it.
public final class TLSSession {
    /// What input led to.
    public enum Progress: Sendable {
        /// More may come.
        case open
        /// The other side has said that it sends no more (close_notify).
        case ended
        /// The handshake failed, or what came is no TLS; the reason is in
        /// OpenSSL's words. ``output`` may have an alert that says so.
        case failed(reason: String)
    }

    /// The one owner of the `SSL`.
    private let ssl: OpaquePointer
    private let wire: Wire
    /// Whether nothing more is read or encrypted: an `SSL` must not be used after an error.
    public private(set) var hasFailed = false

    /// Whether any input has come.
    public private(set) var hasReceived = false
    /// The bytes of ``output`` that have been sent.
    public private(set) var sentCount = 0
    /// Plaintext in ``output`` that ``sent(_:)`` has not told of.
    private var unreportedPlaintext = 0

    /// Plaintext that is encrypted at once: four records.
    private static let mostPlaintext = 64 * 1024
    /// The plaintext of the largest record (RFC 8446 section 5.1).
    private static let recordSize = 16 * 1024
    /// What is kept of the output buffer when all is sent.
    private static let mostIdleCapacity = 4 * 1024

    init(
        of context: borrowing ContextHandle, configure: (OpaquePointer) -> Bool
    ) throws(TLSError) {
        ErrorQueue.clear()
        let wire = Wire()
        guard let ssl = SSL_new(context.pointer) else { throw TLSError(nil, ErrorQueue.takeReason()) }
        guard let bio = wire.bio(), configure(ssl) else {
            SSL_free(ssl)
            throw TLSError(nil, ErrorQueue.takeReason())
        }
        // One BIO for both directions is given over once.
        SSL_set_bio(ssl, bio, bio)
        self.ssl = ssl
        self.wire = wire
    }

    deinit { SSL_free(ssl) }

    /// Whether the handshake is complete.
    public var isEstablished: Bool { SSL_is_init_finished(ssl) == 1 }

    // MARK: From the other side

    /// Takes all of `input` and hands on its plaintext, piece by piece.
    ///
    /// Nothing is kept back but the beginning of a record. A client starts its
    /// handshake with an empty input.
    public func receive(_ input: Span<UInt8>, plaintext: (Span<UInt8>) -> Void) -> Progress {
        guard !hasFailed else { return .open }
        if !input.isEmpty { hasReceived = true }
        return input.withUnsafeBytes { bytes in
            wire.withInput(bytes) {
                withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.recordSize) { buffer in
                    readAll(through: buffer, plaintext)
                }
            }
        }
    }

    private func readAll(
        through buffer: UnsafeMutableBufferPointer<UInt8>, _ plaintext: (Span<UInt8>) -> Void
    ) -> Progress {
        while true {
            var count = 0
            ErrorQueue.clear()
            let result = SSL_read_ex(ssl, buffer.baseAddress, buffer.count, &count)
            if result == 1 {
                plaintext(UnsafeBufferPointer(rebasing: buffer[..<count]).span)
                continue
            }
            switch SSL_get_error(ssl, result) {
            case SSL_ERROR_WANT_READ: return .open
            case SSL_ERROR_ZERO_RETURN: return .ended
            default: return .failed(reason: fail())
            }
        }
    }

    /// For SSL_ERROR_SSL. The others cannot be: the wire takes all that is
    /// written (WANT_WRITE) and has no errors (SYSCALL), and nothing is
    /// installed that could make OpenSSL wait (the rest).
    private func fail() -> String {
        hasFailed = true
        let reason = ErrorQueue.takeReason()
        let verification = SSL_get_verify_result(ssl)
        guard verification != Int(X509_V_OK), let text = X509_verify_cert_error_string(verification)
        else { return reason }
        return "\(reason): \(String(cString: text))"
    }

    // MARK: To the other side

    /// Bytes to send, from ``sentCount`` on.
    public var output: [UInt8] { wire.output }

    /// What of ``output`` has not been sent.
    public var unsentCount: Int { wire.output.count - sentCount }

    /// Encrypts plaintext from `start` on into ``output``, which must be empty:
    /// so it never holds more than one call has made, some 64 KiB.
    ///
    /// - Returns: false if nothing can be encrypted (any more).
    public func encrypt(_ plaintext: [UInt8], from start: Int) -> Bool {
        guard !hasFailed, wire.output.isEmpty, start < plaintext.count else { return false }
        let count = min(plaintext.count - start, Self.mostPlaintext)
        ErrorQueue.clear()
        var written = 0
        let result = plaintext.withUnsafeBytes { bytes in
            bytes.baseAddress.map { SSL_write_ex(ssl, $0 + start, count, &written) } ?? 0
        }
        guard result == 1 else {
            hasFailed = true
            ErrorQueue.clear()
            return false
        }
        unreportedPlaintext += written
        return true
    }

    /// `count` bytes of ``output`` went out.
    ///
    /// - Returns: how much plaintext counts as sent with them; the last byte
    ///   only when all is.
    public func sent(_ count: Int) -> Int {
        sentCount += count
        if sentCount == wire.output.count {
            sentCount = 0
            wire.output.removeAll(keepingCapacity: wire.output.capacity <= Self.mostIdleCapacity)
            defer { unreportedPlaintext = 0 }
            return unreportedPlaintext
        }
        let plaintext = min(count, max(0, unreportedPlaintext - 1))
        unreportedPlaintext -= plaintext
        return plaintext
    }

    /// Says that nothing more follows (close_notify), unless the handshake is
    /// not complete. Does nothing when called again.
    public func end() {
        guard !hasFailed, isEstablished, SSL_get_shutdown(ssl) & SSL_SENT_SHUTDOWN == 0 else { return }
        ErrorQueue.clear()
        // 0 is no failure: the other side has not said it yet. It is not waited for (RFC 8446 section 6.1).
        if SSL_shutdown(ssl) < 0 { ErrorQueue.clear() }
    }
}
