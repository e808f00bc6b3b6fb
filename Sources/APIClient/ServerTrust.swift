public import TLS

/// The authorities that a client trusts over https, and what it proves itself with there.
public struct ServerTrust: Sendable {
    /// The PEM file of who may certify the server; nil for whom the system trusts.
    public var authorities: String?
    public var identity: TLSClientContext.Identity?

    public init(authorities: String? = nil, identity: TLSClientContext.Identity? = nil) {
        self.authorities = authorities
        self.identity = identity
    }
}
