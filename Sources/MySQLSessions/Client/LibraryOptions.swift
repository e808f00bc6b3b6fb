import CMySQL

// What the client libraries understand.
extension Duration {
    /// The whole seconds, at least one: for the libraries zero means forever.
    var wholeSeconds: UInt32 { UInt32(clamping: max(1, components.seconds)) }

    /// The nanoseconds, as many as can be waited for.
    var nanoseconds: Int64 { Int64(max(0, min(self / .nanoseconds(1), 1e18))) }
}

extension TLSMode {
    var libraryMode: cmysql_tls {
        switch self {
        case .disabled: CMYSQL_TLS_DISABLED
        case .preferred: CMYSQL_TLS_PREFERRED
        case .required: CMYSQL_TLS_REQUIRED
        case .verifyCA: CMYSQL_TLS_VERIFY_CA
        case .verifyIdentity: CMYSQL_TLS_VERIFY_IDENTITY
        }
    }

    var ca: String? {
        switch self {
        case .disabled, .preferred, .required: nil
        case .verifyCA(let ca), .verifyIdentity(let ca): ca
        }
    }

    var demandsTLS: Bool {
        switch self {
        case .disabled, .preferred: false
        case .required, .verifyCA, .verifyIdentity: true
        }
    }
}
