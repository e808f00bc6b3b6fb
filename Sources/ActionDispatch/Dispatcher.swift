import Accounts
import Cryptography
import HTTPServer
import Parameters
import RateLimiting
import RequestSigning
import Synchronization
import TencentCloudErrors
import Text

/// Responses HTTP requests by their `X-TC-Action`.
public final class Dispatcher: Sendable {
    private let actions: [ActionKey: Action]
    private let actionNames: Set<ExactText>
    private let accounts: [ExactText: Account]
    private let settings: Settings
    private let clock: Clock
    private let limiter: Mutex<RateLimiter<RateKey>>
    private let signingKeys = TC3SigningKeys()
    private let usedSignatures: UsedSignatures
    private let record: @Sendable (AnsweredRequest) -> Void

    public struct Settings: Sendable {
        /// Names that clients may have signed as `host`, beside the vendor's
        /// and the one that they sent.
        public var signedHosts: ServerNames
        /// Regions of the configured instances. Each has a rate limit of its
        /// own; every other one, and none, share one.
        public var regions: Set<String>
        /// What is said in the place of texts of ours.
        public var messages: MessageOverrides
        /// Ids that one request may name.
        public var maximumThreads: Int

        public init(
            signedHosts: ServerNames, regions: Set<String>, messages: MessageOverrides = .none,
            maximumThreads: Int = 1_000
        ) {
            self.signedHosts = signedHosts
            self.regions = regions
            self.messages = messages
            self.maximumThreads = maximumThreads
        }
    }

    public struct Clock: Sendable {
        /// Unix time in seconds.
        public var now: @Sendable () -> Int64
        public var monotonic: @Sendable () -> ContinuousClock.Instant

        public init(
            now: @escaping @Sendable () -> Int64, monotonic: @escaping @Sendable () -> ContinuousClock.Instant
        ) {
            self.now = now
            self.monotonic = monotonic
        }
    }

    /// - Parameters:
    ///   - accounts: no two with the same `secretID`.
    ///   - usedSignatures: those of all dispatchers that a killd had, one after the
    ///     other.
    ///   - record: called once for each answered request.
    public init(
        actions: [Action], accounts: [Account], limiter: RateLimiter<Dispatcher.RateKey>,
        usedSignatures: UsedSignatures, settings: Settings, clock: Clock,
        record: @escaping @Sendable (AnsweredRequest) -> Void
    ) {
        self.actions = actions.reduce(into: [:]) { table, action in
            for version in action.versions { table[ActionKey(name: action.name, version: version)] = action }
        }
        actionNames = Set(actions.map { ExactText($0.name) })
        self.accounts = Dictionary(
            accounts.map { (ExactText($0.secretID), $0) }, uniquingKeysWith: { first, _ in first })
        self.limiter = Mutex(limiter)
        self.usedSignatures = usedSignatures
        self.settings = settings
        self.clock = clock
        self.record = record
    }

    /// What a rate limit counts: an account's calls of one action in one region.
    public struct RateKey: Hashable, Sendable {
        @Exact var account: String
        @Exact var region: String?
        @Exact var action: String
    }

    private struct ActionKey: Hashable {
        @Exact var name: String
        let version: APIVersion
    }

    /// The one function that joins the HTTP server to the API.
    ///
    /// Nothing is done on the event loop: verifying a signature takes longer
    /// than all else that is done there for a request.
    public func respond(to request: HTTPRequest) -> PendingResponse {
        .offloaded { self.process(request) }
    }

    /// How long the body of a request may be of which only the head has come. A
    /// long one is read only for an account, as far as the head names one.
    public func allowance(of head: HTTPRequest) -> BodyAllowance {
        var exchange = Exchange(head, startedAt: clock.monotonic())
        do {
            exchange.requestID = try randomUUID()
            let (bytes, rejection) = try IncomingRequest.allowance(of: head)
            let incoming = try IncomingRequest(head, mostPairs: mostPairs)
            if incoming.isSignedInHeader { _ = try identify(incoming, &exchange) }
            return BodyAllowance(bytes: bytes) { [exchange] in self.reject(rejection, exchange) }
        } catch {
            return BodyAllowance(bytes: 0) { [exchange] in self.reject(error, exchange) }
        }
    }

    /// What is said to a request that the HTTP server does not take: in the API's
    /// words where the API has some.
    public func rejection(of error: HTTPProtocolError) -> HTTPResponse {
        let limit: Int
        switch error.status {
        case .contentTooLarge: limit = IncomingRequest.bodyLimit
        case .uriTooLong: limit = IncomingRequest.queryLimit
        default: return error.response
        }
        guard let requestID = try? randomUUID() else { return error.response }
        let (code, message) = settings.messages.codeAndMessage(
            of: .requestSizeLimitExceeded(limit: limit), in: .english)
        return Envelope(requestID: requestID, traceID: nil).failure(code, message)
    }

    /// What a request is answered that has come to the listener of another API, where
    /// an answer in the words of that one would tell its client too little.
    public func rejectElsewhere(_ request: HTTPRequest) -> HTTPResponse {
        var exchange = Exchange(request, startedAt: clock.monotonic())
        do {
            exchange.requestID = try randomUUID()
            return reject(TencentCloudError.noSuchProduct, exchange)
        } catch {
            return reject(error, exchange)
        }
    }

    private func process(_ request: HTTPRequest) -> PendingResponse {
        var exchange = Exchange(request, startedAt: clock.monotonic())
        do {
            exchange.requestID = try randomUUID()
            let (call, work) = try pass(request, &exchange)
            return .async { [exchange] in
                do {
                    let response = try exchange.envelope.success(try await work(call))
                    self.record(exchange.answered(code: nil, cause: nil, at: self.clock.monotonic()))
                    return response
                } catch {
                    return self.reject(error, exchange)
                }
            }
        } catch {
            return .immediate(reject(error, exchange))
        }
    }

    private func reject(_ error: any Error, _ exchange: Exchange) -> HTTPResponse {
        let (spoken, cause) = inDialect(error)
        let (code, message) = settings.messages.codeAndMessage(of: spoken, in: exchange.language)
        let rejected = RejectedSignature.Reason(spoken).map {
            RejectedSignature(
                $0, host: exchange.host, keyID: exchange.claimedKeyID, secrets: accounts.values.map(\.secretKey))
        }
        record(exchange.answered(code: code, cause: cause, rejectedSignature: rejected, at: clock.monotonic()))
        return exchange.envelope.failure(code, message)
    }

    /// The gates, in the order of the reference's section 3.4.
    ///
    /// Before it is known that the key exists nothing costs more the longer the
    /// body is; a body is hashed before it is parsed, and parsed before its
    /// parameters are sorted.
    private func pass(_ request: HTTPRequest, _ exchange: inout Exchange) throws -> (Call, Action.Work) {
        let incoming = try IncomingRequest(request, mostPairs: mostPairs) { self.account(secretID: $0) != nil }
        let claim = try identify(incoming, &exchange)
        let (name, account) = (claim.action, claim.account)
        let mark = try verify(claim, token: incoming[.token])
        exchange.account = account.name
        let version = claim.version.utf8.count <= Self.longestName ? APIVersion(rawValue: claim.version) : nil
        let known = version.flatMap { version in
            name.utf8.count <= Self.longestName ? actions[ActionKey(name: name, version: version)] : nil
        }
        let isChange = try noteUse(of: mark, by: account, for: known?.repetition ?? .changesNothing)
        guard version != nil else {
            throw TencentCloudError.noSuchVersion(claim.version, service: Self.service)
        }
        guard let action = known else {
            throw TencentCloudError.invalidAction(name, service: Self.service, version: claim.version)
        }

        let key = RateKey(
            account: account.name,
            region: claim.region.flatMap { settings.regions.contains(where: $0.isSame) ? $0 : nil }, action: name)
        let admission = limiter.withLock { $0.admit(key, at: exchange.startedAt) }
        if case .rejected(let count, let limit) = admission {
            if isChange { usedSignatures.spend(mark, of: account.secretID, at: clock.now()) }
            throw TencentCloudError.requestLimitExceeded(count: count, limit: limit)
        }

        let work: Action.Work
        do {
            work = try action.bind(try incoming.parameters())
        } catch {
            if isChange { usedSignatures.spend(mark, of: account.secretID, at: clock.now()) }
            throw error
        }
        let call = Call(requestID: exchange.requestID, action: name, account: account)
        guard isChange else { return (call, work) }
        let outcome = try usedSignatures.once(mark, of: account.secretID, action: name, at: clock.now()) {
            // Not part of the request's own task: a repetition may wait for it too.
            Task { try await work(call) }
        }
        return (call, { _ in try await outcome.value })
    }

    /// Notes that a verified signature was used, whatever becomes of the request;
    /// one for a change is noted when that begins.
    ///
    /// - Returns: whether it is for a change.
    private func noteUse(
        of mark: SignatureMark, by account: Account, for repetition: Action.Repetition
    ) throws(TencentCloudError) -> Bool {
        let use: SignatureMemory.Use
        switch repetition {
        case .changesNothing: use = .changesNothing
        case .endsNobody: use = .endsNobody
        case .rejected:
            guard mark.unsignedPayload == nil || account.mayLeavePayloadUnsigned else {
                usedSignatures.spend(mark, of: account.secretID, at: clock.now())
                throw .invalidAuthorization(.unsignedPayload)
            }
            return true
        }
        try usedSignatures.note(mark, of: account.secretID, for: use, at: clock.now())
        return false
    }

    /// Who a request says it is from, and what it says of itself beside its
    /// parameters; nothing of it is proven.
    private struct Claim {
        let action: String
        let version: String
        let region: String?
        let signature: any SignedRequest
        let account: Account
    }

    private func identify(_ incoming: IncomingRequest, _ exchange: inout Exchange) throws -> Claim {
        exchange.language = Language(requested: incoming[.language])
        try incoming.rejectRepetition()
        let name = try incoming.required(.action)
        if name.utf8.count <= Self.longestName {
            exchange.action = name
            exchange.actionExists = actionNames.contains(ExactText(name))
        }
        let version = try incoming.required(.version)
        let timestampText = try incoming.required(.timestamp)
        guard let timestamp = Int64(timestampText) else {
            throw TencentCloudError.invalidValue(timestampText, of: CommonParameter.timestamp.rawValue)
        }
        let region = incoming[.region].flatMap { $0.utf8.count <= Self.longestName ? $0 : nil }
        let signature = try incoming.signature(
            timestamp: timestamp, region: region, signedHosts: settings.signedHosts)
        exchange.claimedKeyID = signature.secretID
        guard let account = account(secretID: signature.secretID) else { throw TencentCloudError.secretIDNotFound }
        return Claim(action: name, version: version, region: region, signature: signature, account: account)
    }

    private func account(secretID: String) -> Account? {
        secretID.utf8.count <= Self.longestName ? accounts[ExactText(secretID)] : nil
    }

    private func verify(_ claim: Claim, token: String?) throws -> SignatureMark {
        let (account, signature) = (claim.account, claim.signature)
        switch try signature.verify(secretKey: account.secretKey, at: clock.now(), keys: signingKeys) {
        case .verified: break
        case .expired(let serverTime): throw TencentCloudError.signatureExpired(serverTime: serverTime)
        case .mismatched: throw TencentCloudError.signatureFailure
        }
        guard account.accepts(token: token) else { throw TencentCloudError.tokenFailure }
        if let parameter = signature.ambiguousParameter {
            // Used up, or somebody else could send it as what it is not.
            usedSignatures.spend(signature.mark, of: account.secretID, at: clock.now())
            throw TencentCloudError.ambiguousSignature(parameter: parameter)
        }
        return signature.mark
    }

    private var mostPairs: Int { IncomingRequest.pairs(forThreads: settings.maximumThreads) }

    private static let service = "dbbrain"
    /// Longer names of actions, versions, regions and keys do not exist; in bytes.
    /// Hashing or comparing a string takes time quadratic in its combining marks,
    /// so none from outside is looked up unbounded.
    private static let longestName = 128
}

/// What is known of one request while it is answered.
private struct Exchange: Sendable {
    var requestID = ""
    var action: String?
    var actionExists = false
    var account: String?
    /// Whose key the request says it is signed with.
    var claimedKeyID: String?
    private let headers: HTTPHeaders
    var language: Language
    let traceID: String?
    let remoteAddress: String
    let startedAt: ContinuousClock.Instant

    init(_ request: HTTPRequest, startedAt: ContinuousClock.Instant) {
        // Signatures of version 1 have a parameter instead, which is read later.
        language = Language(requested: request.headers["X-TC-Language"])
        traceID = request.headers["X-TC-TraceId"].flatMap { $0.utf8.count <= 128 ? $0 : nil }
        remoteAddress = request.remoteAddress
        headers = request.headers
        self.startedAt = startedAt
    }

    /// The `Host` that came.
    var host: String { headers["Host"] ?? "" }

    var envelope: Envelope { Envelope(requestID: requestID, traceID: traceID) }

    func answered(
        code: ErrorCode?, cause: (any Error)?, rejectedSignature: RejectedSignature? = nil,
        at time: ContinuousClock.Instant
    ) -> AnsweredRequest {
        AnsweredRequest(
            requestID: requestID, action: action, actionExists: actionExists, account: account,
            remoteAddress: remoteAddress, code: code, cause: cause, rejectedSignature: rejectedSignature,
            duration: startedAt.duration(to: time))
    }
}

/// What log and metrics say of a request.
public struct AnsweredRequest: Sendable {
    public let requestID: String
    /// As the caller wrote it, before it was known to exist.
    public let action: String?
    /// Whether there is an action of that name, in one version at least.
    public let actionExists: Bool
    /// `nil` until the signature was verified.
    public let account: String?
    public let remoteAddress: String
    /// `nil` for success.
    public let code: ErrorCode?
    /// What went wrong inside, where the answer says less than the log should.
    public let cause: (any Error)?
    /// Where the request was refused for what should prove who sent it.
    public let rejectedSignature: RejectedSignature?
    public let duration: Duration

    /// The action, if it exists: one of a few names, whatever callers write.
    public var knownAction: String? { actionExists ? action : nil }
}

/// Any error in Tencent's dialect, where what has no code is an InternalError, and
/// what the log should say beyond that; `nil` if the caller alone is at fault.
private func inDialect(_ error: any Error) -> (TencentCloudError, cause: (any Error)?) {
    switch error {
    case let error as TencentCloudError: (error, nil)
    case let error as ParameterError: (TencentCloudError(error), nil)
    case let failure as ActionFailure: (failure.error, failure.cause)
    default: (.internalError, error)
    }
}

extension RejectedSignature.Reason {
    fileprivate init?(_ error: TencentCloudError) {
        switch error {
        case .invalidAuthorization: self = .malformed
        case .secretIDNotFound: self = .unknownKey
        case .signatureExpired: self = .expired
        case .signatureFailure: self = .mismatched
        case .tokenFailure: self = .token
        case .signatureUsed, .signatureForgotten: self = .repeated
        case .ambiguousSignature: self = .ambiguous
        default: return nil
        }
    }
}

extension TencentCloudError {
    fileprivate init(_ error: ParameterError) {
        self =
            switch error {
            case .malformed(_, .duplicateName(let name)): .repeatedParameter(name)
            case .malformed(let offset, _): .malformedJSON(offset: offset)
            case .notAnObject: .notAJSONObject
            case .malformedPair: .malformedPair
            case .tooManyPairs: .requestTooLargeForSignature
            case .malformedEscape(let offset): .malformedEscape(offset: offset)
            case .repeated(let path): .repeatedParameter(path)
            case .unknown(let path): .unknownParameter(path)
            case .missing(let path): .missingParameter(path)
            case .wrongType(let path): .wrongType(path)
            case .invalidValue(let path, let value): .invalidValue(value, of: path)
            }
    }
}
