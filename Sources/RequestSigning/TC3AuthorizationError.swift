/// Why a request's `Authorization` cannot even be checked. The API responds
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
    /// `X-TC-Timestamp` is so large a number that it must be of milliseconds.
    case timestampNotInSeconds
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
