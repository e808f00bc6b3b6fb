import RequestDispatch
import RequestSigning

/// What log and metrics tell of an error is what its client is told, and for
/// parameters what is wrong with them.
extension DASError: RequestRejection {
    public var responseCode: String { code }

    /// The code, without the names of parameters, which are the caller's text.
    public var codeLabel: String {
        switch self {
        case .missing: "MissingParameter"
        case .invalid: "InvalidParameter"
        default: code
        }
    }

    public var isOfRateLimit: Bool {
        if case .throttled = self { true } else { false }
    }

    public var defect: String? {
        if case .invalidParameters(let defect) = self { defect.description } else { nil }
    }

    public var signatureDefect: RejectedSignature.Reason? { RejectedSignature.Reason(self) }
}

extension RejectedSignature.Reason {
    init?(_ error: DASError) {
        switch error {
        case .incompleteSignature, .invalidSignatureMethod, .malformedTimestamp: self = .malformed
        case .accessKeyNotFound: self = .unknownKey
        case .expiredTimestamp: self = .expired
        case .signatureDoesNotMatch: self = .mismatched
        case .missingSecurityToken, .wrongSecurityToken: self = .token
        case .nonceUsed: self = .repeated
        default: return nil
        }
    }
}
