import Accounts
import Parameters

/// An action of DAS: what a request decodes to and what responds to it.
public protocol DASAction: Sendable {
    /// Named and spelled as in the API; its `CodingKeys` are all the parameters
    /// there are.
    ///
    /// What is decoded has no parameter that was sent blank, see ``mayBeBlank``.
    /// Values are text, as a query has it; a caller that sends a JSON body may also
    /// have numbers, booleans and arrays there.
    associatedtype Request: Decodable & Sendable

    /// The name, case-sensitive.
    static var name: String { get }
    /// The permissions that an account needs, all of them; who lacks one is
    /// rejected with `NoPermission` before the parameters are read.
    static var needs: Set<Permission> { get }
    /// The parameters that may be sent blank or null, and are then as if they were
    /// not sent; `nil` if all may. An action that kills rejects the others by name:
    /// a variable that was not set would end more sessions than were meant.
    static var mayBeBlank: [String]? { get }

    /// - Throws: `DASError` where the API has a code for it.
    func respond(to request: Request, for call: DASCall) async throws(DASError) -> DASResponse
}

/// A call of an action: who calls, and under which id.
public struct DASCall: Sendable {
    /// The id of the response, an upper-case UUID.
    public let requestID: String
    public let account: Account

    public init(requestID: String, account: Account) {
        self.requestID = requestID
        self.account = account
    }
}

extension DASAction {
    static var mayBeBlank: [String]? { nil }

    /// Reads the parameters, then leaves only the work to be done.
    func bind(_ parameters: ParameterTree) throws(ParameterError) -> BoundDASAction {
        let request = try ParameterDecoder().decode(Request.self, from: parameters)
        return BoundDASAction { call throws(DASError) in try await respond(to: request, for: call) }
    }
}

/// An action with its request.
struct BoundDASAction: Sendable {
    let work: @Sendable (DASCall) async throws(DASError) -> DASResponse
}
