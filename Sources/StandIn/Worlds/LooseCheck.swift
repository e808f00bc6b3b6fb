import RequestSigning

/// A check of killd's that a stand-in leaves out if it is asked to.
public enum LooseCheck: String, Hashable, Sendable, CaseIterable {
    /// Whether a signature is that of its request.
    case signature
    /// How old a signature is.
    case signatureTime = "signature-time"
    /// How many requests an account makes in a second.
    case rateLimit = "rate-limit"

    /// What is not checked, in words.
    public var meaning: String {
        switch self {
        case .signature: "any signature by the id of a known key is taken for a good one"
        case .signatureTime: "signatures are taken however old they are"
        case .rateLimit: "accounts may make any number of requests"
        }
    }
}

extension SignatureChecks {
    init(without loose: Set<LooseCheck>) {
        self.init(match: !loose.contains(.signature), age: !loose.contains(.signatureTime))
    }
}
