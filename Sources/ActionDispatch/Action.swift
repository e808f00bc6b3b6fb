import Accounts
import Parameters
import RequestSigning
import TencentCloudErrors
import Text

/// One row of the table of actions: what a request decodes to and what responds to it.
public struct Action: Sendable {
    public let name: String
    public let versions: Set<APIVersion>
    /// What a request of it may do that comes a second time.
    let repetition: Repetition
    /// Reads the parameters, then leaves only the work to be done.
    let bind: @Sendable (ParameterTree) throws -> Work

    typealias Work = @Sendable (Call) async throws -> any Encodable & Sendable

    public enum Repetition: Sendable {
        /// The action changes nothing, so a request may be carried out any number of
        /// times.
        case changesNothing
        /// The action sees to it by itself that a repetition ends nobody.
        case endsNobody
        /// The action sees to it by itself that a repetition changes nothing. Its signature covers what it asks for,
        /// and is good for no action of another kind.
        case decidesOnce
        /// The action is carried out once for each signature.
        case rejected
    }

    /// - Parameters:
    ///   - request: named and spelled as in the API; its `CodingKeys` are all
    ///     the parameters there are.
    ///   - respond: throws `TencentCloudError` where the API has a code for it.
    public init<Request: Decodable & Sendable, Response: Encodable & Sendable>(
        _ name: String, versions: Set<APIVersion> = [.v20210527], repetition: Repetition = .changesNothing,
        request: Request.Type, respond: @escaping @Sendable (Request, Call) async throws -> Response
    ) {
        self.name = name
        self.versions = versions
        self.repetition = repetition
        bind = { parameters in
            let request = try ParameterDecoder().decode(Request.self, from: parameters)
            return { call in try await respond(request, call) }
        }
    }
}

/// A version of DBbrain's API.
public enum APIVersion: String, Sendable, CaseIterable {
    case v20210527 = "2021-05-27"
    case v20191016 = "2019-10-16"
}

/// A call of an action: who calls, from where, and under which id.
public struct Call: Sendable {
    public let requestID: String
    public let action: String
    public let account: Account
    /// Where it came from, without the port.
    public let address: String
    private let signature: any SignedRequest

    init(requestID: String, action: String, account: Account, address: String, signature: any SignedRequest) {
        self.requestID = requestID
        self.action = action
        self.account = account
        self.address = address
        self.signature = signature
    }
}

extension Call {
    /// - Parameter resource: how the message names what was to be acted on.
    /// - Throws: `AuthFailure.UnauthorizedOperation` unless the account may.
    public func require(_ permission: Permission, on resource: String) throws(TencentCloudError) {
        guard account.permissions.contains(permission) else {
            throw .unauthorizedOperation(requestID: requestID, operation: "dbbrain:\(action)", resource: resource)
        }
    }

    /// The request as it came, with all that its signature covers: it proves later who asked for what.
    ///
    /// - Throws: `AuthFailure.InvalidAuthorization` if the signature does not cover the payload,
    ///   `RequestSizeLimitExceeded` if more would have to be kept than a request needs that asks for little.
    public func keep() throws -> KeptSignature {
        guard let kept = try signature.kept(secretKey: account.secretKey) else {
            throw TencentCloudError.invalidAuthorization(.unsignedPayload)
        }
        guard kept.text.utf8.count <= Self.longestKept else {
            throw TencentCloudError.requestSizeLimitExceeded(limit: Self.longestKept)
        }
        return kept
    }

    /// Bytes: ten times as many as the longest comment needs.
    private static let longestKept = 16 << 10
}

extension KeptSignature {
    /// The parameters of the action that it asked for.
    ///
    /// - Returns: nil if it asked for another action, as far as the signature tells, or for one with other parameters.
    public func request<Request: Decodable>(_ type: Request.Type, of action: String) -> Request? {
        if let signed = self.action, !signed.utf8.isSameWord(as: action) { return nil }
        guard let parameters = try? parameters() else { return nil }
        return try? ParameterDecoder().decode(type, from: parameters)
    }

    private func parameters() throws -> ParameterTree {
        switch content {
        case .json(let body): try ParameterTree(json: body)
        case .query(let query): try ParameterTree(flattened: try FormPairs(query.utf8).pairs)
        case .parameters(let pairs): try ParameterTree(flattened: pairs.filter { !CommonParameter.isName($0.name) })
        }
    }
}
