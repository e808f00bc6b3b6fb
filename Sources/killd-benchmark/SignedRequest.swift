import Foundation
import RequestSigning

/// Requests as bytes, signed for now.
enum SignedRequest {
    /// A Prepare that lacks its InstanceId: everything up to the reading of
    /// parameters is done for it, and nothing after.
    static func missingParameter(port: UInt16) throws -> [UInt8] {
        try bytes(body: #"{"Stage": "Prepare", "Threads": [4714056, 12], "Product": "mysql"}"#, port: port)
    }

    static func prepare(threads: [UInt64], port: UInt16) throws -> [UInt8] {
        try bytes(
            body: #"{"InstanceId": "cdb-bench", "Stage": "Prepare", "Threads": \#(threads), "Product": "mysql"}"#,
            port: port)
    }

    static func headers(body: String, port: UInt16) throws -> [(String, String)] {
        let timestamp = Int64(Date().timeIntervalSince1970)
        let host = "127.0.0.1:\(port)"
        let authorization = try TC3Signer(
            secretID: "AKIDBENCH", secretKey: Secret("SKBENCH"), host: host, service: "dbbrain"
        ).authorization(
            method: "POST", query: "", contentType: "application/json", payload: Array(body.utf8), timestamp: timestamp)
        return [
            ("Host", host), ("Content-Type", "application/json"), ("X-TC-Action", "KillMySqlThreads"),
            ("X-TC-Version", "2021-05-27"), ("X-TC-Timestamp", String(timestamp)), ("X-TC-Region", "ap-guangzhou"),
            ("X-TC-Language", "zh-CN"), ("X-TC-RequestClient", "SDK_PYTHON_3.1.194"),
            ("Authorization", authorization.headerValue),
        ]
    }

    private static func bytes(body: String, port: UInt16) throws -> [UInt8] {
        let head = try headers(body: body, port: port).map { "\($0): \($1)\r\n" }.joined()
        return Array("POST / HTTP/1.1\r\n\(head)Content-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
    }
}
