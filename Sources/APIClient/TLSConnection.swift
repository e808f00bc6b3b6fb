import TLS

/// TLS over a TCP connection, with a server that has proved who it is.
final class TLSConnection {
    private let socket: TCPConnection
    private let session: TLSSession
    /// The server has said that it sends no more.
    private var hasEnded = false

    init(over socket: TCPConnection, trust: ServerTrust) throws(APIClientError) {
        let endpoint = socket.endpoint
        do throws(TLSError) {
            session = try TLSClientContext(authorities: trust.authorities, identity: trust.identity)
                .session(with: endpoint.host)
        } catch {
            throw APIClientError(.tlsSetup(error), at: endpoint)
        }
        self.socket = socket
        _ = try plaintext(of: [])
        while !session.isEstablished {
            let input = try self.socket.receive()
            guard !input.isEmpty else {
                throw APIClientError(.endedInHandshake, at: endpoint)
            }
            _ = try plaintext(of: input)
        }
    }

    func send(_ bytes: [UInt8]) throws(APIClientError) {
        var start = 0
        while start < bytes.count {
            guard session.encrypt(bytes, from: start) else { throw APIClientError(.tls(nil), at: socket.endpoint) }
            start += try flush()
        }
    }

    /// What has come, as soon as anything has; nothing once the server has said
    /// that it sends no more.
    func receive() throws(APIClientError) -> [UInt8] {
        while !hasEnded {
            let input = try socket.receive()
            // An end that TLS does not vouch for may be anybody's.
            guard !input.isEmpty else { throw APIClientError(.truncated, at: socket.endpoint) }
            let plaintext = try plaintext(of: input)
            if !plaintext.isEmpty { return plaintext }
        }
        return []
    }

    /// Lets TLS have `input`, and sends what it says to that.
    private func plaintext(of input: [UInt8]) throws(APIClientError) -> [UInt8] {
        var plaintext: [UInt8] = []
        let progress = session.receive(input.span) { piece in
            piece.withUnsafeBufferPointer { plaintext += $0 }
        }
        // What the server has said counts more than that it does not listen any more.
        _ = try? flush()
        switch progress {
        case .open: break
        case .ended: hasEnded = true
        case .failed(let reason): throw APIClientError(.tls(reason), at: socket.endpoint)
        }
        return plaintext
    }

    /// - Returns: how much plaintext went out.
    private func flush() throws(APIClientError) -> Int {
        guard session.unsentCount > 0 else { return 0 }
        try socket.send(session.output)
        return session.sent(session.unsentCount)
    }
}
