import Accounts
import Cryptography
import HTTPServer
import Parameters
import RateLimiting
import RequestSigning
import Synchronization
import Text

/// Responses HTTP requests in the words of Alibaba Cloud's DAS.
public final class DASDispatcher: Sendable {
    private let actions: [ExactText: any DASAction]
    private let accounts: [ExactText: Account]
    private let limiter: Mutex<RateLimiter<RateKey>>
    private let nonces: SeenNonces
    private let clock: Clock
    private let bodyLimit: Int
    private let signedHosts: ServerNames
    private let record: @Sendable (AnsweredDASRequest) -> Void

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
    ///   - record: called once for each answered request.
    public init(
        actions: [any DASAction], accounts: [Account], limiter: RateLimiter<RateKey>, nonces: SeenNonces,
        clock: Clock, maximumThreads: Int = 1_000, signedHosts: ServerNames = .none,
        record: @escaping @Sendable (AnsweredDASRequest) -> Void
    ) {
        self.actions = Dictionary(
            actions.map { (ExactText(type(of: $0).name), $0) }, uniquingKeysWith: { first, _ in first })
        self.accounts = Dictionary(
            accounts.map { (ExactText($0.secretID), $0) }, uniquingKeysWith: { first, _ in first })
        self.limiter = Mutex(limiter)
        self.nonces = nonces
        self.clock = clock
        bodyLimit = Self.bodyBytes(forThreads: maximumThreads)
        self.signedHosts = signedHosts
        self.record = record
    }

    /// An id has ten digits, and a comma that may be escaped; all other parameters
    /// are short.
    private static func bodyBytes(forThreads count: Int) -> Int { 64 * 1_024 + 16 * count }

    /// The one function that joins the HTTP server to the API.
    ///
    /// Nothing is done on the event loop: verifying a signature takes longer than
    /// all else that is done there for a request.
    public func respond(to request: HTTPRequest) -> PendingResponse {
        .offloaded { self.process(request) }
    }

    /// How long the body of a request may be of which only the head has come. A
    /// long one is read only for an account, as far as the head names one.
    public func allowance(of head: HTTPRequest) -> BodyAllowance {
        var exchange = Exchange(head, startedAt: clock.monotonic())
        do throws(DASError) {
            exchange.requestID = try Self.newRequestID()
            let incoming = try IncomingDASRequest(head)
            exchange.format = try incoming.format()
            if let id = incoming.accessKeyIDOfHead, account(accessKeyID: id) == nil { throw .accessKeyNotFound }
            return BodyAllowance(bytes: bodyLimit) { [exchange, bodyLimit] in
                self.reject(.invalidParameters(.bodyTooLarge(limit: bodyLimit)), exchange)
            }
        } catch {
            return BodyAllowance(bytes: 0) { [exchange] in self.reject(error, exchange) }
        }
    }

    /// What is said to a request that the HTTP server does not take: an object with
    /// code and message, since without one the Python SDK loses even the status.
    public static func rejection(of error: HTTPProtocolError) -> HTTPResponse {
        guard let requestID = try? Self.newRequestID() else { return error.response }
        let spoken: DASError =
            error.status.rawValue < 500 ? .invalidParameters(.rejectedByHTTP) : .serviceUnavailable(cause: error)
        return DASEnvelope(requestID: requestID, host: "", format: .json)
            .failure(error.status, spoken.code, "\(spoken.message) (\(error))")
    }

    /// What a request is answered that has come to the listener of another API, where
    /// its client would take any answer with status 200 for a success.
    public func rejectElsewhere(_ request: HTTPRequest) -> HTTPResponse {
        var exchange = Exchange(request, startedAt: clock.monotonic())
        do throws(DASError) {
            exchange.requestID = try Self.newRequestID()
            return reject(.productNotFound, exchange)
        } catch {
            return reject(error, exchange)
        }
    }

    /// Upper-case, as the vendor's are.
    private static func newRequestID() throws(DASError) -> String {
        do {
            return try randomUUID().uppercased()
        } catch {
            throw .internalError(cause: error)
        }
    }

    private func process(_ request: HTTPRequest) -> PendingResponse {
        var exchange = Exchange(request, startedAt: clock.monotonic())
        do throws(DASError) {
            exchange.requestID = try Self.newRequestID()
            let (call, action, bound) = try pass(request, &exchange)
            return .async { [exchange] in
                do throws(DASError) {
                    let response = try await bound.work(call)
                    self.record(exchange.answered(nil, at: self.clock.monotonic()))
                    return exchange.envelope.success(response, of: action)
                } catch {
                    return self.reject(error, exchange)
                }
            }
        } catch {
            return .immediate(reject(error, exchange))
        }
    }

    private func reject(_ error: DASError, _ exchange: Exchange) -> HTTPResponse {
        let rejected = RejectedSignature.Reason(error).map {
            RejectedSignature(
                $0, host: exchange.host, keyID: exchange.claimedKeyID, secrets: accounts.values.map(\.secretKey))
        }
        record(exchange.answered(error, rejectedSignature: rejected, at: clock.monotonic()))
        return exchange.envelope.failure(error)
    }

    private func account(accessKeyID: String) -> Account? {
        accessKeyID.utf8.count <= Self.longestName ? accounts[ExactText(accessKeyID)] : nil
    }

    /// The gates, in this order: common parameters, access key, signature method
    /// and version, timestamp, signature, nonce, API version and action, rate,
    /// rights, the action's parameters.
    ///
    /// Before it is known that the key exists nothing costs more the longer the
    /// body is, and a body of JSON is hashed before it is parsed.
    private func pass(
        _ request: HTTPRequest, _ exchange: inout Exchange
    ) throws(DASError) -> (DASCall, action: String, BoundDASAction) {
        let incoming = try IncomingDASRequest(request) { self.account(accessKeyID: $0) != nil }
        exchange.format = try incoming.format()
        let common = try incoming.common(signedHosts: signedHosts)
        exchange.claimedKeyID = common.accessKeyID
        if common.action.utf8.count <= Self.longestName {
            exchange.action = common.action
            exchange.actionExists = actions[ExactText(common.action)] != nil
        }

        guard let account = self.account(accessKeyID: common.accessKeyID) else { throw .accessKeyNotFound }
        if case .v1(_, let method, let version) = common.signature {
            guard RPCSignedRequest.knows(method: method) else { throw .invalidSignatureMethod }
            guard RPCSignedRequest.knows(version: version) else {
                throw .invalid(parameter: DASParameter.signatureVersion.rawValue)
            }
        }
        guard let timestamp = ACSTimestamp(common.timestamp) else { throw .malformedTimestamp }
        guard timestamp.isCurrent(at: clock.now()) else { throw .expiredTimestamp }
        guard try common.signature.verify(secretKey: account.secretKey) else {
            throw .signatureDoesNotMatch(stringToSign: try incoming.echo(of: common.signature))
        }
        guard account.accepts(token: common.securityToken) else {
            throw common.securityToken == nil ? .missingSecurityToken : .wrongSecurityToken
        }
        exchange.account = account.name

        let action = try admit(common, timestamp, of: account)
        guard type(of: action).needs.isSubset(of: account.permissions) else { throw .noPermission }
        do throws(ParameterError) {
            let parameters = try incoming.parameters(mayBeBlank: type(of: action).mayBeBlank)
            let bound = try action.bind(parameters)
            return (DASCall(requestID: exchange.requestID, account: account), type(of: action).name, bound)
        } catch {
            throw DASError(error)
        }
    }

    /// Nonce, version, action and rate: all that a verified request is refused for
    /// without regard to what it asks.
    ///
    /// A kill that was signed before killd started is refused, since its nonce may
    /// have been recorded by the killd of before; after the clock was set back, also
    /// one of a time whose nonces are dropped.
    ///
    /// What the rate limit refuses keeps no nonce, so that a client that polls too
    /// fast does not use up its room; but a refused kill does: nobody may repeat
    /// it when the same ids are other sessions.
    private func admit(
        _ common: IncomingDASRequest.Common, _ timestamp: ACSTimestamp, of account: Account
    ) throws(DASError) -> any DASAction {
        let time = clock.monotonic()
        return try nonces.store.withLock { nonces throws(DASError) in
            guard nonces.isNew(common.nonce, of: account.secretID, at: time) else { throw .nonceUsed }
            guard common.version.utf8.elementsEqual(Self.version.utf8) else {
                throw .invalid(parameter: DASParameter.version.rawValue)
            }
            guard common.action.utf8.count <= Self.longestName, let action = actions[ExactText(common.action)] else {
                throw .actionNotFound
            }
            let kills = type(of: action).needs.contains(.commit)
            guard !kills || timestamp.seconds >= nonces.floor else { throw .expiredTimestamp }
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
    /// Longer names of actions and keys do not exist; in bytes. Hashing or
    /// comparing a string takes time quadratic in its combining marks, so none
    /// from outside is looked up unbounded.
    private static let longestName = 128
}

extension IncomingDASRequest.Common.Signature {
    fileprivate func verify(secretKey: Secret) throws(DASError) -> Bool {
        do throws(CryptographyError) {
            switch self {
            case .v1(let request, _, _): return try request.verify(secretKey: secretKey)
            case .v3(let request): return try request.verify(secretKey: secretKey)
            }
        } catch {
            throw .internalError(cause: error)
        }
    }
}

/// What is known of one request while it is answered.
private struct Exchange: Sendable {
    var requestID = ""
    var action: String?
    var actionExists = false
    var account: String?
    /// Whose key the request says it is signed with.
    var claimedKeyID: String?
    /// Until it is known.
    var format = DASFormat.json
    let host: String
    let remoteAddress: String
    let startedAt: ContinuousClock.Instant

    init(_ request: HTTPRequest, startedAt: ContinuousClock.Instant) {
        host = request.headers["Host"].flatMap { $0.utf8.count <= 255 ? $0 : nil } ?? ""
        remoteAddress = request.remoteAddress
        self.startedAt = startedAt
    }

    var envelope: DASEnvelope { DASEnvelope(requestID: requestID, host: host, format: format) }

    func answered(
        _ error: DASError?, rejectedSignature: RejectedSignature? = nil, at time: ContinuousClock.Instant
    ) -> AnsweredDASRequest {
        AnsweredDASRequest(
            requestID: requestID, action: action, actionExists: actionExists, account: account,
            remoteAddress: remoteAddress, error: error, rejectedSignature: rejectedSignature,
            duration: startedAt.duration(to: time))
    }
}

/// What log and metrics say of a request: never its target or its string to sign,
/// in which a database password may be.
public struct AnsweredDASRequest: Sendable {
    public let requestID: String
    /// As the caller wrote it, before it was known to exist.
    public let action: String?
    public let actionExists: Bool
    /// `nil` until the signature was verified.
    public let account: String?
    public let remoteAddress: String
    /// `nil` for success.
    public let error: DASError?
    /// Where the request was refused for what should prove who sent it.
    public let rejectedSignature: RejectedSignature?
    public let duration: Duration

    /// The action, if it exists: one of a few names, whatever callers write.
    public var knownAction: String? { actionExists ? action : nil }
}

extension RejectedSignature.Reason {
    fileprivate init?(_ error: DASError) {
        switch error {
        case .incompleteSignature, .invalidSignatureMethod, .malformedTimestamp: self = .malformed
        case .accessKeyNotFound: self = .unknownKey
        case .expiredTimestamp: self = .expired
        case .signatureDoesNotMatch: self = .mismatched
        case .missingSecurityToken, .wrongSecurityToken: self = .token
        case .nonceUsed: self = .repeated
        default: return nil
        }
    }
}

extension DASError {
    /// What is wrong with the parameters, in the gateway's words: never with the
    /// value, which may be a password.
    fileprivate init(_ error: ParameterError) {
        self =
            switch error {
            case .missing(let path) where Self.isName(path): .missing(parameter: path)
            case .unknown(let path) where Self.isName(path), .wrongType(let path) where Self.isName(path),
                .invalidValue(let path, _) where Self.isName(path), .repeated(let path) where Self.isName(path):
                .invalid(parameter: path)
            default: .invalidParameters(.malformedRequest(error))
            }
    }

    /// Whether a caller's text can be part of a code.
    private static func isName(_ path: String) -> Bool {
        (1...64).contains(path.utf8.count)
            && path.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: false
                }
            }
    }
}
