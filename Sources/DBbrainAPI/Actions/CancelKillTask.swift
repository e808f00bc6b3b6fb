import Accounts
import ActionDispatch
import SessionKill
import TencentCloudErrors

/// Ends the running kill task of an instance: after the response it kills nobody.
///
/// What the vendor responds where there is none is not documented. Here it is
/// `ResourceNotFound`: success would let the caller believe that something was
/// stopped.
public struct CancelKillTaskRequest: Codable, Sendable {
    public var InstanceId: String
    public var Product: Product?

    public init(InstanceId: String, Product: Product? = nil) {
        self.InstanceId = InstanceId
        self.Product = Product
    }
}

extension DBbrain {
    func cancelKillTask(_ request: CancelKillTaskRequest, _ call: Call) async throws -> KillTaskResponse {
        let managed = try instance(request.InstanceId, product: request.Product, for: call)
        try call.require(.rule, on: managed.resource(for: call.account))
        try await inDialect { try await tasks.cancel(on: managed.instance.id, by: call.accountName) }
        return KillTaskResponse()
    }
}
