/// Why a request's `Authorization` cannot even be checked. The API answers
/// `AuthFailure.InvalidAuthorization`.
public enum TC3AuthorizationError: Error, Equatable, Sendable {
    /// `SKIP`: the SDK was told not to sign.
    case unsigned
    case unsupportedAlgorithm
    /// The part is absent, or stands in the wrong place.
    case missing(Part)
    /// The part is there but not of its form.
    case invalid(Part)
    /// Something follows the signature.
    case trailingText
    /// The date of the credential is not the UTC date of `X-TC-Timestamp`.
    case invalidDate
    /// The service of the credential is none that an SDK would derive from
    /// this server's names.
    case invalidService
    /// `content-type` or `host` is not among the signed headers.
    case notSigned(header: String)
    /// The header is needed but the request does not carry it.
    case absent(header: String)
    /// The request carries the header more than once, so that the one signed
    /// and the one obeyed might differ.
    case repeated(header: String)

    /// A part of the header; the raw value is its name there.
    public enum Part: String, Sendable {
        case credential = "Credential"
        case signedHeaders = "SignedHeaders"
        case signature = "Signature"
    }
}

extension TC3AuthorizationError: CustomStringConvertible {
    /// The reason, in the form of the one that is known from the vendor:
    /// ``` `Service` in Credential not valid. ```
    public var description: String {
        switch self {
        case .unsigned: "the request is not signed."
        case .unsupportedAlgorithm: "the algorithm is not `\(TC3Authorization.algorithm)`."
        case .missing(let part): "`\(part.rawValue)` is missing."
        case .invalid(let part): "`\(part.rawValue)` not valid."
        case .trailingText: "text after `Signature`."
        case .invalidDate: "`Date` in Credential not valid."
        case .invalidService: "`Service` in Credential not valid."
        case .notSigned(let header): "`\(header)` is not in SignedHeaders."
        case .absent(let header): "the header `\(header)` is missing."
        case .repeated(let header): "the header `\(header)` occurs more than once."
        }
    }
}
