import Foundation
import RequestSigning
import XCTest

/// A signed request and what each stage must give, from a file in `Vectors/TC3`.
struct TC3Vector: Decodable {
    /// The stages of which the source gives the value.
    struct Expected: Decodable {
        let payloadHash: String?
        let canonicalRequestHash: String?
        let secretDate: String?
        let secretService: String?
        let secretSigning: String?
        let signature: String
    }

    let source: String
    let secretId: String
    let secretKey: String
    let timestamp: Int64
    let date: String
    let service: String
    let method: String
    let query: String
    /// One `Name: value` each, as on the wire.
    let headers: [String]
    let payload: String
    let expected: Expected

    func request() throws -> TC3Request {
        TC3Request(
            method: method, query: query,
            headers: SentHeaders(fields: try headers.map { try pair($0, separator: ": ") }),
            payload: Array(payload.utf8), timestamp: timestamp, region: nil)
    }

    func header(_ name: String) throws -> String {
        let headers = try headers.map { try pair($0, separator: ": ") }
        return try XCTUnwrap(headers.first { $0.name.lowercased() == name }?.value, "\(name) of \(source)")
    }
}

/// A text to sign and its signatures, from a file in `Vectors/V1`.
struct V1Vector: Decodable {
    let source: String
    let secretKey: String
    let httpMethod: String?
    let host: String?
    /// One `name=value` each, unescaped and in the order of signing.
    let parameters: [String]?
    let stringToSign: String
    /// By `SignatureMethod`.
    let signatures: [String: String]
}

/// A request signed with ACS3-HMAC-SHA256, from a file in `Vectors/ACS3`.
struct ACS3Vector: Decodable {
    /// The stages of which the source gives the value.
    struct Expected: Decodable {
        let canonicalRequestHash: String?
        let signature: String
    }

    let source: String
    let accessKeyId: String
    let secretKey: String
    let method: String
    /// As on the wire.
    let query: String
    /// One `Name: value` each, as on the wire.
    let headers: [String]
    let payload: String
    let expected: Expected

    var unescapedQuery: [(name: String, value: String)] { unescapedPairs(query) }

    func request() throws -> ACS3SignedRequest {
        try ACS3SignedRequest(
            method: method, query: unescapedQuery,
            headers: SentHeaders(fields: try headers.map { try pair($0, separator: ": ") }),
            payload: Array(payload.utf8))
    }
}

/// Parameters signed with HMAC-SHA1, from a file in `Vectors/RPC`: either
/// unescaped and with what must come out, or as on the wire, with their signature.
struct RPCVector: Decodable {
    let source: String
    let secretKey: String
    let httpMethod: String
    let parameters: [String]?
    let stringToSign: String?
    let signature: String?
    let query: String?
    let form: String?

    func pairs() throws -> [(name: String, value: String)] {
        try parameters?.map { try pair($0, separator: "=") }
            ?? unescapedPairs(query ?? "") + unescapedPairs(form ?? "")
    }

    func sentSignature() throws -> String {
        try XCTUnwrap(signature ?? pairs().first { $0.name == "Signature" }?.value, source)
    }

    func request() throws -> RPCSignedRequest {
        RPCSignedRequest(httpMethod: httpMethod, parameters: try pairs(), signature: try sentSignature())
    }
}

private func unescapedPairs(_ text: String) -> [(name: String, value: String)] {
    text.split(separator: "&").map { pair in
        let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
            $0.replacingOccurrences(of: "+", with: " ").removingPercentEncoding ?? ""
        }
        return (parts[0], parts[1])
    }
}

/// The vectors of one folder by the name of their file.
func vectors<Vector: Decodable>(_ type: Vector.Type, in folder: String) throws -> [(name: String, vector: Vector)] {
    let files = try XCTUnwrap(
        Bundle.module.urls(forResourcesWithExtension: "json", subdirectory: "Vectors/\(folder)"), folder)
    return try files.map { file in
        let url = file as URL
        return (url.lastPathComponent, try JSONDecoder().decode(type, from: Data(contentsOf: url)))
    }
}

func pair(_ text: String, separator: String) throws -> (name: String, value: String) {
    let range = try XCTUnwrap(text.range(of: separator), "no '\(separator)' in \(text)")
    return (String(text[..<range.lowerBound]), String(text[range.upperBound...]))
}
