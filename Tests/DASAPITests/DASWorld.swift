import Accounts
import Foundation
import HTTPServer
import RateLimiting
import RequestDispatch
import RequestSigning
import Synchronization
import TestSupport
import XCTest

@testable import DASAPI

/// A dispatcher with two small actions and two accounts, and time that stands still.
final class DASWorld: Sendable {
    static let start: Int64 = 1_767_323_045

    /// What the dispatcher did, and the time that it sees.
    final class Recorder: Sendable {
        struct State {
            var calls = 0
            var records: [ExchangeRecord<DASError>] = []
            var now = DASWorld.start
            var monotonic = ContinuousClock.now
        }
        let state = Mutex(State())
    }

    /// Responses with what it was asked.
    struct Echo: DASAction {
        struct Request: Decodable, Sendable {
            var InstanceId: String
            var NodeId: String?
            var KillAllSessions: DASBoolean?
            var SessionIds: String?
            var DbUser: String?
            var DbUserPassword: String?
        }
        static let name = "GetMySQLAllSessionAsync"
        static let needs: Set<Permission> = [.list]
        let recorder: Recorder

        func respond(to request: Request, for call: DASCall) async throws(DASError) -> DASResponse {
            recorder.state.withLock { $0.calls += 1 }
            switch request.InstanceId {
            case "unknown": throw .invalidParameters(.unknownInstance)
            case "broken": throw .internalError(cause: Unforeseen())
            default: break
            }
            return DASResponse(data: [
                "InstanceId": .text(request.InstanceId), "NodeId": request.NodeId.map { .text($0) },
                "KillAllSessions": request.KillAllSessions.map { .boolean($0.value) },
                "SessionIds": request.SessionIds.map { .text($0) },
                "PasswordBytes": request.DbUserPassword.map { .integer(Int64($0.utf8.count)) },
                "Account": .text(call.account.name), "List": [1, 2], "Empty": [],
                "Objects": [["Key": "a<&>\u{1}b"]],
            ])
        }
    }

    struct Kill: DASAction {
        struct Request: Decodable, Sendable {
            var InstanceId: String
            var IgnoredUsers: UserList?
            var SessionIds: SessionIDList?
        }
        static let name = "KillInstanceAllSession"
        static let needs: Set<Permission> = [.prepare, .commit]
        static let mayBeBlank: [String]? = ["InstanceId", "SessionIds"]
        let recorder: Recorder

        func respond(to request: Request, for call: DASCall) async throws(DASError) -> DASResponse {
            recorder.state.withLock { $0.calls += 1 }
            return DASResponse(data: "", envelope: .allText)
        }
    }

    struct Unforeseen: Error, CustomStringConvertible { let description = "secret detail" }

    /// How many requests came as far as an action.
    var calls: Int { recorder.state.withLock(\.calls) }
    var records: [ExchangeRecord<DASError>] { recorder.state.withLock(\.records) }

    func advance(by seconds: Int64) {
        recorder.state.withLock {
            $0.now += seconds
            $0.monotonic += .seconds(seconds)
        }
    }

    /// Sets the wall clock alone.
    func setClock(back seconds: Int64) { recorder.state.withLock { $0.now -= seconds } }

    let nonces: SeenNonces
    private let recorder = Recorder()
    private let dispatcher: DASDispatcher

    /// - Parameter token: what the first account's requests have to carry.
    init(token: String? = nil, nonces: Int = NonceStore.capacity, limit: Int = 20) {
        let recorder = recorder
        let nonces = SeenNonces(start: Self.start - 100, capacity: nonces)
        self.nonces = nonces
        let everywhere = [InstancePattern("*")!]
        dispatcher = DASDispatcher(
            actions: [Echo(recorder: recorder), Kill(recorder: recorder)],
            accounts: [
                Account(
                    name: "ci", uin: "100000000001", secretID: "AKIDEXAMPLE", secretKey: Secret("SKEXAMPLE"),
                    token: token.map { Secret($0) }, permissions: [.list, .prepare, .commit], instances: everywhere),
                Account(
                    name: "reader", uin: "100000000002", secretID: "AKIDREADER", secretKey: Secret("SKREADER"),
                    permissions: [.list, .commit], instances: everywhere),
            ],
            limiter: RateLimiter(limit: limit)!, nonces: nonces,
            clock: .init(
                now: { recorder.state.withLock(\.now) }, monotonic: { recorder.state.withLock(\.monotonic) }),
            signedHosts: ServerNames(["das.internal.example"].compactMap { try? ServerName($0) }, ports: [8156]),
            record: { record in recorder.state.withLock { $0.records.append(record) } })
    }

    /// A request that is accepted, with something changed.
    func request(
        _ action: String = Echo.name, _ query: [DASRequest.Pair] = [("InstanceId", "rm-1")],
        _ change: (inout DASRequest) -> Void = { _ in }
    ) -> DASRequest {
        DASRequest(action, query, timestamp: recorder.state.withLock(\.now)).with(change)
    }

    func response(to signed: DASRequest.Signed) async throws -> HTTPResponse {
        await result(of: dispatcher.respond(to: request(signed, body: signed.body)))
    }

    func rejectElsewhere(_ signed: DASRequest.Signed) -> HTTPResponse {
        dispatcher.rejectElsewhere(request(signed, body: signed.body))
    }

    /// What the HTTP server is told when only the head has come.
    func allowance(of signed: DASRequest.Signed) -> BodyAllowance {
        dispatcher.allowance(of: request(signed, body: []))
    }

    private func request(_ signed: DASRequest.Signed, body: [UInt8]) -> HTTPRequest {
        var headers = HTTPHeaders()
        for header in signed.headers { headers.append(name: header.name, value: header.value) }
        return HTTPRequest(
            method: signed.method, target: signed.target, headers: headers, body: body, remoteAddress: "127.0.0.1")
    }

    private func result(of response: PendingResponse) async -> HTTPResponse {
        switch response {
        case .immediate(let response): response
        case .offloaded(let find): await result(of: find())
        case .async(let work): await work()
        }
    }

    /// The responses to the request in both versions of the signature, which must be
    /// alike.
    func responses(to request: DASRequest) async throws -> [HTTPResponse] {
        [
            try await response(to: request.with { $0.nonce += "-1" }.signedV1()),
            try await response(to: request.with { $0.nonce += "-3" }.signedV3()),
        ]
    }
}

extension HTTPResponse {
    func object() throws -> [String: Any] {
        try XCTUnwrap(
            JSONSerialization.jsonObject(with: Data(body)) as? [String: Any], String(decoding: body, as: UTF8.self))
    }

    func data() throws -> [String: Any] {
        try XCTUnwrap(object()["Data"] as? [String: Any], String(decoding: body, as: UTF8.self))
    }

    var text: String { String(decoding: body, as: UTF8.self) }
}

/// Checks that a response is this error, in JSON and with all that belongs to it.
func assertError(
    _ response: HTTPResponse, _ status: HTTPStatus, _ code: String, _ message: String? = nil,
    file: StaticString = #filePath, line: UInt = #line
) throws {
    XCTAssertEqual(response.status, status, response.text, file: file, line: line)
    let error = try response.object()
    XCTAssertEqual(error["Code"] as? String, code, response.text, file: file, line: line)
    if let message { XCTAssertEqual(error["Message"] as? String, message, file: file, line: line) }
    XCTAssertNil(error["Success"], file: file, line: line)
    let requestID = try XCTUnwrap(error["RequestId"] as? String, file: file, line: line)
    XCTAssertEqual(response.headers["x-acs-request-id"], requestID, file: file, line: line)
    XCTAssertEqual(
        error["Recommend"] as? String,
        "https://api.aliyun.com/troubleshoot?q=\(code)&product=DAS&requestId=\(requestID)", file: file, line: line)
}
