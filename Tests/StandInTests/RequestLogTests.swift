import HTTPServer
import Parameters
import RequestDispatch
import RequestSigning
import SessionKill
import XCTest

@testable import StandIn

/// What is kept of requests.
final class RequestLogTests: XCTestCase {
    private let log = RequestLog(now: { UnixTime(milliseconds: 1_700_000_000_000) })

    private struct Rejected: RequestRejection {
        let responseCode: String
        var codeLabel: String { responseCode }
        let isOfRateLimit = false
        let cause: (any Error)? = nil
        let defect: String? = nil
        let signatureDefect: RejectedSignature.Reason? = nil
    }

    private struct Sent {
        var body = "{}"
        var target = "/"
        var type = "application/json"
        var code: String?
        var delivery = HTTPResponse.Delivery.whole
    }

    private func send(_ sent: Sent = Sent(), action: String = "KillMySqlThreads", account: String? = "ci") async {
        let request = HTTPRequest(
            method: "POST", target: sent.target, headers: ["Content-Type": sent.type, "Authorization": "TC3 secret"],
            body: Array(sent.body.utf8), remoteAddress: "127.0.0.1")
        let pending = log.observing(request, at: .dbbrain) { request in
            .offloaded {
                .async {
                    var exchange = Exchange(request, form: (), startedAt: .now)
                    exchange.requestID = "r"
                    exchange.action = action
                    exchange.account = account
                    RequestLog.note(
                        ExchangeRecord(
                            of: exchange, rejection: sent.code.map { Rejected(responseCode: $0) },
                            rejectedSignature: nil, at: .now))
                    var response = HTTPResponse(status: .ok)
                    response.delivery = sent.delivery
                    return response
                }
            }
        }
        guard case .offloaded(let find) = pending, case .async(let work) = find() else { return XCTFail("\(pending)") }
        _ = await work()
    }

    private func text(_ request: LoggedRequest) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(try XCTUnwrap(request.parameters)), as: UTF8.self)
    }

    func testTellsWhoAskedForWhatAndWhatBecameOfIt() async throws {
        await send(Sent(body: #"{"Stage":"Prepare","Threads":[7]}"#, code: "InvalidParameter"))
        await send(Sent(delivery: .nothing), action: "DescribeKillPlan", account: nil)
        let all = log.requests(RequestQuery())
        XCTAssertEqual(all.map(\.number), [1, 2])
        XCTAssertEqual(try text(all[0]), #"{"Stage":"Prepare","Threads":[7]}"#)
        XCTAssertEqual(all[0].known.code, "InvalidParameter")
        XCTAssertEqual(all[0].known.status, .ok)
        XCTAssertTrue(all[1].known.isCut)
        XCTAssertNil(all[1].known.status)
        XCTAssertEqual(log.requests(RequestQuery(action: "DescribeKillPlan")).map(\.number), [2])
        XCTAssertEqual(log.requests(RequestQuery(account: "ci")).map(\.number), [1])
        XCTAssertEqual(log.requests(RequestQuery(code: "InvalidParameter")).map(\.number), [1])
        XCTAssertEqual(log.requests(RequestQuery(after: 1)).map(\.number), [2])
        log.clear()
        await send()
        XCTAssertEqual(log.requests(RequestQuery()).map(\.number), [3])
    }

    func testKeepsNoPasswordNoTokenAndNoSignature() async throws {
        await send(Sent(body: #"{"User":"app","Password":"hunter2","Nested":{"DbUserPassword":"hunter3"}}"#))
        await send(
            Sent(
                body: "DbUserPassword=hunter4&Signature=abc&SecurityToken=t0k&SessionIds=7",
                target: "/?Token=t1k", type: "application/x-www-form-urlencoded"))
        let all = log.requests(RequestQuery())
        XCTAssertEqual(try text(all[0]), #"{"Nested":{"DbUserPassword":"***"},"Password":"***","User":"app"}"#)
        XCTAssertEqual(
            try text(all[1]),
            #"{"DbUserPassword":"***","SecurityToken":"***","SessionIds":"7","Signature":"***","Token":"***"}"#)
    }

    func testForgetsTheOldestOfManyRequests() async {
        for _ in 0...RequestLog.mostRequests { await send() }
        let numbers = log.requests(RequestQuery()).map(\.number)
        XCTAssertEqual(numbers.last, RequestLog.mostRequests + 1)
        XCTAssertLessThanOrEqual(numbers.count, RequestLog.mostRequests)
        XCTAssertGreaterThan(numbers.count, RequestLog.mostRequests * 8 / 10)
    }
}
