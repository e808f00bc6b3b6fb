import Foundation
import RequestSigning

/// A request, signed once: what signing costs the clients is none of killd's
/// figures. It is valid for five minutes.
struct SignedRequest {
    let body: String
    let headers: [(name: String, value: String)]

    /// A Prepare that lacks its InstanceId: everything up to the reading of
    /// parameters is done for it, and nothing after.
    static func missingParameter(port: UInt16) throws -> SignedRequest {
        try SignedRequest(body: #"{"Stage": "Prepare", "Threads": [4714056, 12], "Product": "mysql"}"#, port: port)
    }

    /// The same with a signature of version 1, as a form.
    static func missingParameterAsForm(port: UInt16) throws -> SignedRequest {
        let host = "127.0.0.1:\(port)"
        var parameters = V1Signature.benchmarkParameters(timestamp: Int64(Date().timeIntervalSince1970))
        let signature = try V1Signature.signature(
            of: V1Signature.stringToSign(httpMethod: "POST", host: host, parameters: parameters),
            secretKey: Secret("SKBENCH"), method: .hmacSHA256)
        parameters.append(("Signature", signature))
        return SignedRequest(
            body: parameters.map { name, value in
                "\(name)=\(value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")"
            }.joined(separator: "&"),
            headers: [("Host", host), ("Content-Type", "application/x-www-form-urlencoded")])
    }

    static func prepare(port: UInt16) throws -> SignedRequest {
        try SignedRequest(
            body: #"{"InstanceId": "cdb-bench", "Stage": "Prepare", "Threads": [1, 2], "Product": "mysql"}"#, port: port
        )
    }

    /// The Prepare of these threads.
    static func prepare(_ threads: [UInt], port: UInt16) throws -> SignedRequest {
        let list = threads.map(String.init).joined(separator: ", ")
        return try SignedRequest(
            body: #"{"InstanceId": "cdb-bench", "Stage": "Prepare", "Threads": [\#(list)], "Product": "mysql"}"#,
            port: port)
    }

    /// The Commit of what was prepared.
    static func commit(_ ticket: String, port: UInt16) throws -> SignedRequest {
        try SignedRequest(
            body: #"{"InstanceId": "cdb-bench", "Stage": "Commit", "SqlExecId": "\#(ticket)", "Product": "mysql"}"#,
            port: port)
    }

    /// The first page of all instances.
    static func instanceList(port: UInt16) throws -> SignedRequest {
        try SignedRequest(
            body: #"{"IsSupported": true, "Product": "mysql", "Offset": 0, "Limit": 20}"#,
            action: "DescribeDiagDBInstances", port: port)
    }

    /// As it is sent over a connection that is kept.
    var message: [UInt8] {
        let fields = headers + [(name: "Content-Length", value: "\(body.utf8.count)")]
        let head = "POST / HTTP/1.1\r\n" + fields.map { "\($0.name): \($0.value)\r\n" }.joined() + "\r\n"
        return Array((head + body).utf8)
    }

    private init(body: String, headers: [(name: String, value: String)]) {
        self.body = body
        self.headers = headers
    }

    private init(body: String, action: String = "KillMySqlThreads", port: UInt16) throws {
        let timestamp = Int64(Date().timeIntervalSince1970)
        let host = "127.0.0.1:\(port)"
        let authorization = try TC3Signer(
            secretID: "AKIDBENCH", secretKey: Secret("SKBENCH"), host: host, service: "dbbrain"
        ).authorization(
            method: "POST", query: "", contentType: "application/json", payload: Array(body.utf8), timestamp: timestamp)
        self.body = body
        headers = [
            ("Host", host), ("Content-Type", "application/json"), ("X-TC-Action", action),
            ("X-TC-Version", "2021-05-27"), ("X-TC-Timestamp", String(timestamp)), ("X-TC-Region", "ap-guangzhou"),
            ("X-TC-Language", "zh-CN"), ("X-TC-RequestClient", "SDK_PYTHON_3.1.194"),
            ("Authorization", authorization.headerValue),
        ]
    }
}

extension V1Signature {
    /// The parameters of a Prepare without its InstanceId, in the order of signing.
    static func benchmarkParameters(timestamp: Int64) -> [(name: String, value: String)] {
        [
            ("Action", "KillMySqlThreads"), ("Language", "zh-CN"), ("Nonce", "7035378719662001419"),
            ("Product", "mysql"), ("Region", "ap-guangzhou"), ("RequestClient", "SDK_PYTHON_3.1.194"),
            ("SecretId", "AKIDBENCH"), ("SignatureMethod", "HmacSHA256"), ("Stage", "Prepare"),
            ("Threads.0", "4714056"), ("Threads.1", "12"), ("Timestamp", String(timestamp)), ("Version", "2021-05-27"),
        ]
    }
}

/// Sends the request over kept-alive connections, again and again, and returns
/// the answers a second. Needs the program wrk.
func load(
    _ request: SignedRequest, on port: UInt16, scheme: String = "http", connections: Int = 32, seconds: Int,
    in folder: String
) throws -> Double {
    try measureLoad(request, on: port, scheme: scheme, connections: connections, seconds: seconds, in: folder).rate
}

struct LoadFigures {
    /// Responses a second.
    let rate: Double
    /// The time that one answer in a hundred takes at least, in milliseconds.
    let p99: Double
}

func measureLoad(
    _ request: SignedRequest, on port: UInt16, scheme: String = "http", connections: Int = 32, seconds: Int,
    in folder: String
) throws -> LoadFigures {
    let script = folder + "/request.lua"
    var text = "wrk.method = \"POST\"\nwrk.body = [[\(request.body)]]\n"
    for (name, value) in request.headers { text += "wrk.headers[\"\(name)\"] = [[\(value)]]\n" }
    try Data(text.utf8).write(to: URL(fileURLWithPath: script))
    let output = try run(
        find("wrk", package: "wrk"),
        ["-t1", "-c\(connections)", "-d\(seconds)s", "--latency", "-s", script, "\(scheme)://127.0.0.1:\(port)/"])
    guard let match = output.firstMatch(of: /Requests\/sec:\s+([0-9.]+)/), let rate = Double(match.1),
        let latency = output.firstMatch(of: /99%\s+([0-9.]+)(us|ms|s)/), let p99 = Double(latency.1),
        !output.contains("Non-2xx"), !output.contains("Socket errors")
    else { throw BenchmarkError("wrk: \(output)") }
    return LoadFigures(rate: rate, p99: p99 * (latency.2 == "us" ? 0.001 : latency.2 == "ms" ? 1 : 1_000))
}
