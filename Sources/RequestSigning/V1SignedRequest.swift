import Cryptography
import FoundationEssentials

/// A request with a signature of version 1, which has not been verified yet.
///
/// Source: <https://cloud.tencent.com/document/api/1278/46715>.
public struct V1SignedRequest: SignedRequest {
    public let secretID: String
    private let httpMethod: String
    private let hosts: SignedHosts
    /// The parameters without the signature, and not sorted yet: that takes long
    /// where there are many, and nobody may have the key.
    private let parameters: [Parameter]
    private let timestamp: Int64
    /// `nil` for what is no Base64.
    private let signature: [UInt8]?
    private let method: V1Signature.Method
    public var ambiguousParameter: String? { V1Signature.ambiguousName(in: parameters) }

    public typealias Parameter = (name: String, value: String)

    /// - Parameters:
    ///   - httpMethod: `GET` or `POST`.
    ///   - host: the `Host` header as received.
    ///   - parameters: all that the query or the form has, `Signature` among
    ///     them, each name once; unescaped.
    ///   - secretID: the parameter `SecretId`.
    ///   - signature: the parameter `Signature`.
    ///   - method: the parameter `SignatureMethod`.
    ///   - timestamp: the parameter `Timestamp`, Unix time in seconds.
    ///   - region: the parameter `Region`.
    ///   - signedHosts: names of this server, beside its address and the
    ///     vendor's names, that clients may sign as host.
    public init(
        httpMethod: String, host: String, parameters: [Parameter], secretID: String, signature: String,
        method: V1Signature.Method, timestamp: Int64, region: String?, signedHosts: ServerNames
    ) {
        self.secretID = secretID
        self.httpMethod = httpMethod
        self.timestamp = timestamp
        hosts = SignedHosts(host: host, vendor: .tencentCloud(region: region), configured: signedHosts)
        // The Ruby SDK's Base64 ends in a line feed.
        let text = signature.utf8.last == UInt8(ascii: "\n") ? String(Substring(signature.utf8.dropLast())) : signature
        // Foundation takes needless padding too.
        self.signature = Data(base64Encoded: text).flatMap { $0.base64EncodedString() == text ? Array($0) : nil }
        self.method = method
        // The value of the signature itself is not signed.
        self.parameters = parameters.filter { !$0.name.isSame(as: "Signature") }
    }

    public var mark: SignatureMark { SignatureMark(bytes: signature ?? [], timestamp: timestamp) }

    public func verify(
        secretKey: Secret, at now: Int64, keys: TC3SigningKeys = TC3SigningKeys()
    ) throws(CryptographyError) -> SignatureVerdict {
        if SignatureVerdict.hasExpired(timestamp, at: now) { return .expired(serverTime: now) }
        return try partsSigned(with: secretKey) == nil ? .mismatched : .verified
    }

    public func kept(secretKey: Secret) throws(CryptographyError) -> KeptSignature? {
        guard ambiguousParameter == nil, let signature, let (host, parameters) = try partsSigned(with: secretKey)
        else { return nil }
        return KeptSignature(
            KeptV1(
                host: host, method: httpMethod,
                parameters: parameters.map { .init($0.name, $0.value, token: KeptV1.tokenParameter) },
                signature: Data(signature).base64EncodedString()))
    }

    /// The host and the parameters as they were signed; nil if they were not signed with `secretKey`.
    private func partsSigned(
        with secretKey: Secret
    ) throws(CryptographyError) -> (host: String, parameters: [Parameter])? {
        // Behind a host with a question mark nobody knows where the parameters begin.
        guard let signature, !hosts.sent.utf8.contains(UInt8(ascii: "?")) else { return nil }
        let key = try method.key(secretKey)
        let spellings = Self.spellings(of: parameters).map { (parameters: $0, text: V1Signature.text(of: $0)) }
        var signed: (host: String, parameters: [Parameter])?
        _ = try hosts.contains { host throws(CryptographyError) in
            for spelling in spellings {
                let stringToSign = V1Signature.stringToSign(
                    httpMethod: httpMethod, host: host, parameters: spelling.text)
                if equalInConstantTime(try key.code(of: stringToSign.utf8), signature) {
                    signed = (host, spelling.parameters)
                    return true
                }
            }
            return false
        }
        return signed
    }

    /// The parameters in each order and spelling in which they may have been signed:
    /// sorted by the bytes of the names; where a name has an underscore, also as
    /// the SDKs sign it that put a full stop in its place: Python's before it
    /// sorts, Java's after.
    private static func spellings(of parameters: [Parameter]) -> [[Parameter]] {
        let sorted = parameters.sorted(by: ascending)
        guard parameters.contains(where: { $0.name.utf8.contains(UInt8(ascii: "_")) }) else { return [sorted] }
        let replaced = sorted.map { (name: withFullStops($0.name), value: $0.value) }
        return [sorted, replaced.sorted(by: ascending), replaced]
    }

    private static func withFullStops(_ name: String) -> String {
        String(decoding: name.utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: ".") : $0 }, as: UTF8.self)
    }

    private static func ascending(_ left: Parameter, _ right: Parameter) -> Bool {
        left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
    }
}
