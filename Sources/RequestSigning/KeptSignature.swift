import Cryptography
import FoundationEssentials

/// A request that was verified, kept so that it can be verified again at any later time: all that its signature
/// covers, as it was signed, and nothing else.
///
/// It depends on no configuration but the key: of the names that a client may have signed as `host` it has the one.
/// Every byte of its text is bound, either by the signature or by there being no other spelling of it. It holds no
/// secret: where the token of temporary credentials was signed, it says only that it was.
public struct KeptSignature: Sendable {
    /// One line of JSON.
    public let text: String
    private let form: Form

    private enum Form: Sendable {
        case tc3(KeptTC3)
        case v1(KeptV1)
    }

    /// - Parameter text: as ``text`` was; nil for every other text.
    public init?(_ text: String) {
        let data = Data(text.utf8)
        let decoder = JSONDecoder()
        if let kept = try? decoder.decode(KeptTC3.self, from: data) {
            self.init(kept)
        } else if let kept = try? decoder.decode(KeptV1.self, from: data) {
            self.init(kept)
        } else {
            return nil
        }
        guard self.text.isSame(as: text) else { return nil }
    }

    init?(_ kept: KeptTC3) {
        guard let text = Self.text(of: kept) else { return nil }
        self.text = text
        form = .tc3(kept)
    }

    init?(_ kept: KeptV1) {
        guard let text = Self.text(of: kept) else { return nil }
        self.text = text
        form = .v1(kept)
    }

    private static func text(of kept: some Encodable) -> String? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(kept)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether it was signed by the account of this key.
    ///
    /// - Parameters:
    ///   - secretID: compared too: a TC3 signature does not cover it.
    ///   - token: that of the account, where it has temporary credentials.
    public func verify(
        secretID: String, secretKey: Secret, token: Secret?
    ) throws(CryptographyError) -> Bool {
        guard self.secretID?.isSame(as: secretID) == true else { return false }
        return switch form {
        case .tc3(let kept): try kept.verify(secretKey: secretKey, token: token)
        case .v1(let kept): try kept.verify(secretKey: secretKey, token: token)
        }
    }

    /// The id of the key that it says it is signed with.
    public var secretID: String? {
        switch form {
        case .tc3(let kept): try? TC3Authorization(parsing: kept.authorization).secretID
        case .v1(let kept): kept.parameters.first { $0.name.isSame(as: "SecretId") }?.value
        }
    }

    /// What the request asked for.
    public var content: Content {
        switch form {
        case .tc3(let kept): kept.method == "GET" ? .query(kept.query) : .json(Array(kept.payload.utf8))
        case .v1(let kept): .parameters(kept.parameters.map { (name: $0.name, value: $0.value ?? "") })
        }
    }

    /// The parameters of a request, in the form in which they came.
    public enum Content: Sendable {
        case json([UInt8])
        /// The text after `?`.
        case query(String)
        /// Unescaped, those that every action has among them, but for the signature.
        case parameters([(name: String, value: String)])
    }

    /// The action, where the signature covers it, in any case of letters: TC3 signatures of the SDKs do not.
    public var action: String? {
        switch form {
        case .tc3(let kept): kept.headers.first { $0.name.isSame(as: "x-tc-action") }?.value
        case .v1(let kept): kept.parameters.first { $0.name.isSame(as: "Action") }?.value
        }
    }

    /// When it was signed, Unix time in seconds.
    public var timestamp: Int64 {
        switch form {
        case .tc3(let kept): kept.timestamp
        case .v1(let kept):
            kept.parameters.first { $0.name.isSame(as: "Timestamp") }.flatMap { Int64($0.value ?? "") } ?? 0
        }
    }

    /// A name and what was signed under it.
    struct Field: Codable, Sendable {
        var name: String
        /// Nil for the account's token.
        var value: String?

        /// - Parameter token: under which name the token of temporary credentials travels.
        init(_ name: String, _ value: String, token: String) {
            self.name = name
            self.value = name.isSame(as: token) ? nil : value
        }

        func value(token: Secret?) -> String? { value ?? token?.reveal() }
    }
}

/// A request with a TC3 signature that covers its payload.
struct KeptTC3: Codable, Sendable {
    var authorization: String
    /// The signed ones, as they were signed.
    var headers: [KeptSignature.Field]
    var method: String
    var payload: String
    var query: String
    var timestamp: Int64

    static let tokenHeader = "x-tc-token"

    func verify(secretKey: Secret, token: Secret?) throws(CryptographyError) -> Bool {
        guard method == "GET" || method == "POST", let authorization = try? TC3Authorization(parsing: authorization),
            authorization.headerValue.isSame(as: self.authorization),
            authorization.signedHeaders.elementsEqual(headers.map(\.name), by: { $0.isSame(as: $1) }),
            authorization.scope.date == TC3CredentialScope.date(of: timestamp)
        else { return false }
        var signed: [(name: String, value: String)] = []
        for header in headers {
            guard let value = header.value(token: token) else { return false }
            signed.append((header.name, value))
        }
        let canonicalRequest = TC3.canonicalRequest(
            method: method, query: query, headers: signed, payloadHash: try Digest.sha256.hash(payload.utf8))
        let stringToSign = TC3.stringToSign(
            timestamp: timestamp, scope: authorization.scope,
            canonicalRequestHash: try Digest.sha256.hash(canonicalRequest))
        let key = try TC3SigningKey(secretKey: secretKey, scope: authorization.scope)
        return equalInConstantTime(try key.signature(of: stringToSign), authorization.signature)
    }
}

/// A request with a signature of version 1.
struct KeptV1: Codable, Sendable {
    var host: String
    var method: String
    /// In the order and under the names in which they were signed.
    var parameters: [KeptSignature.Field]
    /// In Base64.
    var signature: String

    static let tokenParameter = "Token"

    func verify(secretKey: Secret, token: Secret?) throws(CryptographyError) -> Bool {
        var signed: [V1SignedRequest.Parameter] = []
        for parameter in parameters {
            guard let value = parameter.value(token: token) else { return false }
            signed.append((parameter.name, value))
        }
        guard method == "GET" || method == "POST", !host.utf8.contains(UInt8(ascii: "?")),
            V1Signature.ambiguousName(in: signed) == nil, let bytes = Data(base64Encoded: signature),
            bytes.base64EncodedString().isSame(as: signature),
            let algorithm = V1Signature.Method(
                parameter: parameters.first { $0.name.isSame(as: "SignatureMethod") }?.value)
        else { return false }
        let stringToSign = V1Signature.stringToSign(httpMethod: method, host: host, parameters: signed)
        return equalInConstantTime(
            try algorithm.key(secretKey).code(of: stringToSign.utf8), Array(bytes))
    }
}
