import Cryptography
import Foundation
import RequestSigning
import TestSupport
import XCTest

/// A request as one official client sends it, from a file in `Clients/requests` or `Clients/das-requests`, whose
/// READMEs describe the form.
struct ClientRequest {
    let name: String
    /// The code of the error that must come, or nil for success.
    let answer: String?
    let recordsHistory: Bool
    private let rules: [String: String]
    private let template: String

    /// All files, by name.
    static func all(in folder: String = "requests") throws -> [ClientRequest] {
        let files = try XCTUnwrap(
            Bundle.module.urls(forResourcesWithExtension: "http", subdirectory: "Clients/\(folder)"))
        return try files.map { try ClientRequest(contentsOf: $0 as URL) }.sorted { $0.name < $1.name }
    }

    private init(contentsOf file: URL) throws {
        name = file.deletingPathExtension().lastPathComponent
        var lines = try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n")[...]
        var rules: [String: String] = [:]
        var key: String?
        while let line = lines.first, line.hasPrefix("#") {
            lines.removeFirst()
            if let key, line.hasPrefix("#   ") {
                rules[key, default: ""] += " " + line.dropFirst(4)
            } else {
                let rule = try split(String(line.dropFirst(2)), at: ": ")
                rules[rule.name] = rule.value
                key = rule.name
            }
        }
        if lines.last == "" { lines.removeLast() }
        template = lines.joined(separator: "\n")
        answer = rules["answer"]
        recordsHistory = rules["record-history"] != "false"
        self.rules = rules
    }

    func names(_ placeholder: String) -> Bool { template.contains("${\(placeholder)}") }

    /// The bytes that the client would send.
    ///
    /// - Parameter values: of the placeholders; those for what signing gives are added here.
    func bytes(_ values: [String: String], secretKey: String) throws -> String {
        var values = values
        let rules = try rules.mapValues { try filled($0, values) }
        values["Service"] = rules["service"]
        // Stand for themselves until they are known.
        for name in ["Signature", "Length", "BodyHash"] { values[name] = "${\(name)}" }
        let message = try Message(filled(template, values))
        let key = Secret(secretKey)
        switch rules["signature"] {
        case "tc3":
            let timestamp = try XCTUnwrap(values["Timestamp"].flatMap { Int64($0) }, name)
            let scope = TC3CredentialScope(
                date: try XCTUnwrap(values["Date"], name), service: try XCTUnwrap(values["Service"], name))
            let stringToSign = try TC3.stringToSign(
                timestamp: timestamp, scope: scope, canonicalRequestHash: message.canonicalRequestHash(rules))
            let signature = try TC3SigningKey(secretKey: key, scope: scope).signature(of: stringToSign)
            values["Signature"] = hexadecimal(signature)
        case .some(let method) where V1Signature.Method(rawValue: method) != nil:
            let signature = try V1Signature.signature(
                of: message.v1StringToSign(rules), secretKey: key,
                method: XCTUnwrap(V1Signature.Method(rawValue: method)))
            values["Signature"] = try XCTUnwrap(signature.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
        case "HMAC-SHA1":
            let signature = try RPCSignature.signature(of: message.rpcStringToSign(), secretKey: key)
            values["Signature"] = try XCTUnwrap(
                RPCSignature.base64(signature).addingPercentEncoding(withAllowedCharacters: .alphanumerics))
        case "ACS3-HMAC-SHA256":
            values["BodyHash"] = hexadecimal(try Digest.sha256.hash(message.body.utf8))
            let stringToSign = try Message(filled(template, values)).acs3StringToSign()
            values["Signature"] = hexadecimal(try ACS3.signature(of: stringToSign, secretKey: key))
        case "none":
            break
        default:
            throw FileError("\(name) does not say how it is signed")
        }
        let signed = try Message(filled(template, values))
        values["Length"] = String(signed.body.utf8.count)
        return try filled(signed.head, values).replacingOccurrences(of: "\n", with: "\r\n") + "\r\n\r\n" + signed.body
    }

    /// The text with the values put in; all that it names must be known.
    private func filled(_ text: String, _ values: [String: String]) throws -> String {
        var parts = text.components(separatedBy: "${")
        var result = parts.removeFirst()
        for part in parts {
            let (placeholder, rest) = try split(part, at: "}")
            guard let value = values[placeholder] else { throw FileError("\(name): ${\(placeholder)} is not known") }
            result += value + rest
        }
        return result
    }
}

/// A request taken apart.
private struct Message {
    let head: String
    let body: String
    private let method: String
    private let query: String
    private let headers: [(name: String, value: String)]

    init(_ text: String) throws {
        (head, body) = text.contains("\n\n") ? try split(text, at: "\n\n") : (text, "")
        let lines = head.components(separatedBy: "\n")
        let requestLine = lines[0].components(separatedBy: " ")
        guard requestLine.count == 3 else { throw FileError("no request line: \(lines[0])") }
        method = requestLine[0]
        query = requestLine[1].contains("?") ? try split(requestLine[1], at: "?").value : ""
        headers = try lines.dropFirst().map { try split($0, at: ": ") }
    }

    private func header(_ lowerCaseName: String) throws -> String {
        try XCTUnwrap(headers.first { $0.name.lowercased() == lowerCaseName }?.value, "\(lowerCaseName) of \(head)")
    }

    func canonicalRequestHash(_ rules: [String: String]) throws -> [UInt8] {
        let names = try split(split(header("authorization"), at: "SignedHeaders=").value, at: ",").name
        let signed = try names.components(separatedBy: ";").map { name in
            (name: name, value: try rules["signed-\(name)"] ?? header(name))
        }
        let isUnsigned = try head.contains("UNSIGNED-PAYLOAD") && header("x-tc-content-sha256") == "UNSIGNED-PAYLOAD"
        let canonicalRequest = TC3.canonicalRequest(
            method: method, query: method == "GET" ? query : "", headers: signed,
            payloadHash: try Digest.sha256.hash((isUnsigned ? "UNSIGNED-PAYLOAD" : body).utf8))
        return try Digest.sha256.hash(canonicalRequest)
    }

    func rpcStringToSign() -> String {
        let ofForm = pairs(body)
        let ofQuery = pairs(query).filter { pair in !ofForm.contains { $0.name == pair.name } }
        return RPCSignature.stringToSign(
            httpMethod: method, parameters: (ofQuery + ofForm).filter { $0.name != "Signature" })
    }

    func acs3StringToSign() throws -> String {
        let names = try split(split(header("authorization"), at: "SignedHeaders=").value, at: ",").name
        let canonicalRequest = ACS3.canonicalRequest(
            method: method, query: canonicalizedQuery(pairs(query)),
            headers: try names.components(separatedBy: ";").map { ($0, try header($0)) },
            payloadHash: hexadecimal(try Digest.sha256.hash(body.utf8)))
        return ACS3.stringToSign(canonicalRequestHash: try Digest.sha256.hash(canonicalRequest))
    }

    /// Of a query or form, unescaped.
    private func pairs(_ text: String) -> [(name: String, value: String)] {
        text.split(separator: "&").map { pair in
            let parts = pair.replacingOccurrences(of: "+", with: " ").split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false
            ).map { $0.removingPercentEncoding ?? "" }
            return (parts[0], parts.count > 1 ? parts[1] : "")
        }
    }

    func v1StringToSign(_ rules: [String: String]) throws -> String {
        let parameters: [(name: String, value: String)]
        if let text = rules["signed-parameters"] {
            parameters = try text.components(separatedBy: "&").map { try split($0, at: "=") }
        } else {
            parameters = pairs(method == "GET" ? query : body).filter { $0.name != "Signature" }
                .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        }
        return V1Signature.stringToSign(
            httpMethod: method, host: try XCTUnwrap(rules["signed-host"]), parameters: parameters)
    }
}

private func split(_ text: String, at separator: String) throws -> (name: String, value: String) {
    guard let range = text.range(of: separator) else { throw FileError("no '\(separator)' in \(text)") }
    return (String(text[..<range.lowerBound]), String(text[range.upperBound...]))
}

/// What is wrong with a file in `Clients/requests`.
private struct FileError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
