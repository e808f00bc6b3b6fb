import Accounts
import Parameters
import TencentCloudErrors

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

/// A call of an action: who calls, and under which id.
public struct Call: Sendable {
    public let requestID: String
    public let action: String
    public let account: Account

    public init(requestID: String, action: String, account: Account) {
        self.requestID = requestID
        self.action = action
        self.account = account
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
}
