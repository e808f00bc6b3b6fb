import Accounts
import Cryptography
import HTTPServer
import Parameters
import RateLimiting
import RequestDispatch
import RequestSigning
import Synchronization
import TencentCloudErrors
import Text

/// The API of Tencent Cloud: responds to HTTP requests by their `X-TC-Action`.
public final class Dispatcher: RequestDispatcher {
    public typealias Failure = any Error

    public let clock: RequestClock
    public let accounts: NameTable<Account>
    public let record: @Sendable (ExchangeRecord<ActionRejection>) -> Void
    private let actions: NameTable<[APIVersion: Action]>
    private let settings: Settings
    private let limiter: Mutex<RateLimiter<RateKey>>
    private let signingKeys = TC3SigningKeys()
    private let usedSignatures: UsedSignatures
    private let interceptor: Interceptor<any Error>?

    public struct Settings: Sendable {
        /// Names that clients may have signed as `host`, beside the vendor's
        /// and the one that they sent.
        public var signedHosts: ServerNames
        /// Regions of the configured instances. Each has a rate limit of its
        /// own; every other one, and none, share one.
        public var regions: Set<String>
        /// What is said instead of texts of ours.
        public var messages: MessageOverrides
        /// Ids that one request may name.
        public var maximumThreads: Int
        public var signatureChecks: SignatureChecks

        public init(
            signedHosts: ServerNames, regions: Set<String>, messages: MessageOverrides = .none,
            maximumThreads: Int = 1_000, signatureChecks: SignatureChecks = .all
        ) {
            self.signedHosts = signedHosts
            self.regions = regions
            self.messages = messages
            self.maximumThreads = maximumThreads
            self.signatureChecks = signatureChecks
        }
    }

    /// - Parameters:
    ///   - accounts: no two with the same `secretID`.
    ///   - usedSignatures: those of all dispatchers that a killd had, one after the
    ///     other.
    ///   - interceptor: asked once for each call that has passed all gates.
    ///   - record: called once for each request that was responded to.
    public init(
        actions: [Action], accounts: [Account], limiter: RateLimiter<Dispatcher.RateKey>,
        usedSignatures: UsedSignatures, settings: Settings, clock: RequestClock,
        interceptor: Interceptor<any Error>? = nil,
        record: @escaping @Sendable (ExchangeRecord<ActionRejection>) -> Void
    ) {
        self.actions = NameTable(
            actions.map { action in (action.name, action.versions.reduce(into: [:]) { $0[$1] = action }) },
            merge: { earlier, later in earlier.merging(later) { _, later in later } })
        self.accounts = NameTable(accounts.map { ($0.secretID, $0) })
        self.limiter = Mutex(limiter)
        self.usedSignatures = usedSignatures
        self.settings = settings
        self.clock = clock
        self.interceptor = interceptor
        self.record = record
    }

    /// What a rate limit counts: an account's calls of one action in one region.
    public struct RateKey: Hashable, Sendable {
        @Exact var account: String
        @Exact var region: String?
        @Exact var action: String
    }

    // MARK: Responses

    public static func makeRequestID() throws -> String { try randomUUID() }

    /// The id of the key that a request says it is signed with, before anything of it is checked; nil if it names none.
    public static func claimedKeyID(of request: HTTPRequest) -> String? { IncomingRequest.claimedSecretID(of: request) }

    public static var productNotFound: any Error { TencentCloudError.noSuchProduct }

    public func form(of head: HTTPRequest) -> ResponseForm {
        ResponseForm(
            // Signatures of version 1 have a parameter instead, which is read later.
            language: Language(requested: head.headers["X-TC-Language"]),
            traceID: head.headers["X-TC-TraceId"].flatMap { $0.canBeName ? $0 : nil })
    }

    public func rejection(
        for failure: any Error, _ exchange: Exchange<ResponseForm>
    ) -> (ActionRejection, HTTPResponse) {
        if let scripted = failure as? ScriptedRejection {
            return (
                ActionRejection(code: scripted.code, cause: nil, signatureDefect: nil),
                exchange.envelope.failure(scripted.code, scripted.message)
            )
        }
        let (error, cause) = TencentCloudError.inDialect(failure)
        let (code, message) = settings.messages.codeAndMessage(of: error, in: exchange.form.language)
        let rejection = ActionRejection(code: code, cause: cause, signatureDefect: RejectedSignature.Reason(error))
        return (rejection, exchange.envelope.failure(code, message))
    }

    /// The response to a request that the HTTP server does not take: in the API's
    /// words where the API has some.
    public func rejection(of error: HTTPProtocolError) -> HTTPResponse {
        Self.rejection(of: error, messages: settings.messages)
    }

    public static func rejection(
        of error: HTTPProtocolError, messages: MessageOverrides
    ) -> HTTPResponse {
        let limit: Int
        switch error.status {
        case .contentTooLarge: limit = IncomingRequest.bodyLimit
        case .uriTooLong: limit = IncomingRequest.queryLimit
        default: return error.response
        }
        guard let requestID = try? makeRequestID() else { return error.response }
        let (code, message) = messages.codeAndMessage(
            of: .requestSizeLimitExceeded(limit: limit), in: .english)
        return Envelope(requestID: requestID, traceID: nil).failure(code, message)
    }

    // MARK: Gates

    public func allowedBody(
        of head: HTTPRequest, _ exchange: inout Exchange<ResponseForm>
    ) throws -> (bytes: Int, rejection: any Error) {
        let (bytes, rejection) = try IncomingRequest.allowance(of: head)
        let incoming = try IncomingRequest(head, mostPairs: mostPairs)
        if incoming.isSignedInHeader { _ = try identify(incoming, &exchange) }
        return (bytes, rejection)
    }

    /// The gates, in the order of the reference's section 3.4.
    ///
    /// Before it is known that the key exists nothing costs more the longer the
    /// body is; a body is hashed before it is parsed, and parsed before its
    /// parameters are sorted.
    public func admit(
        _ request: HTTPRequest, _ exchange: inout Exchange<ResponseForm>
    ) throws -> AdmittedWork<ResponseForm, any Error> {
        let incoming = try IncomingRequest(request, mostPairs: mostPairs) { self.accounts[$0] != nil }
        let claim = try identify(incoming, &exchange)
        let (name, account) = (claim.action, claim.account)
        let mark = try verify(claim, token: incoming[.token])
        exchange.account = account.name
        let version = claim.version.canBeName ? APIVersion(rawValue: claim.version) : nil
        let known = version.flatMap { actions[name]?[$0] }
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
            if isChange { usedSignatures.spend(mark, of: account.secretID, at: memoryTime) }
            throw TencentCloudError.requestLimitExceeded(count: count, limit: limit)
        }

        var work: Action.Work
        do {
            work = try action.bind(try incoming.parameters())
        } catch {
            if isChange { usedSignatures.spend(mark, of: account.secretID, at: memoryTime) }
            throw error
        }
        if let interception = interceptor?(name, account) {
            exchange.deliver = interception.deliver
            work = { [work] call in
                try await interception.before()
                return try await work(call)
            }
        }
        let call = Call(
            requestID: exchange.requestID, action: name, account: account, address: exchange.remoteAddress,
            signature: claim.signature)
        guard isChange else { return { [work] exchange in try exchange.envelope.success(try await work(call)) } }
        let outcome = try usedSignatures.once(mark, of: account.secretID, action: name, at: memoryTime) {
            // Not part of the request's own task: a repetition may wait for it too.
            Task { [work] in try await work(call) }
        }
        return { exchange in try exchange.envelope.success(try await outcome.value) }
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
        case .decidesOnce:
            // Whatever the account may do otherwise: what is kept of the request is to prove what was decided.
            guard mark.unsignedPayload == nil else { try refuseUnsigned(mark, of: account) }
            use = .decision
        case .rejected:
            guard mark.unsignedPayload == nil || account.mayLeavePayloadUnsigned else {
                try refuseUnsigned(mark, of: account)
            }
            return true
        }
        try usedSignatures.note(mark, of: account.secretID, for: use, at: memoryTime)
        return false
    }

    private func refuseUnsigned(_ mark: SignatureMark, of account: Account) throws(TencentCloudError) -> Never {
        usedSignatures.spend(mark, of: account.secretID, at: memoryTime)
        throw .invalidAuthorization(.unsignedPayload)
    }

    /// The sender that a request says it is from, and what it says of itself beside
    /// its parameters; nothing of it is proven.
    private struct Claim {
        let action: String
        let version: String
        let region: String?
        let signature: any SignedRequest
        let account: Account
    }

    private func identify(_ incoming: IncomingRequest, _ exchange: inout Exchange<ResponseForm>) throws -> Claim {
        exchange.form.language = Language(requested: incoming[.language])
        try incoming.rejectRepetition()
        let name = try incoming.required(.action)
        exchange.note(action: name, in: actions)
        let version = try incoming.required(.version)
        let timestampText = try incoming.required(.timestamp)
        guard let timestamp = Int64(timestampText) else {
            throw TencentCloudError.invalidValue(timestampText, of: CommonParameter.timestamp.rawValue)
        }
        let region = incoming[.region].flatMap { $0.canBeName ? $0 : nil }
        let signature = try incoming.signature(
            timestamp: timestamp, region: region, signedHosts: settings.signedHosts)
        exchange.claimedKeyID = signature.secretID
        guard let account = accounts[signature.secretID] else { throw TencentCloudError.secretIDNotFound }
        return Claim(action: name, version: version, region: region, signature: signature, account: account)
    }

    private func verify(_ claim: Claim, token: String?) throws -> SignatureMark {
        let (account, signature, checks) = (claim.account, claim.signature, settings.signatureChecks)
        let time = checks.time(now: clock.now(), timestamp: signature.mark.timestamp)
        switch try signature.verify(secretKey: account.secretKey, at: time, keys: signingKeys) {
        case .verified: break
        case .expired(let serverTime): throw TencentCloudError.signatureExpired(serverTime: serverTime)
        case .mismatched: if checks.match { throw TencentCloudError.signatureFailure }
        }
        guard account.accepts(token: token) else { throw TencentCloudError.tokenFailure }
        if let parameter = signature.ambiguousParameter {
            // Used up, or somebody else could send it as what it is not.
            usedSignatures.spend(signature.mark, of: account.secretID, at: memoryTime)
            throw TencentCloudError.ambiguousSignature(parameter: parameter)
        }
        return signature.mark
    }

    /// What it goes by which signatures are forgotten. Where none is too old, none is, before there are too many.
    private var memoryTime: Int64 { settings.signatureChecks.age ? clock.now() : 0 }

    private var mostPairs: Int { IncomingRequest.pairs(forThreads: settings.maximumThreads) }

    private static let service = "dbbrain"
}
