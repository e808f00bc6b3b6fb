import Accounts
import Cryptography
import HTTPServer
import Parameters
import RateLimiting
import RequestDispatch
import RequestSigning
import Synchronization
import Text

/// The API of Alibaba Cloud's DAS.
public final class DASDispatcher: RequestDispatcher {
    public let clock: RequestClock
    public let accounts: NameTable<Account>
    public let record: @Sendable (ExchangeRecord<DASError>) -> Void
    private let actions: NameTable<any DASAction>
    private let limiter: Mutex<RateLimiter<RateKey>>
    private let nonces: SeenNonces
    private let bodyLimit: Int
    private let signedHosts: ServerNames
    private let interceptor: Interceptor<DASError>?
    private let signatureChecks: SignatureChecks

    /// What a rate limit counts: an account's calls of one action.
    public struct RateKey: Hashable, Sendable {
        @Exact var account: String
        @Exact var action: String
    }

    /// - Parameters:
    ///   - actions: no two with the same name.
    ///   - accounts: no two with the same `secretID`, which is the AccessKeyId here.
    ///   - nonces: those of all dispatchers that a killd had, one after the other.
    ///   - maximumThreads: sessions that one request may name.
    ///   - signedHosts: names that clients may have signed as `host`, beside the one
    ///     that they sent.
    ///   - interceptor: asked once for each call that has passed all gates.
    ///   - record: called once for each request that was responded to.
    public init(
        actions: [any DASAction], accounts: [Account], limiter: RateLimiter<RateKey>, nonces: SeenNonces,
        clock: RequestClock, maximumThreads: Int = 1_000, signedHosts: ServerNames = .none,
        signatureChecks: SignatureChecks = .all, interceptor: Interceptor<DASError>? = nil,
        record: @escaping @Sendable (ExchangeRecord<DASError>) -> Void
    ) {
        self.actions = NameTable(actions.map { (type(of: $0).name, $0) })
        self.accounts = NameTable(accounts.map { ($0.secretID, $0) })
        self.limiter = Mutex(limiter)
        self.nonces = nonces
        self.clock = clock
        bodyLimit = Self.bodyBytes(forThreads: maximumThreads)
        self.signedHosts = signedHosts
        self.interceptor = interceptor
        self.signatureChecks = signatureChecks
        self.record = record
    }

    /// An id has ten digits, and a comma that may be escaped; all other parameters
    /// are short.
    private static func bodyBytes(forThreads count: Int) -> Int { 64 * 1_024 + 16 * count }

    // MARK: Responses

    /// The id of the key that a request says it is signed with, before anything of it is checked; nil if it names none.
    public static func claimedKeyID(of request: HTTPRequest) -> String? {
        IncomingDASRequest.claimedAccessKeyID(of: request)
    }

    /// Upper-case, as the vendor's are.
    public static func makeRequestID() throws(DASError) -> String {
        do {
            return try randomUUID().uppercased()
        } catch {
            throw .internalError(cause: error)
        }
    }

    public static var productNotFound: DASError { .productNotFound }

    /// JSON, until more than the head is known.
    public func form(of head: HTTPRequest) -> DASFormat { .json }

    public func rejection(for failure: DASError, _ exchange: Exchange<DASFormat>) -> (DASError, HTTPResponse) {
        (failure, exchange.envelope.failure(failure))
    }

    /// The response to a request that the HTTP server does not take: an object with
    /// code and message, since without one the Python SDK loses even the status.
    public static func rejection(of error: HTTPProtocolError) -> HTTPResponse {
        guard let requestID = try? Self.makeRequestID() else { return error.response }
        let spoken: DASError =
            error.status.rawValue < 500 ? .invalidParameters(.rejectedByHTTP) : .serviceUnavailable(cause: error)
        return DASEnvelope(requestID: requestID, host: "", format: .json)
            .failure(error.status, spoken.code, "\(spoken.message) (\(error))")
    }

    // MARK: Gates

    public func allowedBody(
        of head: HTTPRequest, _ exchange: inout Exchange<DASFormat>
    ) throws(DASError) -> (bytes: Int, rejection: DASError) {
        let incoming = try IncomingDASRequest(head)
        exchange.form = try incoming.format()
        if let id = incoming.accessKeyIDOfHead, accounts[id] == nil { throw .accessKeyNotFound }
        return (bodyLimit, .invalidParameters(.bodyTooLarge(limit: bodyLimit)))
    }

    /// The gates, in this order: common parameters, access key, signature method
    /// and version, timestamp, signature, nonce, API version and action, rate,
    /// rights, the action's parameters.
    ///
    /// Before it is known that the key exists nothing costs more the longer the
    /// body is, and a body of JSON is hashed before it is parsed.
    public func admit(
        _ request: HTTPRequest, _ exchange: inout Exchange<DASFormat>
    ) throws(DASError) -> AdmittedWork<DASFormat, DASError> {
        let incoming = try IncomingDASRequest(request) { self.accounts[$0] != nil }
        exchange.form = try incoming.format()
        let common = try incoming.common(signedHosts: signedHosts)
        exchange.claimedKeyID = common.accessKeyID
        exchange.note(action: common.action, in: actions)

        guard let account = accounts[common.accessKeyID] else { throw .accessKeyNotFound }
        if case .v1(_, let method, let version) = common.signature {
            guard RPCSignedRequest.knows(method: method) else { throw .invalidSignatureMethod }
            guard RPCSignedRequest.knows(version: version) else {
                throw .invalid(parameter: DASParameter.signatureVersion.rawValue)
            }
        }
        guard let timestamp = ACSTimestamp(common.timestamp) else { throw .malformedTimestamp }
        let judged = signatureChecks.time(now: clock.now(), timestamp: timestamp.seconds)
        guard timestamp.isCurrent(at: judged) else { throw .expiredTimestamp }
        let isMatch = try common.signature.verify(secretKey: account.secretKey)
        guard isMatch || !signatureChecks.match else {
            throw .signatureDoesNotMatch(stringToSign: try incoming.echo(of: common.signature))
        }
        guard account.accepts(token: common.securityToken) else {
            throw common.securityToken == nil ? .missingSecurityToken : .wrongSecurityToken
        }
        exchange.account = account.name

        let action = try admit(common, timestamp, of: account)
        guard type(of: action).needs.isSubset(of: account.permissions) else { throw .noPermission }
        let bound: BoundDASAction
        do throws(ParameterError) {
            bound = try action.bind(try incoming.parameters(mayBeBlank: type(of: action).mayBeBlank))
        } catch {
            throw DASError(error)
        }
        let (call, name) = (DASCall(requestID: exchange.requestID, account: account), type(of: action).name)
        let interception = interceptor?(name, account)
        exchange.deliver = interception?.deliver
        return { exchange throws(DASError) in
            try await interception?.before()
            return exchange.envelope.success(try await bound.work(call), of: name)
        }
    }

    /// Nonce, version, action and rate: all that a verified request is rejected for
    /// without regard to what it asks.
    ///
    /// A kill that was signed before killd started is rejected, since its nonce may
    /// have been recorded by the killd of before; after the clock was set back, also
    /// one of a time whose nonces are dropped.
    ///
    /// What the rate limit rejects keeps no nonce, so that a client that polls too
    /// fast does not use up its room; but a rejected kill does: nobody may repeat
    /// it when the same ids are other sessions.
    private func admit(
        _ common: CommonDASParameters, _ timestamp: ACSTimestamp, of account: Account
    ) throws(DASError) -> any DASAction {
        let time = clock.monotonic()
        return try nonces.store.withLock { nonces throws(DASError) in
            guard nonces.isNew(common.nonce, of: account.secretID, at: time) else { throw .nonceUsed }
            guard common.version.utf8.elementsEqual(Self.version.utf8) else {
                throw .invalid(parameter: DASParameter.version.rawValue)
            }
            guard let action = actions[common.action] else { throw .actionNotFound }
            let kills = type(of: action).needs.contains(.commit)
            guard !kills || timestamp.seconds >= nonces.floor || !signatureChecks.age else { throw .expiredTimestamp }
            let key = RateKey(account: account.name, action: type(of: action).name)
            if case .rejected = limiter.withLock({ $0.admit(key, at: time) }) {
                if kills {
                    _ = nonces.record(
                        common.nonce, of: account.secretID, timestamp: timestamp.seconds, at: time)
                }
                // The window of the limit is a second long.
                throw .throttled(retryAfter: .seconds(1))
            }
            guard
                nonces.record(
                    common.nonce, of: account.secretID, timestamp: timestamp.seconds, at: time)
            else {
                throw .throttled(retryAfter: nonces.timeUntilRoom(for: account.secretID, at: time))
            }
            return action
        }
    }

    private static let version = "2020-01-16"
}
