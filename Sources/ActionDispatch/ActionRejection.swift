import Parameters
import RequestDispatch
import RequestSigning
import TencentCloudErrors

/// Why a request of Tencent Cloud's API was rejected.
public struct ActionRejection: RequestRejection {
    public let code: ErrorCode
    public let cause: (any Error)?
    public let signatureDefect: RejectedSignature.Reason?

    public var responseCode: String { code.rawValue }
    public var codeLabel: String { code.rawValue }
    public var isOfRateLimit: Bool { code == .requestLimitExceeded }
    /// The message in the response names it.
    public var defect: String? { nil }
}

/// What an action throws where the log should say more than the response.
public struct ActionFailure: Error {
    public let error: TencentCloudError
    public let cause: any Error

    public init(_ error: TencentCloudError, cause: any Error) {
        self.error = error
        self.cause = cause
    }
}

extension TencentCloudError {
    /// Any error in Tencent's dialect, where what has no code is an InternalError,
    /// and what the log should say beyond that; nil if the caller alone is at fault.
    static func inDialect(_ error: any Error) -> (TencentCloudError, cause: (any Error)?) {
        switch error {
        case let error as TencentCloudError: (error, nil)
        case let error as ParameterError: (TencentCloudError(error), nil)
        case let failure as ActionFailure: (failure.error, failure.cause)
        default: (.internalError, error)
        }
    }
}

extension RejectedSignature.Reason {
    init?(_ error: TencentCloudError) {
        switch error {
        case .invalidAuthorization: self = .malformed
        case .secretIDNotFound: self = .unknownKey
        case .signatureExpired: self = .expired
        case .signatureFailure: self = .mismatched
        case .tokenFailure: self = .token
        case .signatureUsed, .signatureForgotten: self = .repeated
        case .ambiguousSignature: self = .ambiguous
        default: return nil
        }
    }
}

extension TencentCloudError {
    fileprivate init(_ error: ParameterError) {
        self =
            switch error {
            case .malformed(_, .duplicateName(let name)): .repeatedParameter(name)
            case .malformed(let offset, _): .malformedJSON(offset: offset)
            case .notAnObject: .notAJSONObject
            case .malformedPair: .malformedPair
            case .tooManyPairs: .requestTooLargeForSignature
            case .malformedEscape(let offset): .malformedEscape(offset: offset)
            case .repeated(let path): .repeatedParameter(path)
            case .unknown(let path): .unknownParameter(path)
            case .missing(let path): .missingParameter(path)
            case .wrongType(let path): .wrongType(path)
            case .invalidValue(let path, let value): .invalidValue(value, of: path)
            }
    }
}
