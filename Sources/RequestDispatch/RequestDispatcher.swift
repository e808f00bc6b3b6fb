import Accounts
import HTTPServer
import RequestSigning
import Text

/// What turns HTTP requests into calls of an API's actions.
///
/// A request passes the gates of its API in ``admit(_:_:)``, which wait for
/// nothing; then its action runs. However that ends, there is one response and one
/// record. An API says only what its gates and its responses are.
public protocol RequestDispatcher: Sendable {
    /// What a request says of how its response is to be written.
    associatedtype Form: Sendable
    /// What gates and actions throw.
    associatedtype Failure: Error
    associatedtype Rejection: RequestRejection

    var clock: RequestClock { get }
    /// The accounts by their key ids.
    var accounts: NameTable<Account> { get }
    /// The function that log and metrics are told by, called once for each request that was responded to.
    var record: @Sendable (ExchangeRecord<Rejection>) -> Void { get }

    /// A UUID as the vendor spells it.
    static func makeRequestID() throws(Failure) -> String

    /// What a request is rejected with that has come to another API's listener.
    static var productNotFound: Failure { get }

    /// What the head says of the form, before anything else of it is read.
    func form(of head: HTTPRequest) -> Form

    /// The gates, in the API's order.
    ///
    /// - Returns: the work that is left. Its response is that of a success.
    func admit(
        _ request: HTTPRequest, _ exchange: inout Exchange<Form>
    ) throws(Failure) -> AdmittedWork<Form, Failure>

    /// How long the body of a request may be of which only the head has come, in
    /// bytes, and what it is rejected with if it is longer.
    ///
    /// - Throws: what it is rejected with whatever its body is.
    func allowedBody(
        of head: HTTPRequest, _ exchange: inout Exchange<Form>
    ) throws(Failure) -> (bytes: Int, rejection: Failure)

    /// A rejection for the record, and the response that tells it.
    func rejection(for failure: Failure, _ exchange: Exchange<Form>) -> (Rejection, HTTPResponse)
}

/// The work of a request that has passed all gates.
public typealias AdmittedWork<Form: Sendable, Failure: Error> =
    @Sendable (Exchange<Form>) async throws(Failure) -> HTTPResponse

// What is inlinable here is on the way of each request, and is specialized for its API.
extension RequestDispatcher {
    /// The response to a request. The HTTP server calls it.
    ///
    /// Nothing is done on the event loop: verifying a signature takes longer than
    /// all else that is done there for a request.
    @inlinable
    public func respond(to request: HTTPRequest) -> PendingResponse {
        .offloaded { self.process(request) }
    }

    /// How long the body of a request may be of which only the head has come. A
    /// long one is read only for an account, as far as the head names one.
    public func allowance(of head: HTTPRequest) -> BodyAllowance {
        var exchange = begin(head)
        do throws(Failure) {
            exchange.requestID = try Self.makeRequestID()
            let (bytes, rejection) = try allowedBody(of: head, &exchange)
            return BodyAllowance(bytes: bytes) { [exchange] in self.reject(rejection, exchange) }
        } catch {
            return BodyAllowance(bytes: 0) { [exchange] in self.reject(error, exchange) }
        }
    }

    /// The response to a request that has come to the listener of another API, in
    /// the words of this one: its client would take that one's for a success, or
    /// learn too little from it.
    public func rejectElsewhere(_ request: HTTPRequest) -> HTTPResponse { reject(request, with: Self.productNotFound) }

    /// The response to a request of which nothing is read.
    public func reject(_ request: HTTPRequest, with failure: Failure) -> HTTPResponse {
        var exchange = begin(request)
        do throws(Failure) {
            exchange.requestID = try Self.makeRequestID()
            return reject(failure, exchange)
        } catch {
            return reject(error, exchange)
        }
    }

    @inlinable
    func begin(_ request: HTTPRequest) -> Exchange<Form> {
        Exchange(request, form: form(of: request), startedAt: clock.monotonic())
    }

    @inlinable
    func process(_ request: HTTPRequest) -> PendingResponse {
        var exchange = begin(request)
        do throws(Failure) {
            exchange.requestID = try Self.makeRequestID()
            let work = try admit(request, &exchange)
            return .async { [exchange] in
                do throws(Failure) {
                    let response = try await work(exchange)
                    self.finish(exchange, nil)
                    return exchange.deliver?(response) ?? response
                } catch {
                    let response = self.reject(error, exchange)
                    return exchange.deliver?(response) ?? response
                }
            }
        } catch {
            return .immediate(reject(error, exchange))
        }
    }

    @inlinable
    func reject(_ failure: Failure, _ exchange: Exchange<Form>) -> HTTPResponse {
        let (rejection, response) = self.rejection(for: failure, exchange)
        finish(exchange, rejection)
        return response
    }

    @inlinable
    func finish(_ exchange: Exchange<Form>, _ rejection: Rejection?) {
        let signature = rejection?.signatureDefect.map { reason in
            RejectedSignature(
                reason, host: exchange.host, keyID: exchange.claimedKeyID, secrets: accounts.values.map(\.secretKey))
        }
        record(
            ExchangeRecord(of: exchange, rejection: rejection, rejectedSignature: signature, at: clock.monotonic()))
    }
}
