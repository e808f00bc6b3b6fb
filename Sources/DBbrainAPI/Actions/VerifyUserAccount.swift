import Accounts
import ActionDispatch
import SessionKill
import TencentCloudErrors

/// Tries whether a database account can log in.
///
/// Source: the action's page of 2021-05-27.
struct VerifyUserAccountRequest: Decodable, Sendable {
    var InstanceId: String
    var User: String
    var Password: DatabasePassword
    var Product: Product?
}

public struct VerifyUserAccountResponse: Codable, Sendable {
    /// The vendor's is good for five minutes, for CreateSqlFilter and its like.
    /// killd serves no action that takes one, so it does not keep it either.
    public var SessionToken: String
}

extension DBbrain {
    func verifyUserAccount(_ request: VerifyUserAccountRequest, _ call: Call) async throws -> VerifyUserAccountResponse
    {
        let managed = try instance(request.InstanceId, product: request.Product, for: call)
        try call.require(.list, on: managed.resource(for: call.account))
        do {
            let login = try DatabaseLogin(user: request.User, password: request.Password)
            try await inDialect { try await managed.instance.server.withConnection(as: login) { _ in } }
        } catch DatabaseLogin.Defect.user {
            throw TencentCloudError.invalidValue(request.User, of: "User")
        } catch DatabaseLogin.Defect.password {
            throw TencentCloudError.failedOperation(.callerLoginRefused)
        } catch let failure as ActionFailure {
            guard case .failedOperation(.loginRefused) = failure.error else { throw failure }
            throw ActionFailure(.failedOperation(.callerLoginRefused), cause: failure.cause)
        }
        return VerifyUserAccountResponse(SessionToken: try SessionToken.random().rawValue)
    }
}
