import RequestSigning

/// Why a request was rejected, as log and metrics tell it.
public protocol RequestRejection: Sendable {
    /// The code in the response.
    var responseCode: String { get }
    /// The code as a label of metrics: one of a few, with no text of the caller's.
    var codeLabel: String { get }
    /// Whether it is one of more calls than the account may make.
    var isOfRateLimit: Bool { get }
    /// What went wrong inside, where the response says less than the log should;
    /// nil if the caller alone is at fault.
    var cause: (any Error)? { get }
    /// What is wrong with the request, where the response does not name it.
    var defect: String? { get }
    /// The defect of what should prove who sent the request; nil if it was rejected for something else.
    var signatureDefect: RejectedSignature.Reason? { get }
}

/// What log and metrics say of a request and its response: never its target or
/// what of it is signed, in which a database password may be.
public struct ExchangeRecord<Rejection: RequestRejection>: Sendable {
    public let requestID: String
    /// The action's name as the caller wrote it, before it was known to exist.
    public let action: String?
    /// Whether there is an action of that name, in one version at least.
    public let actionExists: Bool
    /// The account's name; nil until the signature was verified.
    public let account: String?
    public let remoteAddress: String
    /// The rejection; nil for a success.
    public let rejection: Rejection?
    /// The signature, where the request was rejected for what should prove who sent it.
    public let rejectedSignature: RejectedSignature?
    public let duration: Duration

    /// - Parameter end: when the response was there.
    @inlinable
    public init(
        of exchange: Exchange<some Sendable>, rejection: Rejection?, rejectedSignature: RejectedSignature?,
        at end: ContinuousClock.Instant
    ) {
        requestID = exchange.requestID
        action = exchange.action
        actionExists = exchange.actionExists
        account = exchange.account
        remoteAddress = exchange.remoteAddress
        duration = exchange.startedAt.duration(to: end)
        self.rejection = rejection
        self.rejectedSignature = rejectedSignature
    }

    /// The action, if it exists: one of a few names, whatever callers write.
    public var knownAction: String? { actionExists ? action : nil }
}
