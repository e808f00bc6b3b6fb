@testable import DASAPI
@testable import HTTPServer
import Parameters
import RequestDispatch
@testable import RequestSigning

/// A signature of DAS that fits is accepted in either version, and no longer fits
/// once what it covers was changed.
enum DASTarget {
    private static let key = Secret("SKEXAMPLE")

    static func read(_ bytes: [UInt8]) {
        guard let request = request(bytes) else {
            _ = try? ACS3Authorization(parsing: String(decoding: bytes, as: UTF8.self))
            return
        }
        guard let incoming = try? IncomingDASRequest(request) else { return }
        _ = try? incoming.format()
        if let parameters = try? incoming.parameters(mayBeBlank: nil) {
            _ = try? incoming.parameters(mayBeBlank: ["SessionIds"])
            _ = try? ParameterDecoder().decode(CreateKillInstanceSessionTask.Request.self, from: parameters)
            _ = try? ParameterDecoder().decode(GetMySQLAllSessionAsync.Request.self, from: parameters)
        }
        guard let common = try? incoming.common() else { return }
        _ = ACSTimestamp(common.timestamp)
        _ = try? common.signature.verify(secretKey: key)
        _ = try? incoming.echo(of: common.signature)
    }

    static func check(_ bytes: [UInt8]) throws {
        guard let request = request(bytes) else {
            guard let value = String(validating: bytes, as: UTF8.self) else { return }
            return try checkAuthorization(value)
        }
        for (name, value) in request.headers where name.lowercased() == "authorization" {
            try checkAuthorization(value)
        }
        read(bytes)
        guard let incoming = try? IncomingDASRequest(request), let common = try? incoming.common() else { return }
        switch common.signature {
        case .v1: try checkV1(request.method, incoming.pairs)
        case .v3(let signed): try check(signed, of: request)
        }
    }

    /// The first request, if the bytes are one.
    private static func request(_ bytes: [UInt8]) -> HTTPRequest? {
        var parser = HTTPRequestParser(limits: HTTPLimits(), remoteAddress: "127.0.0.1")
        var index = 0
        return try? parser.read(bytes.span, from: &index)?.request
    }

    private static func checkAuthorization(_ value: String) throws {
        guard let authorization = try? ACS3Authorization(parsing: value) else { return }
        let written = authorization.headerValue
        try demand(try ACS3Authorization(parsing: written) == authorization, "\(written) is read as another")
        try demand(authorization.signature.count == 32, "a signature of \(authorization.signature.count) bytes")
        try demand(written.utf8.allSatisfy { (0x20...0x7E).contains($0) }, written.debugDescription)
        let names = authorization.signedHeaders
        try demand(names == Set(names).sorted(), "signed headers \(names)")
    }

    private static func checkV1(_ method: String, _ pairs: [FormPairs.Pair]) throws {
        let parameters = pairs.filter { !$0.name.isSame(as: "Signature") }
        let text = RPCSignature.stringToSign(httpMethod: method, parameters: parameters)
        let signature = RPCSignature.base64(try RPCSignature.signature(of: text, secretKey: key))
        func fits(_ parameters: [FormPairs.Pair]) throws -> Bool {
            try RPCSignedRequest(httpMethod: method, parameters: parameters, signature: signature)
                .verify(secretKey: key)
        }
        try demand(try fits(parameters.reversed()), "signed, it is refused in another order: \(text)")
        try demand(try !fits(parameters + [("zzz", "")]), "it fits other parameters: \(text)")
        try demand(try !fits(Array(parameters.dropLast())), "it fits fewer parameters: \(text)")
    }

    /// The request as it would be, had an SDK signed it.
    private static func check(_ signed: ACS3SignedRequest, of request: HTTPRequest) throws {
        let text = try signed.stringToSign()
        let authorization = ACS3Authorization(
            accessKeyID: signed.authorization.accessKeyID, signedHeaders: signed.authorization.signedHeaders,
            signature: try ACS3.signature(of: text, secretKey: key))
        var headers = HTTPHeaders()
        for header in request.headers where header.name.lowercased() != "authorization" {
            headers.append(name: header.name, value: header.value)
        }
        headers.append(name: "Authorization", value: authorization.headerValue)
        func fits(body: [UInt8]) throws -> Bool {
            try ACS3SignedRequest(
                method: request.method, query: FormPairs((request.query ?? "").utf8).pairs,
                headers: headers, payload: body
            ).verify(secretKey: key)
        }
        // One that signs itself changes what it signs.
        guard !authorization.signedHeaders.contains("authorization") else { return }
        try demand(try fits(body: request.body), "signed, it is refused: \(authorization.headerValue)")
        guard !request.body.isEmpty else { return }
        try demand(try !fits(body: request.body + [0x20]), "it fits another body: \(authorization.headerValue)")
    }
}
