import RequestSigning
import ActionDispatch
import DASAPI
import SessionKill
import TencentCloudErrors
import Text

/// A code of an API that a fault answers with.
public enum Rejection: Sendable {
    case dbbrain(ErrorCode)
    case das(DASError)

    public var code: String {
        switch self {
        case .dbbrain(let code): code.rawValue
        case .das(let error): error.code
        }
    }
}

extension Rejection: Hashable {
    public static func == (left: Rejection, right: Rejection) -> Bool {
        switch (left, right) {
        case (.dbbrain, .dbbrain), (.das, .das): left.code.isSame(as: right.code)
        case (.dbbrain, .das), (.das, .dbbrain): false
        }
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(ExactText(code)) }
}

extension CloudAPI {
    /// All codes that a fault can answer with.
    public var codes: [String] {
        switch self {
        case .dbbrain: ErrorCode.allCases.map(\.rawValue)
        case .das: DASError.scripted.map(\.code)
        }
    }

    /// - Returns: nil for a code that the API does not have.
    func rejection(_ code: String) -> Rejection? {
        switch self {
        case .dbbrain: ErrorCode(rawValue: code).map(Rejection.dbbrain)
        case .das: DASError.scripted.first { $0.code.isSame(as: code) }.map(Rejection.das)
        }
    }
}

extension DASError {
    /// One for each code that any call of a client may meet, whatever it asks.
    fileprivate static var scripted: [DASError] {
        [
            .accessKeyNotFound, .incompleteSignature, .invalidSignatureMethod, .malformedTimestamp, .expiredTimestamp,
            .nonceUsed, .productNotFound, .missingSecurityToken, .wrongSecurityToken, .invalidFormat, .actionNotFound,
            .unsupportedMethod, .throttled(retryAfter: .seconds(1)), .invalidParameters(.unknownInstance),
            .noPermission, .taskNotFound, .resultNotFound, .internalError(cause: PreventedByFault()),
            .serviceUnavailable(cause: PreventedByFault()),
        ]
    }
}
