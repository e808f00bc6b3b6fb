import Parameters
import RequestSigning

/// A statement about the API: requests, and what has to come back.
public struct Fixture: Sendable {
    /// The file's path below the folder.
    public let file: String
    public let name: String
    public let evidence: Evidence
    /// The vendor's page, where it was seen, or where the decision stands.
    public let source: String
    public let api: CloudAPI
    public let action: String
    public let needs: Need
    public let steps: [Step]
}

/// How it is known that the vendor's service does so.
public enum Evidence: String, CaseIterable, Sendable {
    case documented
    case seen
    /// The vendor leaves it open, and killd has decided.
    case ours
}

extension CloudAPI {
    /// The version that its requests are for, unless they name another.
    var version: String {
        switch self {
        case .dbbrain: "2021-05-27"
        case .das: "2020-01-16"
        }
    }
}

/// The servers to which a fixture can be sent.
public enum Need: Hashable, Sendable {
    case anyServer
    /// A stand-in that has this seed, a file of the folder `seeds`.
    case seed(String)
}

/// A request and its response.
public struct Step: Sendable {
    public let request: StepRequest
    public let expected: Expectation
    /// What later steps know by these names: paths in the body.
    public let captures: [(name: String, path: String)]
    /// The request is sent again until its response is as expected, so often.
    public let attempts: Int
    /// Between two of them, in milliseconds.
    public let pause: Int
    /// Why it ends nobody, whatever its action could do.
    public let endsNobody: String?
}

/// A request as it is to be sent. Texts may hold `{{NAME}}`.
public struct StepRequest: Sendable {
    public let api: CloudAPI
    /// The API of the address to which it is sent.
    public let destination: CloudAPI
    public let action: String
    public let version: String
    /// An object.
    public let parameters: ParameterTree
    /// The bytes in place of ``parameters``.
    public let body: String?
    /// Whose key it is signed with; that of the verification, if nobody's.
    public let person: String?
    public let method: String
    public let signing: Signing
    /// Headers that are set or, where nil, left out, whatever else was to be sent; not signed.
    public let headers: [(name: String, value: String?)]

    public struct Signing: Sendable {
        public enum Scheme: String, CaseIterable, Sendable {
            case tc3, v1, rpc, acs3, none
        }
        public let scheme: Scheme
        /// In place of the one that the key belongs to.
        public let secretID: String?
        /// Whether it is signed with a key that is nobody's.
        public let hasWrongKey: Bool
        public let secondsAgo: Int
        /// Of DAS; a fresh one, if not given.
        public let nonce: String?
        /// Of DAS: common parameters that are set or left out before it is signed.
        public let common: [(name: String, value: String?)]
    }
}

/// What a response has to be.
public struct Expectation: Sendable {
    public let status: Int
    /// By lower-case name.
    public let headers: [(name: String, value: ParameterTree)]
    /// A ``Pattern``'s text; nil if the body may be anything.
    public let body: ParameterTree?
    /// The same for a body that is no JSON.
    public let text: ParameterTree?
}
