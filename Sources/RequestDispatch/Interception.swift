import Accounts
import HTTPServer

/// What becomes of one call besides its work: how a stand-in makes the faults that clients are tested with.
///
/// It is asked for when the call has passed all gates, so that it proves nothing of a request that killd would reject.
public struct Interception<Failure: Error>: Sendable {
    /// Runs before the work. What it throws is answered in its place, and nothing is done.
    public let before: @Sendable () async throws(Failure) -> Void
    /// What is sent in place of the response, which may also be a rejection.
    public let deliver: @Sendable (HTTPResponse) -> HTTPResponse

    public init(
        before: @escaping @Sendable () async throws(Failure) -> Void = {},
        deliver: @escaping @Sendable (HTTPResponse) -> HTTPResponse = { $0 }
    ) {
        self.before = before
        self.deliver = deliver
    }
}

/// The function that tells what becomes of a call; `nil` for nothing but its work.
public typealias Interceptor<Failure: Error> =
    @Sendable (_ action: String, _ account: Account) -> Interception<Failure>?
