import RequestSigning
import HTTPServer
import Parameters
import RequestDispatch
import SessionKill
import Synchronization
import Text

/// A request that a world has received, and what became of it as far as that is known.
final class LoggedRequest: Sendable {
    /// Counts the requests of a world from 1.
    let number: Int
    let api: CloudAPI
    let at: UnixTime
    let request: HTTPRequest
    private let outcome = Mutex(Outcome())

    /// What is known of a request once it is answered.
    struct Outcome: Sendable {
        var requestID: String?
        /// The action as the request names it.
        var action: String?
        /// The account's name; nil unless the signature is verified.
        var account: String?
        /// The code that it was rejected with.
        var code: String?
        /// The status of the response; nil if there was none, or none yet.
        var status: HTTPStatus?
        var isAnswered = false
        /// Whether a fault let the client have less than the response.
        var isCut = false
    }

    init(number: Int, api: CloudAPI, at: UnixTime, _ request: HTTPRequest) {
        self.number = number
        self.api = api
        self.at = at
        self.request = request
    }

    var known: Outcome { outcome.withLock { $0 } }

    func note(_ record: ExchangeRecord<some RequestRejection>) {
        outcome.withLock { outcome in
            outcome.requestID = record.requestID
            outcome.action = record.action
            outcome.account = record.account
            outcome.code = record.rejection?.responseCode
        }
    }

    func note(_ response: HTTPResponse) {
        outcome.withLock { outcome in
            outcome.isAnswered = true
            outcome.isCut = response.delivery != .whole
            outcome.status = response.delivery == .nothing ? nil : response.status
        }
    }
}

extension LoggedRequest {
    /// The parameters, without what proves who sent them and without passwords.
    ///
    /// - Returns: nil if they are not of a form that the API reads.
    var parameters: ParameterTree? {
        let query = (try? FormPairs((request.query ?? "").utf8))?.pairs ?? []
        var members: [ParameterTree.Member] = []
        switch request.mediaType {
        case .form:
            guard let form = try? FormPairs(request.body) else { return nil }
            members = Self.members(of: query + form.pairs)
        case _ where request.body.isEmpty: members = Self.members(of: query)
        default:
            guard case .object(let ofBody)? = try? ParameterTree(json: request.body) else { return nil }
            members = Self.members(of: query) + ofBody
        }
        return ParameterTree.object(members).redacted
    }

    private static func members(of pairs: [FormPairs.Pair]) -> [ParameterTree.Member] {
        pairs.map { ParameterTree.Member(name: $0.name, value: .text($0.value)) }
    }
}

extension ParameterTree {
    fileprivate var redacted: ParameterTree {
        switch self {
        case .object(let members):
            .object(
                members.map { member in
                    ParameterTree.Member(
                        name: member.name, value: member.name.isNameOfSecret ? .string("***") : member.value.redacted)
                })
        case .array(let elements): .array(elements.map(\.redacted))
        case .string, .number, .boolean, .null, .text: self
        }
    }
}
