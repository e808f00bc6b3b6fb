import Parameters
import Text

/// What is wrong with the parameters of a request that is rejected with `InvalidParams`,
/// for the log: the response has the vendor's text, which names none. Never a value,
/// which may be a password.
public enum ParameterDefect: Hashable, Sendable {
    /// It is not configured, or the account may not see it.
    case unknownInstance
    /// The instance has no such node.
    case unknownNode
    /// Ids of sessions are given without a node, and each node has others.
    case nodeMissing
    case noSessions
    case tooManySessions(count: Int, limit: Int)
    /// The parameter is no list, or one of its elements is none.
    case malformedList(parameter: String)
    /// The login cannot be one.
    case malformedLogin
    case malformedRequest(ParameterError)
    /// The content type of a body is neither of the two that are read.
    case unknownContentType
    /// A body of JSON comes with a signature that does not cover it.
    case unsignedBody
    case bodyTooLarge(limit: Int)
    /// The request is none of HTTP that is taken; the log has a line for that.
    case rejectedByHTTP
}

extension ParameterDefect: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unknownInstance: "InstanceId: not configured, or not the account's"
        case .unknownNode: "NodeId: the instance has no such node"
        case .nodeMissing: "NodeId: missing beside SessionIds, and the instance has nodes"
        case .noSessions: "SessionIds: missing or empty, and KillAllSessions is not true"
        case .tooManySessions(let count, let limit): "SessionIds: \(count) ids, at most \(limit) may be named"
        case .malformedList(let parameter): "\(parameter): not a list of what it should hold"
        case .malformedLogin: "DbUser or DbUserPassword: cannot be a login"
        case .malformedRequest(let error): Self.text(of: error)
        case .unknownContentType: "Content-Type: neither JSON nor a form, and there is a body"
        case .unsignedBody: "body: JSON, which a signature in the query does not cover"
        case .bodyTooLarge(let limit): "body: longer than \(limit) bytes"
        case .rejectedByHTTP: "the request is not taken on the level of HTTP"
        }
    }

    private static func text(of error: ParameterError) -> String {
        switch error {
        case .malformed(let offset, _): "body: not JSON, see byte \(offset)"
        case .notAnObject: "body: JSON, but no object"
        case .malformedPair: "query or form: a name without ="
        case .malformedEscape(let offset): "query or form: not URL encoding of UTF-8, see byte \(offset)"
        case .tooManyPairs: "query or form: too many parameters"
        case .missing(let path): "\(cut(path)): missing"
        case .unknown(let path): "\(cut(path)): the action has no such parameter"
        case .repeated(let path): "\(cut(path)): there more than once"
        case .wrongType(let path): "\(cut(path)): of another type"
        case .invalidValue(let path, _): "\(cut(path)): not one of its values"
        }
    }

    private static func cut(_ name: String) -> String {
        name.utf8.count <= 64 ? name : name.beginning(bytes: 64) + "..."
    }
}

extension DASError {
    /// What is wrong with the parameters, in the gateway's words: never with the
    /// value, which may be a password.
    init(_ error: ParameterError) {
        self =
            switch error {
            case .missing(let path) where Self.isName(path): .missing(parameter: path)
            case .unknown(let path) where Self.isName(path), .wrongType(let path) where Self.isName(path),
                .invalidValue(let path, _) where Self.isName(path), .repeated(let path) where Self.isName(path):
                .invalid(parameter: path)
            default: .invalidParameters(.malformedRequest(error))
            }
    }

    /// Whether a caller's text can be part of a code.
    private static func isName(_ path: String) -> Bool {
        (1...64).contains(path.utf8.count)
            && path.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: false
                }
            }
    }
}
