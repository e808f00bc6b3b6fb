import TLS

/// The way between the socket and the protocol, which leads through TLS if there
/// is any.
///
/// Back-pressure holds in both directions: the protocol's output is encrypted
/// only when all that was encrypted before is sent, and all input is decrypted
/// at once, so that none hides where the event queue does not see it.
extension Connection {
    /// Beyond one call of ``TLSSession/encrypt(_:from:)``, what is unsent is what
    /// a client makes TLS say by itself (key updates) and does not read.
    private static let mostUnsentTLS = 128 * 1024

    /// Whether bytes of the client are wanted now.
    var wantsInput: Bool { machine.wantsInput && tls.map { $0.unsentCount < Self.mostUnsentTLS } ?? true }

    /// Whether TLS has something to send, apart from what the protocol has.
    var hasUnsentTLS: Bool { tls.map { $0.unsentCount > 0 } ?? false }

    /// Bytes came over the socket.
    ///
    /// - Returns: why TLS failed; nil if it did not.
    func receive(_ input: Span<UInt8>, at now: MonotonicTime) -> String? {
        // After a failure the bytes are dropped, but the protocol counts them.
        guard let tls, !tls.hasFailed else {
            machine.receive(input, at: now)
            return nil
        }
        // No record of TLS begins with a byte that a method may begin with.
        if !tls.hasReceived, !input.isEmpty, input[0].isTokenByte {
            self.tls = nil
            machine.reject(
                HTTPProtocolError(.badRequest, "this port speaks HTTPS only, and the request came without TLS"))
            return nil
        }
        switch tls.receive(input, plaintext: { machine.receive($0, at: now) }) {
        case .open: return nil
        case .ended:
            machine.receiveEnd()
            return nil
        case .failed(let reason):
            machine.finish()
            return reason
        }
    }

    /// Sends, in one system call at most, what TLS or else the protocol has.
    ///
    /// - Returns: false if the socket has no room.
    func send(at now: MonotonicTime) -> Bool {
        let result: IOResult
        if let tls {
            guard tls.unsentCount > 0 || tls.encrypt(machine.output.bytes, from: machine.output.sentCount) else {
                machine.abort()
                return true
            }
            result = Socket.send(tls.output, from: tls.sentCount, to: socket)
        } else {
            result = Socket.send(machine.output.bytes, from: machine.output.sentCount, to: socket)
        }
        switch result {
        case .done(let count): noteSent(count, at: now)
        case .wouldBlock: return false
        case .failed: machine.abort()
        }
        return true
    }

    private func noteSent(_ count: Int, at now: MonotonicTime) {
        guard let tls else { return machine.sent(count, at: now) }
        let plaintext = tls.sent(count)
        if plaintext > 0 { machine.sent(plaintext, at: now) }
        if endsSendingWhenSent, !hasUnsentTLS { shutDownSocket() }
    }

    /// Ends the sending half, after TLS has said so (close_notify).
    func endSending() {
        tls?.end()
        guard hasUnsentTLS else { return shutDownSocket() }
        endsSendingWhenSent = true
    }

    private func shutDownSocket() {
        do throws(SystemError) {
            try Socket.shutDownSending(of: socket)
        } catch {
            machine.abort()
        }
    }

    /// Says that nothing more follows, if the socket has room for it: the
    /// connection is not kept open for that. Not after half a response, which
    /// would seem to be whole.
    func sayGoodbye() {
        guard let tls, machine.output.isEmpty else { return }
        tls.end()
        if hasUnsentTLS { _ = Socket.send(tls.output, from: tls.sentCount, to: socket) }
    }
}
