import SeededRandom
import Accounts
import ActionDispatch
import Foundation
import HTTPServer
import RateLimiting
import RequestDispatch
import RequestSigning
import Synchronization
import TencentCloudErrors
import XCTest

/// A dispatcher with one action, one account and time that stands still.
final class World: Sendable {
    static let now: Int64 = 1_700_000_000

    /// What the dispatcher did, and the time that it sees.
    private final class Recorder: Sendable {
        struct State {
            var calls = 0
            var records: [ExchangeRecord<ActionRejection>] = []
            var monotonic = ContinuousClock.now
            var now = World.now
            var changes: [String] = []
        }
        let state = Mutex(State())
    }

    struct EchoRequest: Decodable, Sendable {
        var Text: String
        var Numbers: [UInt32]?
    }
    struct EchoResponse: Encodable, Sendable { var Text: String }
    struct Unforeseen: Error, CustomStringConvertible { let description = "secret detail" }

    var calls: Int { recorder.state.withLock(\.calls) }
    var records: [ExchangeRecord<ActionRejection>] { recorder.state.withLock(\.records) }

    /// What was changed, in this order.
    var changes: [String] { recorder.state.withLock(\.changes) }
    /// Opens when a change of the text `wait` may end.
    let gate = Gate()

    func advance(by duration: Duration) { recorder.state.withLock { $0.monotonic += duration } }
    /// Sets the wall clock.
    func setClock(to seconds: Int64) { recorder.state.withLock { $0.now = seconds } }

    private let recorder = Recorder()
    private let dispatcher: Dispatcher

    /// - Parameters:
    ///   - token: what the account's requests have to carry.
    ///   - signatures: those that an earlier dispatcher has taken.
    init(
        token: String? = nil, messages: MessageOverrides = .none, mayLeavePayloadUnsigned: Bool = false,
        signatures: UsedSignatures = UsedSignatures(start: World.now - 300), limit: Int = 20,
        interceptor: Interceptor<any Error>? = nil
    ) {
        let (recorder, gate) = (recorder, gate)
        let echo = Action("EchoText", request: EchoRequest.self) { request, call in
            recorder.state.withLock { $0.calls += 1 }
            switch request.Text {
            case "fail": throw Unforeseen()
            case "refuse": throw ActionFailure(.planNotFound, cause: Unforeseen())
            case "approve": try call.require(.approve, on: "the thing")
            default: break
            }
            return EchoResponse(Text: request.Text)
        }
        func change(_ name: String, _ repetition: Action.Repetition) -> Action {
            Action(name, repetition: repetition, request: EchoRequest.self) { request, _ in
                recorder.state.withLock { $0.changes.append("\(name) \(request.Text)") }
                switch request.Text {
                case "wait": await gate.pass()
                case "refuse": throw ActionFailure(.planNotFound, cause: Unforeseen())
                default: break
                }
                return EchoResponse(Text: "\(name) \(recorder.state.withLock(\.changes.count))")
            }
        }
        let keep = Action("KeepText", repetition: .decidesOnce, request: EchoRequest.self) { request, call in
            let kept = try call.keep().text
            recorder.state.withLock { $0.changes.append("KeepText \(request.Text) from \(call.address)") }
            return EchoResponse(Text: kept)
        }
        dispatcher = Dispatcher(
            actions: [
                echo, change("ChangeText", .rejected), change("UndoText", .rejected), change("StageText", .endsNobody),
                keep,
            ],
            accounts: [
                Account(
                    name: "ci", uin: "100000000001", secretID: "AKIDEXAMPLE", secretKey: Secret("SKEXAMPLE"),
                    token: token.map(Secret.init), permissions: [.list], instances: [InstancePattern("*")!],
                    mayLeavePayloadUnsigned: mayLeavePayloadUnsigned)
            ],
            limiter: RateLimiter(limit: limit)!, usedSignatures: signatures,
            settings: .init(signedHosts: .none, regions: ["ap-guangzhou"], messages: messages),
            clock: .init(now: { recorder.state.withLock(\.now) }, monotonic: { recorder.state.withLock(\.monotonic) }),
            interceptor: interceptor,
            record: { record in recorder.state.withLock { $0.records.append(record) } })
    }

    func send(headers: [String: String?] = [:], body: String = #"{"Text":"x"}"#) async -> HTTPResponse {
        do {
            return await response(to: try signed(headers: headers, body: body))
        } catch {
            XCTFail("\(error)")
            return HTTPResponse(status: .ok)
        }
    }

    func rejectElsewhere(_ request: HTTPRequest) -> HTTPResponse { dispatcher.rejectElsewhere(request) }

    func rejection(of error: HTTPProtocolError) -> HTTPResponse { dispatcher.rejection(of: error) }

    func allowance(of head: HTTPRequest) -> BodyAllowance { dispatcher.allowance(of: head) }

    func response(to request: HTTPRequest) async -> HTTPResponse {
        await result(of: dispatcher.respond(to: request))
    }

    private func result(of response: PendingResponse) async -> HTTPResponse {
        switch response {
        case .immediate(let response): response
        case .offloaded(let find): await result(of: find())
        case .async(let work): await work()
        }
    }

    /// A request with another field behind its own.
    func adding(_ name: String, _ value: String, to request: HTTPRequest) -> HTTPRequest {
        var fields = request.headers
        fields.append(name: name, value: value)
        return HTTPRequest(
            method: request.method, target: request.target, headers: fields, body: request.body,
            remoteAddress: request.remoteAddress)
    }

    /// A request with the signature of another one.
    func resigned(_ request: HTTPRequest, as action: String, body: String? = nil) -> HTTPRequest {
        var fields = HTTPHeaders()
        for header in request.headers {
            fields.append(name: header.name, value: header.name == "X-TC-Action" ? action : header.value)
        }
        return HTTPRequest(
            method: request.method, target: request.target, headers: fields,
            body: body.map { Array($0.utf8) } ?? request.body, remoteAddress: "10.0.0.66")
    }

    /// A request as the Python SDK sends it; `headers` replaces its headers, `nil` leaves one out.
    func signed(
        method: String = "POST", headers changes: [String: String?] = [:], body: String = #"{"Text":"x"}"#,
        sentBody: String? = nil, query: String? = nil, secretID: String = "AKIDEXAMPLE",
        secretKey: String = "SKEXAMPLE", timestamp: Int64 = World.now
    ) throws -> HTTPRequest {
        let contentType = changes["Content-Type"] ?? "application/json"
        let authorization = try TC3Signer(
            secretID: secretID, secretKey: Secret(secretKey), host: "127.0.0.1:8155", service: "dbbrain"
        ).authorization(
            method: method, query: query ?? "", contentType: contentType ?? "", payload: Array(body.utf8),
            timestamp: timestamp)
        var headers: [String: String?] = [
            "Host": "127.0.0.1:8155", "Content-Type": "application/json", "X-TC-Action": "EchoText",
            "X-TC-Version": "2021-05-27", "X-TC-Timestamp": String(timestamp),
            "Authorization": authorization.headerValue,
        ]
        headers.merge(changes) { $1 }
        var fields = HTTPHeaders()
        for (name, value) in headers {
            if let value { fields.append(name: name, value: value) }
        }
        return HTTPRequest(
            method: method, target: query.map { "/?\($0)" } ?? "/", headers: fields,
            body: Array((sentBody ?? body).utf8),
            remoteAddress: "127.0.0.1")
    }
}

/// Holds back whoever passes it until it is opened.
actor Gate {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private(set) var arrivals = 0

    func pass() async {
        arrivals += 1
        guard !isOpen else { return }
        await withCheckedContinuation { waiting.append($0) }
    }

    func open() {
        isOpen = true
        for continuation in waiting { continuation.resume() }
        waiting = []
    }
}

extension World {
    /// A request with a signature of version 1, as the Python SDK sends it.
    ///
    /// - Parameters:
    ///   - changes: replaces parameters, adds some, leaves some out (`nil`).
    ///   - tail: is sent but not signed.
    func signedByParameter(
        method: String = "POST", _ changes: [String: String?] = [:], tail: String = "",
        contentType: String? = "application/x-www-form-urlencoded", secretKey: String = "SKEXAMPLE",
        headers: [(String, String)] = []
    ) throws -> HTTPRequest {
        var parameters: [String: String?] = [
            "Action": "EchoText", "Version": "2021-05-27", "Timestamp": String(Self.now), "Nonce": "11886",
            "SecretId": "AKIDEXAMPLE", "SignatureMethod": "HmacSHA256", "RequestClient": "SDK_PYTHON_3.1.194",
            "Language": "en-US", "Text": "x",
        ]
        parameters.merge(changes) { $1 }
        var pairs = parameters.compactMap { name, value in value.map { (name: name, value: $0) } }
        pairs.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        let text = V1Signature.stringToSign(httpMethod: method, host: "127.0.0.1:8155", parameters: pairs)
        let signature = try V1Signature.signature(of: text, secretKey: Secret(secretKey), method: .hmacSHA256)
        if parameters["Signature"] == nil { pairs.append(("Signature", signature)) }
        pairs.removeAll { $0.name == "Signature" && $0.value == "-" }
        // Clients send the parameters in any order; the same text is sent in the same one.
        var random = SplitMix64(seed: UInt64(text.utf8.count))
        let form =
            try pairs.shuffled(using: &random).map { try "\($0.name.escaped())=\($0.value.escaped())" }
            .joined(separator: "&") + tail
        var fields: HTTPHeaders = ["Host": "127.0.0.1:8155"]
        if let contentType { fields.append(name: "Content-Type", value: contentType) }
        for (name, value) in headers { fields.append(name: name, value: value) }
        return HTTPRequest(
            method: method, target: method == "GET" ? "/?\(form)" : "/", headers: fields,
            body: method == "GET" ? [] : Array(form.utf8), remoteAddress: "127.0.0.1")
    }
}

extension String {
    fileprivate func escaped() throws -> String {
        try XCTUnwrap(addingPercentEncoding(withAllowedCharacters: .alphanumerics))
    }
}

extension HTTPResponse {
    func text() throws -> String? { try response()["Text"] as? String }

    func error() throws -> (code: String, message: String)? {
        guard let error = try response()["Error"] as? [String: String] else { return nil }
        return (try XCTUnwrap(error["Code"]), try XCTUnwrap(error["Message"]))
    }

    func requestID() throws -> String { try XCTUnwrap(try response()["RequestId"] as? String) }

    private func response() throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(body)) as? [String: [String: Any]]
        return try XCTUnwrap(object?["Response"])
    }
}
