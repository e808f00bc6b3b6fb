/// What a call meets besides its work, or in its place.
public struct Fault: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// Nothing but ``delay``.
        case none
        /// It is rejected with a code of its API, and nothing is done.
        case rejection(Rejection)
        /// The connection ends without a response.
        case cut(Moment)
        /// The response ends after so many bytes of its body, and the connection with it.
        case truncated(afterBodyBytes: Int)
        /// A page with status 502 in place of the response, as a gateway sends that has lost its server.
        case badGateway(Moment)
    }

    /// When it strikes: whether what the call asks for is done, and only its response is lost.
    public enum Moment: String, Hashable, Sendable, Codable, CaseIterable {
        case beforeTheEffect = "before"
        case afterTheEffect = "after"
    }

    public let kind: Kind
    /// How long the call waits before anything is done, by the clock of its world.
    public let delay: Duration

    public init(_ kind: Kind, delay: Duration = .zero) {
        self.kind = kind
        self.delay = delay
    }

    /// Whether nothing of what the call asks for is done.
    var preventsTheEffect: Bool {
        switch kind {
        case .none, .truncated: false
        case .rejection: true
        case .cut(let moment), .badGateway(let moment): moment == .beforeTheEffect
        }
    }
}

/// What the work of a call is answered with that a fault prevented, where that answer is not sent.
struct PreventedByFault: Error, CustomStringConvertible {
    let description = "a fault of the stand-in prevented it"
}
