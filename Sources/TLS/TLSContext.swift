import COpenSSL

/// The certificate, the key and the rules with which a server meets its clients.
///
/// TLS 1.2 and 1.3, with OpenSSL's ciphers of security level 2; sessions can be
/// resumed, by tickets whose key dies with the context; ALPN chooses `http/1.1`;
/// no renegotiation and no compression.
public final class TLSServerContext: Sendable {
    /// What a person should know although the files can be used, such as that
    /// the certificate has expired.
    public let warnings: [String]
    private let handle: ContextHandle

    /// The most sessions that are kept for clients that know no tickets. OpenSSL would keep 20480.
    private static let mostCachedSessions = 1024

    /// Reads all files and checks that they fit each other. Blocks.
    ///
    /// - Parameters:
    ///   - certificate: path of a PEM file with the server's certificate and,
    ///     after it, those of the authorities in between.
    ///   - privateKey: path of a PEM file with its key, which is not encrypted.
    ///   - clientAuthorities: path of a PEM file with certificates; a client must
    ///     then show a certificate that one of them vouches for.
    public init(certificate: String, privateKey: String, clientAuthorities: String? = nil) throws(TLSError) {
        let handle = try ContextHandle(TLS_server_method())
        let chain = try handle.use(certificate: certificate, privateKey: privateKey)
        if let clientAuthorities { try handle.demandClients(of: clientAuthorities) }
        handle.resumeSessions(mostCached: Self.mostCachedSessions)
        SSL_CTX_set_alpn_select_cb(handle.pointer, chooseHTTP11, nil)
        self.handle = handle

        var warnings: [String] = []
        for (index, part) in chain.enumerated() {
            guard let warning = part.warning else { continue }
            let name = index == 0 ? "the certificate" : "certificate \(index + 1)"
            warnings.append("\(name) in \(certificate) \(warning)")
        }
        self.warnings = warnings
    }

    /// The server's side of a connection.
    public func session() throws(TLSError) -> TLSSession {
        try TLSSession(of: handle) { ssl in
            SSL_set_accept_state(ssl)
            return true
        }
    }
}

/// Whom a client trusts, and what it proves itself with.
public final class TLSClientContext: Sendable {
    private let handle: ContextHandle

    /// Paths of the PEM files of a client that servers ask for a certificate.
    public struct Identity: Sendable {
        public let certificate: String
        public let privateKey: String

        public init(certificate: String, privateKey: String) {
            self.certificate = certificate
            self.privateKey = privateKey
        }
    }

    /// - Parameter authorities: path of a PEM file with the certificates that are
    ///   trusted; nil trusts those of the system.
    public init(authorities: String? = nil, identity: Identity? = nil) throws(TLSError) {
        let handle = try ContextHandle(TLS_client_method())
        if let identity { try handle.use(certificate: identity.certificate, privateKey: identity.privateKey) }
        if let authorities {
            _ = try handle.trust(authorities)
        } else {
            ErrorQueue.clear()
            guard SSL_CTX_set_default_verify_paths(handle.pointer) == 1 else {
                throw TLSError(nil, "the system's certificates: \(ErrorQueue.takeReason())")
            }
        }
        SSL_CTX_set_verify(handle.pointer, SSL_VERIFY_PEER, nil)
        self.handle = handle
    }

    /// The client's side of a connection.
    ///
    /// - Parameter host: a name or an address in digits, which the server's
    ///   certificate must have.
    public func session(with host: String) throws(TLSError) -> TLSSession {
        try TLSSession(of: handle) { ssl in
            SSL_set_connect_state(ssl)
            if X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1 { return true }
            var name = Array(host.utf8CString)
            // Not for addresses (RFC 6066 section 3).
            return SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name), &name) == 1
                && SSL_set1_host(ssl, host) == 1
        }
    }
}

/// The one owner of an `SSL_CTX`.
///
/// `@unchecked Sendable`: it is changed only before it is shared; what sessions
/// on several threads then share in it (reference count, cache, ticket keys)
/// OpenSSL guards itself.
struct ContextHandle: ~Copyable, @unchecked Sendable {
    let pointer: OpaquePointer

    fileprivate init(_ method: OpaquePointer?) throws(TLSError) {
        ErrorQueue.clear()
        guard let pointer = SSL_CTX_new(method) else { throw TLSError(nil, ErrorQueue.takeReason()) }
        self.pointer = pointer
        SSL_CTX_set_security_level(pointer, 2)
        SSL_CTX_ctrl(pointer, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_2_VERSION), nil)
        SSL_CTX_set_options(pointer, copenssl_op_no_renegotiation | copenssl_op_no_compression)
        // An idle connection holds no buffers.
        SSL_CTX_ctrl(pointer, SSL_CTRL_MODE, Int(SSL_MODE_RELEASE_BUFFERS), nil)
    }

    deinit { SSL_CTX_free(pointer) }

    /// Takes a chain of certificates and the key of its first.
    ///
    /// - Returns: the chain.
    @discardableResult
    fileprivate func use(certificate path: String, privateKey keyPath: String) throws(TLSError) -> [Certificate] {
        let chain = try PEMFile(path, role: .certificate).certificates()
        let key = try PEMFile(keyPath, role: .privateKey).privateKey()
        for (index, certificate) in chain.enumerated() {
            ErrorQueue.clear()
            let result =
                index == 0
                ? Int(SSL_CTX_use_certificate(pointer, certificate.pointer))
                : SSL_CTX_ctrl(pointer, SSL_CTRL_CHAIN_CERT, 1, UnsafeMutableRawPointer(certificate.pointer))
            guard result == 1 else { throw rejection(of: index, in: path, .certificate) }
            guard index > 0 || X509_check_private_key(certificate.pointer, key.pointer) == 1 else {
                throw TLSError(
                    .privateKey, "the key in the file \(keyPath) does not fit the first certificate in \(path)")
            }
        }
        ErrorQueue.clear()
        guard SSL_CTX_use_PrivateKey(pointer, key.pointer) == 1 else {
            throw TLSError(.privateKey, "OpenSSL refuses the key in the file \(keyPath): \(ErrorQueue.takeReason())")
        }
        return chain
    }

    /// - Returns: who is trusted now.
    fileprivate func trust(_ path: String) throws(TLSError) -> [Certificate] {
        let authorities = try PEMFile(path, role: .authorities).certificates()
        for (index, authority) in authorities.enumerated() {
            ErrorQueue.clear()
            guard X509_STORE_add_cert(SSL_CTX_get_cert_store(pointer), authority.pointer) == 1 else {
                throw rejection(of: index, in: path, .authorities)
            }
        }
        return authorities
    }

    private func rejection(of index: Int, in path: String, _ role: TLSError.Role) -> TLSError {
        TLSError(role, "OpenSSL refuses certificate \(index + 1) in the file \(path): \(ErrorQueue.takeReason())")
    }

    fileprivate func demandClients(of path: String) throws(TLSError) {
        // Clients with several certificates choose by these names.
        for authority in try trust(path) { SSL_CTX_add_client_CA(pointer, authority.pointer) }
        SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    }

    fileprivate func resumeSessions(mostCached: Int) {
        // Without a name of its own, a context that demands certificates resumes nothing.
        let name = Array("killd".utf8)
        SSL_CTX_set_session_id_context(pointer, name, UInt32(name.count))
        SSL_CTX_ctrl(pointer, SSL_CTRL_SET_SESS_CACHE_SIZE, mostCached, nil)
    }
}

/// Chooses `http/1.1` out of a client's list of protocols (RFC 7301). A client
/// that wants only others is rejected, as the RFC has it.
private func chooseHTTP11(
    _ ssl: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ chosenLength: UnsafeMutablePointer<UInt8>?, _ list: UnsafePointer<UInt8>?, _ listLength: UInt32,
    _ context: UnsafeMutableRawPointer?
) -> Int32 {
    let offered = UnsafeBufferPointer(start: list, count: Int(listLength))
    var index = 0
    while index < offered.count {
        let length = Int(offered[index])
        let end = index + 1 + length
        guard end <= offered.count else { break }
        if offered[(index + 1)..<end].elementsEqual("http/1.1".utf8) {
            chosen?.pointee = offered.baseAddress.map { $0 + index + 1 }
            chosenLength?.pointee = offered[index]
            return SSL_TLSEXT_ERR_OK
        }
        index = end
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
