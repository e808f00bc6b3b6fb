import APIClient
import Foundation
import RequestSigning

/// The calls that are measured, signed once: what signing costs the clients is none
/// of killd's figures.
extension SignedCall {
    /// A Prepare that lacks its InstanceId: everything up to the reading of
    /// parameters is done for it, and nothing after.
    static func missingParameter(port: UInt16) throws -> SignedCall {
        try SignedCall(#"{"Stage": "Prepare", "Threads": [4714056, 12], "Product": "mysql"}"#, port: port)
    }

    /// The same with a signature of version 1, as a form.
    static func missingParameterAsForm(port: UInt16) throws -> SignedCall {
        let host = "127.0.0.1:\(port)"
        var parameters = V1Signature.benchmarkParameters(timestamp: Int64(Date().timeIntervalSince1970))
        let signature = try V1Signature.signature(
            of: V1Signature.stringToSign(httpMethod: "POST", host: host, parameters: parameters),
            secretKey: Secret("SKBENCH"), method: .hmacSHA256)
        parameters.append(("Signature", signature))
        let form = parameters.map { name, value in
            "\(name)=\(value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")"
        }.joined(separator: "&")
        return SignedCall(
            host: host, headers: [("Content-Type", "application/x-www-form-urlencoded")], body: Array(form.utf8))
    }

    /// The Prepare of these threads.
    static func prepare(_ threads: [UInt] = [1, 2], port: UInt16) throws -> SignedCall {
        let list = threads.map(String.init).joined(separator: ", ")
        return try SignedCall(
            #"{"InstanceId": "cdb-bench", "Stage": "Prepare", "Threads": [\#(list)], "Product": "mysql"}"#, port: port)
    }

    /// The Commit of what was prepared.
    static func commit(_ ticket: String, port: UInt16) throws -> SignedCall {
        try SignedCall(
            #"{"InstanceId": "cdb-bench", "Stage": "Commit", "SqlExecId": "\#(ticket)", "Product": "mysql"}"#,
            port: port)
    }

    /// The first page of all instances.
    static func instanceList(port: UInt16) throws -> SignedCall {
        try SignedCall(
            #"{"IsSupported": true, "Product": "mysql", "Offset": 0, "Limit": 20}"#,
            action: "DescribeDiagDBInstances", port: port)
    }

    /// The first page of all plans.
    static func planList(port: UInt16) throws -> SignedCall {
        try SignedCall(#"{"Offset": 0, "Limit": 20}"#, action: "DescribeKillPlans", port: port)
    }

    /// The bytes that are sent over a connection that is kept.
    var message: [UInt8] { message(keepsConnection: true) }

    private init(_ body: String, action: String = "KillMySqlThreads", port: UInt16) throws {
        try self.init(
            action, body: Array(body.utf8),
            by: APICredentials(secretID: "AKIDBENCH", secretKey: Secret("SKBENCH")), to: "127.0.0.1:\(port)",
            others: [
                ("X-TC-Region", "ap-guangzhou"), ("X-TC-Language", "zh-CN"),
                ("X-TC-RequestClient", "SDK_PYTHON_3.1.194"),
            ], timestamp: Int64(Date().timeIntervalSince1970))
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
