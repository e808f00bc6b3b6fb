import HTTPServer
import SessionKill
import Text

/// Everything that DAS requests are rejected with.
///
/// The codes and texts are those of Alibaba Cloud's lists of client errors
/// (developer.aliyun.com/ask/278265, document_detail 434846, 48054, 60629) and of
/// the pages of the DAS actions; where there is none, the comment says so.
public enum DASError: Error {
    // Of the gateway
    case accessKeyNotFound
    /// - `stringToSign`: what the server has computed, without passwords.
    case signatureDoesNotMatch(stringToSign: String)
    case incompleteSignature
    case invalidSignatureMethod
    case malformedTimestamp
    case expiredTimestamp
    case nonceUsed
    /// The request came to a listener of the API of another vendor.
    case productNotFound
    case missingSecurityToken
    case wrongSecurityToken
    case missing(parameter: String)
    case invalid(parameter: String)
    case invalidFormat
    case actionNotFound
    case unsupportedMethod
    /// - `retryAfter`: in which a repetition may be accepted.
    case throttled(retryAfter: Duration)

    // Of DAS
    /// Parameters with a defect, which is for the log; also an instance that does
    /// not exist or is not the account's.
    case invalidParameters(ParameterDefect)
    case noPermission
    /// Somebody has to agree before sessions of the instance are ended, and nobody can agree to what a task does.
    case approvalsNeeded
    case taskNotFound
    case resultNotFound

    // Of either: the cause is for the log
    case internalError(cause: any Error)
    case serviceUnavailable(cause: any Error)
}

extension DASError {
    public var status: HTTPStatus { row.status }
    public var code: String { row.code }
    public var message: String { row.message }

    /// What went wrong inside, where the response says less than the log should.
    public var cause: (any Error)? {
        switch self {
        case .internalError(let cause), .serviceUnavailable(let cause): cause
        default: nil
        }
    }

    private var row: (status: HTTPStatus, code: String, message: String) {
        switch self {
        case .accessKeyNotFound:
            (.notFound, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
        case .signatureDoesNotMatch(let stringToSign):
            // The Python, Java and Go SDKs look for these words, in status 400 only, and compare what follows.
            (
                .badRequest, "SignatureDoesNotMatch",
                "Specified signature is not matched with our calculation. server string to sign is:\(stringToSign)"
            )
        case .incompleteSignature:
            (.badRequest, "IncompleteSignature", "The request signature does not conform to Aliyun standards.")
        case .invalidSignatureMethod:
            (.badRequest, "InvalidSignatureMethod", "Specified signature method is not valid.")
        case .malformedTimestamp:
            (.badRequest, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.")
        case .expiredTimestamp:
            (.badRequest, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
        case .nonceUsed:
            (.badRequest, "SignatureNonceUsed", "Specified signature nonce was used already.")
        case .productNotFound:
            (
                .notFound, "InvalidProduct.NotFound",
                "Cannot find product according to your specified domain."
            )
        case .missingSecurityToken:
            // Only the code is known.
            (.badRequest, "MissingSecurityToken", "SecurityToken is mandatory for this action.")
        case .wrongSecurityToken:
            // Only the code is known.
            (
                .badRequest, "InvalidSecurityToken.MismatchWithAccessKey",
                "Specified security token does not belong to the access key."
            )
        case .missing(let parameter):
            (.badRequest, "Missing\(parameter)", "\(parameter) is mandatory for this action.")
        case .invalid(let parameter):
            (.badRequest, "Invalid\(parameter)", "Specified parameter \(parameter) is not valid.")
        case .invalidFormat:
            (.badRequest, "InvalidParameter.Format", "Specified parameter format is not valid.")
        case .actionNotFound:
            (
                .notFound, "InvalidAction.NotFound",
                "Specified api is not found, please check your url and method."
            )
        case .unsupportedMethod:
            // 403 as ApsaraDB RDS has it; other products have 400.
            (.forbidden, "UnsupportedHTTPMethod", "This http method is not supported.")
        case .throttled:
            (.badRequest, "Throttling.User", "Request was denied due to user flow control.")
        case .invalidParameters:
            // Whatever is wrong, the vendor says no more.
            (.badRequest, "InvalidParams", "The request parameters are invalid.")
        case .noPermission:
            (.forbidden, "NoPermission", "You are not authorized to do this action.")
        case .approvalsNeeded:
            (
                .forbidden, "NoPermission",
                "You are not authorized to do this action. (The instance asks for approvals, and nobody can approve what "
                    + "a task does. Please use KillMySqlThreads of the service's other API.)"
            )
        case .taskNotFound:
            // What DAS says of an unknown task or result is not known; code and status are decided here.
            (.notFound, "TaskNotFound", "The specified task is not found.")
        case .resultNotFound:
            (.notFound, "ResultNotFound", "The specified result is not found.")
        case .internalError:
            (
                .internalServerError, "InternalError",
                "The request processing has failed due to some unknown error, exception or failure."
            )
        case .serviceUnavailable(let cause):
            (
                .serviceUnavailable, "ServiceUnavailable",
                "The request has failed due to a temporary failure of the server." + Self.words(of: cause)
            )
        }
    }

    /// What a database server said, behind the vendor's sentence.
    private static func words(of cause: any Error) -> String {
        guard let error = cause as? ServerError else { return "" }
        return " (\(error.description.beginning(bytes: longestWords)))"
    }

    /// The most bytes of a server's words.
    private static let longestWords = 300
}
