@testable import ActionDispatch
@testable import HTTPServer
import Parameters
import RequestSigning
import TencentCloudErrors

/// A signature that fits is accepted in every form of request, and no longer
/// fits once what it covers was changed.
enum SigningTarget {
    private static let key = Secret("SKEXAMPLE")
    private static let keys = TC3SigningKeys()
    private static let now: Int64 = 1_700_000_000

    static func read(_ bytes: [UInt8]) {
        guard let request = request(bytes) else {
            _ = try? TC3Authorization(parsing: String(decoding: bytes, as: UTF8.self))
            return
        }
        guard let incoming = try? IncomingRequest(request) else { return }
        _ = Language(requested: incoming[.language])
        _ = try? incoming.required(.action)
        _ = try? verdict(on: incoming)
        _ = try? incoming.parameters()
    }

    static func check(_ bytes: [UInt8]) throws {
        guard let request = request(bytes) else {
            guard let value = String(validating: bytes, as: UTF8.self) else { return }
            return try checkAuthorization(value)
        }
        for (name, value) in request.headers where name.lowercased() == "authorization" {
            try checkAuthorization(value)
        }
        guard let incoming = try? IncomingRequest(request), let signature = try? signature(of: incoming) else { return }
        if let signed = signature as? TC3SignedRequest {
            try check(signed.authorization, of: request, incoming)
        } else {
            try checkV1(request, incoming)
        }
    }

    /// The first request, if the bytes are one.
    private static func request(_ bytes: [UInt8]) -> HTTPRequest? {
        var parser = HTTPRequestParser(limits: HTTPLimits(), remoteAddress: "127.0.0.1")
        var index = 0
        return try? parser.read(bytes.span, from: &index)?.request
    }

    private static func signature(of incoming: IncomingRequest) throws -> any SignedRequest {
        guard let timestamp = Int64(try incoming.required(.timestamp)) else {
            throw Finding(description: "no timestamp")
        }
        return try incoming.signature(
            timestamp: timestamp, region: incoming[.region],
            signedHosts: ServerNames([try ServerName("dbbrain.internal.example")], ports: [8155]))
    }

    /// `nil` for what cannot be verified.
    private static func verdict(on incoming: IncomingRequest, at time: Int64 = now) throws -> SignatureVerdict {
        try signature(of: incoming).verify(secretKey: key, at: time, keys: keys)
    }

    // MARK: The header

    private static func checkAuthorization(_ value: String) throws {
        let authorization: TC3Authorization
        do throws(TC3AuthorizationError) {
            authorization = try TC3Authorization(parsing: value)
        } catch {
            return try demand("\(error)".utf8.count < 100, "reason \(error)")
        }
        let written = authorization.headerValue
        try demand(try TC3Authorization(parsing: written) == authorization, "\(written) is read as another")
        try demand(authorization.signature.count == 32, "a signature of \(authorization.signature.count) bytes")
        try demand(written.utf8.allSatisfy { (0x20...0x7E).contains($0) }, written.debugDescription)
        let names = authorization.signedHeaders
        try demand(names == Set(names).sorted(), "signed headers \(names)")
    }

    // MARK: TC3

    /// The request as it would be, had an SDK signed it.
    private static func check(
        _ authorization: TC3Authorization, of request: HTTPRequest, _ incoming: IncomingRequest
    ) throws {
        guard let timestamp = Int64(try incoming.required(.timestamp)), let host = request.headers["Host"],
            let contentType = request.headers["Content-Type"]
        else { throw Finding(description: "accepted without host, content type or timestamp") }
        let isUnsigned = request.headers["X-TC-Content-SHA256"]?.isSame(as: "UNSIGNED-PAYLOAD") == true
        let query = request.method == "POST" ? "" : request.query ?? ""
        let signed = try TC3Signer(
            secretID: authorization.secretID, secretKey: key, host: host, service: authorization.scope.service
        ).authorization(
            method: request.method, query: query, contentType: contentType,
            payload: isUnsigned ? Array("UNSIGNED-PAYLOAD".utf8) : request.body, timestamp: timestamp)
        try demand(signed.scope == authorization.scope, "\(authorization.scope), signed \(signed.scope)")

        func verdict(body: [UInt8], at time: Int64) throws -> SignatureVerdict {
            var changed = request.replacing("Authorization", by: signed.headerValue)
            changed = HTTPRequest(
                method: changed.method, target: changed.target, headers: changed.headers, body: body,
                remoteAddress: changed.remoteAddress)
            return try self.verdict(on: IncomingRequest(changed), at: time)
        }
        guard timestamp > Int64.min + 300, timestamp < Int64.max - 301 else { return }
        try demand(try verdict(body: request.body, at: timestamp) == .verified, "\(signed.headerValue) is refused")
        try demand(
            try verdict(body: request.body, at: timestamp + 301) == .expired(serverTime: timestamp + 301),
            "\(signed.headerValue) does not expire")
        if !isUnsigned {
            try demand(
                try verdict(body: request.body + [0x20], at: timestamp) == .mismatched,
                "\(signed.headerValue) fits another body")
        }
    }

    // MARK: Version 1

    private static func checkV1(_ request: HTTPRequest, _ incoming: IncomingRequest) throws {
        guard let timestamp = Int64(try incoming.required(.timestamp)) else { return }
        guard timestamp > Int64.min + 300, timestamp < Int64.max - 301 else { return }
        let text = request.method == "POST" ? request.body : Array((request.query ?? "").utf8)
        let pairs = try FormPairs(text).pairs.filter { !$0.name.isSame(as: "Signature") }
            .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        let method =
            pairs.first { $0.name.isSame(as: "SignatureMethod") && $0.value.isSame(as: "HmacSHA256") } == nil
            ? V1Signature.Method.hmacSHA1 : .hmacSHA256
        let stringToSign = V1Signature.stringToSign(
            httpMethod: request.method, host: request.headers["Host"] ?? "", parameters: pairs)
        let signature = try V1Signature.signature(of: stringToSign, secretKey: key, method: method)

        func verdict(_ pairs: [FormPairs.Pair], at time: Int64) throws -> SignatureVerdict {
            let form = FormText(pairs + [("Signature", signature)]).bytes
            let isPost = request.method == "POST"
            let changed = HTTPRequest(
                method: request.method,
                target: isPost ? request.target : "/?" + String(decoding: form, as: UTF8.self),
                headers: request.headers, body: isPost ? form : request.body, remoteAddress: request.remoteAddress)
            return try self.verdict(on: IncomingRequest(changed), at: time)
        }
        // Written anew, it can be longer than a form or query may be.
        guard FormText(pairs).bytes.count < 30_000 else { return }
        try demand(try verdict(pairs, at: timestamp) == .verified, "signed, it is refused: \(stringToSign)")
        try demand(
            try verdict(pairs, at: timestamp - 301) == .expired(serverTime: timestamp - 301),
            "it does not expire: \(stringToSign)")
        // A name that is not there yet: it is behind the last of them.
        let other = (pairs.last?.name ?? "") + "z"
        try demand(
            try verdict(pairs + [(other, "")], at: timestamp) == .mismatched,
            "it fits other parameters: \(stringToSign)")
    }
}

extension HTTPRequest {
    fileprivate func replacing(_ name: String, by value: String) -> HTTPRequest {
        var headers = HTTPHeaders()
        for header in self.headers where header.name.lowercased() != name.lowercased() {
            headers.append(name: header.name, value: header.value)
        }
        headers.append(name: name, value: value)
        return HTTPRequest(
            method: method, target: target, version: version, headers: headers, body: body,
            remoteAddress: remoteAddress)
    }
}
