import Foundation
import PrivateDatabase
import RequestSigning
import TestSupport
import XCTest

/// Requests that no client should send: each gets its code, at once, and nothing secret gets into the log.
final class BadInputTests: XCTestCase {
    private struct Case {
        let name: String
        let request: String
        /// The code of the response; a number is an HTTP status.
        let code: String
    }

    func testEachBadRequestGetsAClearCodeAtOnce() async throws {
        let killd = try await KilldProcess.start(KilldConfiguration(port: try PrivateDatabase.freePort()))
        let cases = try cases(RequestMaker(port: killd.port, account: killd.configuration.accounts[0]))
        let clock = ContinuousClock()
        for badRequest in cases {
            let start = clock.now
            let connection = try TestClient(port: killd.port)
            connection.send(badRequest.request)
            let answer = try XCTUnwrap(connection.receive(), "no answer: \(badRequest.name)")
            connection.endSending()
            XCTAssertTrue(
                answer.hasPrefix("HTTP/1.1 \(badRequest.code) ") || answer.contains(#""Code":"\#(badRequest.code)""#),
                "\(badRequest.name): \(answer)")
            // Where killd waited for more of it, it would be for 15 seconds.
            XCTAssertLessThan(start.duration(to: clock.now), .seconds(10), badRequest.name)
        }
        try await eventually("the last refusal in the log") { try killd.log.contains("Content Too Large") }
        let log = try killd.log
        XCTAssertGreaterThan(log.split(separator: "\n").count { $0.contains("AuthFailure") }, 5, log)
        for secret in [killd.configuration.accounts[0].secretKey, "Signature=", "PASSWORD-IN-THE-QUERY"] {
            XCTAssertFalse(log.contains(secret), "\(secret) is in the log")
        }
        try await killd.stop()
    }

    private func cases(_ make: RequestMaker) throws -> [Case] {
        let prepare = #"{"InstanceId":"cdb-test","Stage":"Prepare","Threads":[7]}"#
        let commit = #"{"InstanceId":"cdb-test","Stage":"Commit","SqlExecId":"x"}"#
        func json(_ body: String) throws -> String { try make.json(body) }
        func form(_ threads: String) throws -> String {
            try make.form("InstanceId=cdb-test&Stage=Prepare&\(threads)")
        }
        let authorization = #"Authorization: TC3-HMAC-SHA256 Credential=a/2026-01-01/dbbrain/tc3_request"#
        return [
            Case(
                name: "a timestamp that is text", request: try make.json(prepare, timestampText: "now"),
                code: "InvalidParameterValue"),
            Case(
                name: "301 s late", request: try make.json(prepare, offset: -301), code: "AuthFailure.SignatureExpire"),
            // Not 301: the cases before it take time.
            Case(
                name: "400 s early", request: try make.json(prepare, offset: 400), code: "AuthFailure.SignatureExpire"),
            Case(name: "1970", request: try make.json(prepare, timestamp: 0), code: "AuthFailure.SignatureExpire"),
            Case(
                name: "the year 292277026596", request: try make.json(prepare, timestampText: "\(Int64.max)"),
                code: "AuthFailure.InvalidAuthorization"),
            Case(
                name: "two Authorization headers", request: try make.json(prepare, headers: [authorization]),
                code: "AuthFailure.InvalidAuthorization"),
            Case(
                name: "two empty Authorization headers",
                request: try make.json(prepare, headers: ["Authorization: ", "Authorization: "]),
                code: "AuthFailure.InvalidAuthorization"),
            Case(
                name: "a signature one character short", request: try make.json(prepare, cutSignature: true),
                code: "AuthFailure.InvalidAuthorization"),
            Case(
                name: "a V1 signature one character short",
                request: try make.form("InstanceId=cdb-test", cutSignature: true), code: "AuthFailure.SignatureFailure"),
            Case(
                name: "a secret id with a newline",
                request: try make.form("Stage=Commit", secretID: "AKIDci\n{\"x\":1}"),
                code: "AuthFailure.SecretIdNotFound"),
            Case(
                name: "a header with a newline", request: try make.json(commit, headers: ["X-TC-Region: a\n b"]),
                code: "400"),
            Case(name: "[]", request: try json("[]"), code: "InvalidParameter"),
            Case(name: "null", request: try json("null"), code: "InvalidParameter"),
            Case(name: "a string", request: try json(#""x""#), code: "InvalidParameter"),
            Case(name: "nothing", request: try json(""), code: "InvalidParameter"),
            Case(name: "truncated", request: try json(String(prepare.dropLast())), code: "InvalidParameter"),
            Case(
                name: "a key twice", request: try json(prepare.dropLast() + #","Stage":"Commit"}"#),
                code: "InvalidParameter"),
            Case(
                name: "a key twice, once escaped", request: try json(prepare.dropLast() + #","\u0053tage":"Commit"}"#),
                code: "InvalidParameter"),
            Case(
                name: "nested 10,000 deep",
                request: try json(#"{"Threads":"# + String(repeating: "[", count: 10_000)), code: "InvalidParameter"),
            Case(
                name: "a lone surrogate", request: try json(prepare.dropLast() + #","Product":"\ud800"}"#),
                code: "InvalidParameter"),
            Case(
                name: "100,000 query parameters",
                request: try make.query((0..<100_000).map { "a\($0)=" }.joined(separator: "&")),
                code: "RequestSizeLimitExceeded"),
            Case(
                name: "100,000 form parameters",
                request: try make.form((0..<100_000).map { "a\($0)=" }.joined(separator: "&")),
                code: "AuthFailure.SignatureFailure"),
            Case(
                name: "a percent sign at the end of the query",
                request: try make.query("Action=KillMySqlThreads&Region=%"), code: "InvalidParameter"),
            Case(
                name: "a password in a query that nobody signed",
                request: try make.query("Action=VerifyUserAccount&Password=PASSWORD-IN-THE-QUERY"),
                code: "MissingParameter"),
            Case(
                name: "Threads.0 and Threads.2", request: try form("Threads.0=7&Threads.2=8"), code: "MissingParameter"),
            Case(
                name: "Threads.4294967296", request: try form("Threads.0=7&Threads.4294967296=8"),
                code: "MissingParameter"),
            Case(
                name: "the thread 4294967296", request: try form("Threads.0=4294967296"), code: "InvalidParameterValue"),
            Case(name: "a thread with a sign", request: try form("Threads.0=%2B7"), code: "InvalidParameter"),
            Case(
                name: "a body of 11 MB",
                request:
                    "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 11534336\r\n\r\n",
                code: "RequestSizeLimitExceeded"),
        ]
    }
}

/// Makes requests signed as an SDK signs them, but for what is asked to be wrong.
private struct RequestMaker {
    let port: UInt16
    let account: KilldConfiguration.Account

    private var host: String { "127.0.0.1:\(port)" }
    private var now: Int64 { Int64(Date().timeIntervalSince1970) }

    func json(
        _ body: String, timestamp: Int64? = nil, offset: Int64 = 0, timestampText: String? = nil,
        headers: [String] = [], cutSignature: Bool = false
    ) throws -> String {
        let timestamp = timestamp ?? now + offset
        let authorization = try TC3Signer(
            secretID: account.secretId, secretKey: Secret(account.secretKey), host: host, service: "dbbrain"
        ).authorization(
            method: "POST", query: "", contentType: "application/json", payload: Array(body.utf8), timestamp: timestamp)
        let lines = [
            "POST / HTTP/1.1", "Host: \(host)", "Content-Type: application/json", "Connection: close",
            "Content-Length: \(body.utf8.count)", "X-TC-Action: KillMySqlThreads", "X-TC-Version: 2021-05-27",
            "X-TC-Timestamp: \(timestampText ?? String(timestamp))",
            "Authorization: \(authorization.headerValue.dropLast(cutSignature ? 1 : 0))",
        ]
        return (lines + headers).joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    /// - Parameter parameters: the action's own, as they are sent; their names and values must need no escape but `%2B`.
    func form(_ parameters: String, secretID: String? = nil, cutSignature: Bool = false) throws -> String {
        var pairs = parameters.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (name: String(parts[0]), value: parts[1].replacingOccurrences(of: "%2B", with: "+"))
        }
        pairs += [
            ("Action", "KillMySqlThreads"), ("Version", "2021-05-27"), ("Timestamp", String(now)), ("Nonce", "1"),
            ("SecretId", secretID ?? account.secretId),
        ]
        pairs.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        let signature = try V1Signature.signature(
            of: V1Signature.stringToSign(httpMethod: "POST", host: host, parameters: pairs),
            secretKey: Secret(account.secretKey), method: .hmacSHA1)
        pairs.append(("Signature", String(signature.dropLast(cutSignature ? 1 : 0))))
        let body = try pairs.map { pair in
            let value = try XCTUnwrap(pair.value.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
            return "\(pair.name)=\(value)"
        }.joined(separator: "&")
        return """
            POST / HTTP/1.1\r\nHost: \(host)\r\nContent-Type: application/x-www-form-urlencoded\r\n\
            Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)
            """
    }

    func query(_ query: String) throws -> String {
        "GET /?\(query) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n"
    }
}
