import HTTPServer
import Text

/// One request and its response, as far as is known of them by now.
///
/// - `Form`: what the request says of how its response is to be written.
public struct Exchange<Form: Sendable>: Sendable {
    /// The id of the response; empty only if none could be made.
    public var requestID = ""
    /// The action's name as the caller wrote it, before it was known to exist.
    public var action: String?
    /// Whether there is an action of that name, in one version at least.
    public var actionExists = false
    /// The account's name; nil until the signature is verified.
    public var account: String?
    /// The id of the key that the request says it is signed with.
    public var claimedKeyID: String?
    public var form: Form
    /// What is sent in place of the response; nil for the response.
    public var deliver: (@Sendable (HTTPResponse) -> HTTPResponse)?
    public let remoteAddress: String
    public let startedAt: ContinuousClock.Instant
    @usableFromInline let headers: HTTPHeaders

    @inlinable
    public init(_ request: HTTPRequest, form: Form, startedAt: ContinuousClock.Instant) {
        self.form = form
        self.startedAt = startedAt
        remoteAddress = request.remoteAddress
        headers = request.headers
    }

    /// The `Host` that came; empty without one.
    @inlinable
    public var host: String { headers["Host"] ?? "" }

    /// Notes which action is asked for; one whose name is too long for any is as
    /// good as none.
    @inlinable
    public mutating func note(action name: String, in actions: NameTable<some Sendable>) {
        guard name.canBeName else { return }
        action = name
        actionExists = actions[name] != nil
    }
}
