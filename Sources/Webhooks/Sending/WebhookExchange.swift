import APIClient
import DedicatedThread
import Dispatch
import Glibc
public import HTTPServer
import SessionKill
import Synchronization

/// One attempt to deliver a request. Blocks the thread, for some 15 seconds at most.
///
/// By killd's own client, over sockets and the OpenSSL that it has anyway. libcurl would bring some thirty libraries for
/// what is left out here on purpose (redirects, proxies, other schemes, cookies), and does not end a slow lookup of a
/// name any sooner.
public struct WebhookExchange: Sendable {
    private let target: WebhookTarget
    private let limits: Limits
    private let rule: @Sendable () -> AddressRule

    public struct Limits: Sendable {
        /// From the lookup of the name to the connection.
        var connecting = Duration.seconds(5)
        /// To the end of the answer.
        var whole = Duration.seconds(15)

        public init() {}
    }

    /// Of an answer's body.
    private static let mostBytes = 64 * 1_024

    /// - Parameter listeners: where killd itself listens now.
    public init(
        to target: WebhookTarget, limits: Limits = Limits(), listeners: @escaping @Sendable () -> [ListenAddress]
    ) {
        self.target = target
        self.limits = limits
        rule = {
            AddressRule(
                allowed: target.allowed, allowsPlain: target.isInsecure, listeners: listeners(), own: ownAddresses())
        }
    }

    func deliver(_ request: WebhookRequest, at time: UnixTime) -> DeliveryResult {
        let start = ContinuousClock.now
        let conversation: HTTPConversation
        do throws(DeliveryProblem) {
            let addresses = try addresses()
            let elapsed = start.duration(to: .now)
            conversation = try connect(
                at: addresses,
                ClientTimeouts(
                    connecting: limits.connecting - elapsed, silence: limits.whole, whole: limits.whole - elapsed))
        } catch {
            return .failed(error)
        }
        do throws(APIClientError) {
            let response = try conversation.exchange(request.message)
            return DeliveryResult(
                status: response.status, body: response.body, retryAfter: response.value(of: "retry-after"),
                format: target.format, at: time)
        } catch {
            return .failed(.noAnswer(error.reason.words))
        }
    }

    /// Whether a receiver could be reached, without sending it anything.
    public func findProblem() -> DeliveryProblem? {
        do throws(DeliveryProblem) {
            _ = try connect(
                at: addresses(),
                ClientTimeouts(connecting: limits.connecting, silence: limits.connecting, whole: limits.connecting * 2))
            return nil
        } catch {
            return error
        }
    }

    private func connect(
        at addresses: [HostAddress], _ timeouts: ClientTimeouts
    ) throws(DeliveryProblem) -> HTTPConversation {
        do throws(APIClientError) {
            return try HTTPClient(
                endpoint: target.address.endpoint, trust: target.trust, timeouts: timeouts,
                bodyLimit: .cut(at: Self.mostBytes)
            ).connect(at: addresses)
        } catch {
            throw .connection(error.reason.words)
        }
    }

    /// Those of the receiver's addresses that a message may go to. It is these that are connected to: the name is not
    /// looked up again.
    private func addresses() throws(DeliveryProblem) -> [HostAddress] {
        let endpoint = target.address.endpoint
        let found: [HostAddress]?
        do throws(APIClientError) {
            found = try HostLookup.addresses(of: endpoint, within: limits.connecting)
        } catch {
            throw .connection(error.reason.words)
        }
        guard let found else { throw .connection("the name servers did not answer in time") }
        let rule = rule()
        var refusal: AddressRule.Refusal?
        let reachable = found.filter { address in
            let reason = rule.refusal(of: address.ip, port: endpoint.port, isPlain: endpoint.scheme == .http)
            refusal = refusal ?? reason
            return reason == nil
        }
        if reachable.isEmpty, let refusal { throw .address(refusal) }
        return reachable
    }
}

/// The lookup of a name on a thread of its own: getaddrinfo(3) takes as long as the name servers' settings let it, and
/// cannot be ended.
private enum HostLookup {
    /// - Returns: nil if there is no answer in time.
    static func addresses(of endpoint: Endpoint, within limit: Duration) throws(APIClientError) -> [HostAddress]? {
        let (result, done) = (Outcome(), DispatchSemaphore(value: 0))
        do {
            try startThread(name: "webhook-dns") {
                result.put(Result { () throws(APIClientError) in try HostAddress.all(of: endpoint) })
                done.signal()
            }
        } catch {
            return nil
        }
        guard done.wait(timeout: .now() + .milliseconds(Int(limit / .milliseconds(1)))) == .success else { return nil }
        return try result.take()?.get()
    }

    private final class Outcome: Sendable {
        private let result = Mutex<Result<[HostAddress], APIClientError>?>(nil)

        func put(_ outcome: Result<[HostAddress], APIClientError>) { result.withLock { $0 = outcome } }
        func take() -> Result<[HostAddress], APIClientError>? { result.withLock { $0 } }
    }
}

extension APIClientError.Reason {
    /// Without the address, which may be a secret.
    fileprivate var words: String {
        switch self {
        case .unresolvable(let reason): "the host's name has no address: \(reason)"
        case .unreachable(ETIMEDOUT): "nobody accepted a connection in time"
        case .unreachable(let error): "no connection: \(String(cString: strerror(error)))"
        case .timeout: "the receiver did not answer in time"
        case .connectionFailed(let error): "the connection broke: \(String(cString: strerror(error)))"
        case .tlsSetup(let error): "TLS cannot be set up: \(error)"
        case .endedInHandshake: "the receiver ended the connection during the TLS handshake"
        case .tls(let reason): "TLS failed: \(reason ?? "no reason is known")"
        case .noResponse: "the receiver ended the connection without an answer"
        case .notHTTP: "the receiver does not answer in HTTP/1.1"
        case .truncated: "the receiver's answer ended before it was whole"
        case .tooLong: "the receiver's answer is too long"
        case .status(let status): "the receiver answered with status \(status)"
        case .notThisAPI, .refused, .unexpectedResult: "the receiver's answer was not understood"
        }
    }
}
