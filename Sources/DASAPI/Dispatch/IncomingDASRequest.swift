import HTTPServer
import Parameters
import RequestSigning
import Text

/// A request in one of the forms that DAS takes: GET or POST, parameters in the
/// query, in a form or in a JSON object, signed by a parameter (V1) or in the
/// header `Authorization` (V3).
struct IncomingDASRequest {
    private let http: HTTPRequest
    private let query: FormPairs
    private let body: Body
    private let scheme: Scheme

    private enum Body {
        case empty
        case form(FormPairs)
        /// Not parsed before it is known who sent it.
        case json([UInt8])

        var form: FormPairs? {
            if case .form(let pairs) = self { pairs } else { nil }
        }
    }

    private enum Scheme {
        /// The parameter `Signature`.
        case v1
        /// `Authorization: ACS3-…`; clients of V1 send some of the `x-acs-` headers
        /// too.
        case v3
        /// Neither: an anonymous request, or one with a bearer token.
        case none
    }

    /// No request needs nearly as many parameters. Each has to be read and sorted
    /// before anybody knows who sent it.
    private static let mostPairs = 256

    /// - Parameter knows: whether there is such an AccessKeyId. Asked before a long
    ///   form is read.
    init(_ http: HTTPRequest, knows: (String) -> Bool = { _ in true }) throws(DASError) {
        guard http.method.utf8.elementsEqual("GET".utf8) || http.method.utf8.elementsEqual("POST".utf8) else {
            throw .unsupportedMethod
        }
        // The Python core SDK makes two slashes of one behind its endpoint.
        guard http.path.utf8.allSatisfy({ $0 == UInt8(ascii: "/") }) else { throw .actionNotFound }
        self.http = http
        do {
            query = try FormPairs((http.query ?? "").utf8, most: Self.mostPairs)
            if http.body.count > HTTPLimits().shortBodyBytes {
                try Self.requireAccessKey(of: http, query, knows)
            }
            body = try Self.body(of: http)
        } catch let error as DASError {
            throw error
        } catch let error as ParameterError {
            throw .invalidParameters(.malformedRequest(error))
        } catch {
            throw .internalError(cause: error)
        }
        if Self.isV3(http) {
            scheme = .v3
        } else if query["Signature"] != nil || body.form?["Signature"] != nil {
            scheme = .v1
        } else {
            scheme = .none
        }
    }

    /// - Throws: `DASError` or `ParameterError`.
    private static func requireAccessKey(of http: HTTPRequest, _ query: FormPairs, _ knows: (String) -> Bool) throws {
        // Of the header it is asked by whoever reads it: no body is read for that.
        guard !isV3(http) else { return }
        let name = DASParameter.accessKeyID.rawValue
        let ofForm = http.mediaType == .form ? try FormPairs.value(of: name, in: http.body) : nil
        guard let id = ofForm ?? query[name] else { throw DASError.missing(parameter: name) }
        guard knows(id) else { throw DASError.accessKeyNotFound }
    }

    private static func isV3(_ http: HTTPRequest) -> Bool {
        http.headers["Authorization"]?.utf8.starts(with: "ACS3-".utf8) == true
    }

    /// The AccessKeyId, if the head has it.
    var accessKeyIDOfHead: String? {
        switch scheme {
        case .v3:
            http.headers["Authorization"].flatMap { try? ACS3Authorization(parsing: $0).accessKeyID }
        case .v1, .none: query[DASParameter.accessKeyID.rawValue]
        }
    }

    /// - Throws: `DASError` or `ParameterError`.
    private static func body(of http: HTTPRequest) throws -> Body {
        // Clients name all kinds of types for a body that is empty.
        guard !http.body.isEmpty else { return .empty }
        switch http.mediaType {
        case .form: return .form(try FormPairs(http.body, most: mostPairs))
        case .json: return .json(http.body)
        // Nobody would know what of it was read.
        case .other: throw DASError.invalidParameters(.unknownContentType)
        }
    }

    /// How it is to be answered, as far as it says so.
    func format() throws(DASError) -> DASFormat {
        try DASFormat(requested: text("Format"), otherwise: scheme == .v3 ? .json : .xml)
    }

    /// A value of the query or the form; where both have it, the form's, which is
    /// the one that the Python core SDK signs.
    private func text(_ name: String) -> String? { body.form?[name] ?? query[name] }

    /// Query and form in one, each name once.
    var pairs: [FormPairs.Pair] {
        guard let form = body.form else { return query.pairs }
        return query.pairs.filter { form[$0.name] == nil } + form.pairs
    }

    // MARK: The signature

    /// What every request has beside the parameters of its action.
    struct Common {
        let action: String
        let version: String
        let accessKeyID: String
        let timestamp: String
        let nonce: String
        let securityToken: String?
        let signature: Signature

        enum Signature {
            case v1(RPCSignedRequest, method: String, version: String)
            case v3(ACS3SignedRequest)
        }
    }

    /// - Parameter signedHosts: see `ACS3SignedRequest`.
    /// - Throws: what says that something of it is missing or malformed.
    func common(signedHosts: ServerNames = .none) throws(DASError) -> Common {
        switch scheme {
        case .v1: return try commonOfV1()
        case .v3: return try commonOfV3(signedHosts: signedHosts)
        case .none: throw unsigned()
        }
    }

    private func commonOfV1() throws(DASError) -> Common {
        // A body that is no form is not covered by the signature.
        if case .json = body { throw .invalidParameters(.unsignedBody) }
        // The Go SDK signs such a request too, with nothing.
        if text(DASParameter.signatureType.rawValue)?.utf8.elementsEqual("BEARERTOKEN".utf8) == true {
            throw .invalid(parameter: DASParameter.signatureType.rawValue)
        }
        let accessKeyID = try required(.accessKeyID)
        let signature = try required(.signature)
        let method = try required(.signatureMethod)
        let version = try required(.signatureVersion)
        return Common(
            action: try required(.action), version: try required(.version), accessKeyID: accessKeyID,
            timestamp: try required(.timestamp), nonce: try required(.signatureNonce),
            securityToken: text(DASParameter.securityToken.rawValue).flatMap { $0.isEmpty ? nil : $0 },
            signature: .v1(
                RPCSignedRequest(httpMethod: http.method, parameters: pairs, signature: signature),
                method: method, version: version))
    }

    private func required(_ parameter: DASParameter) throws(DASError) -> String {
        guard let value = text(parameter.rawValue), !value.isEmpty else {
            throw .missing(parameter: parameter.rawValue)
        }
        return value
    }

    private func commonOfV3(signedHosts: ServerNames) throws(DASError) -> Common {
        let signed: ACS3SignedRequest
        do throws(ACS3AuthorizationError) {
            signed = try ACS3SignedRequest(
                method: http.method, query: query.pairs, headers: SignedFields(headers: http.headers),
                payload: http.body, signedHosts: signedHosts.adding(port: http.forwardedPort))
        } catch {
            throw rejection(of: error)
        }
        func required(_ header: String, _ parameter: DASParameter) throws(DASError) -> String {
            guard let value = signed[header], !value.isEmpty else { throw .missing(parameter: parameter.rawValue) }
            return value
        }
        return Common(
            action: try required("x-acs-action", .action), version: try required("x-acs-version", .version),
            accessKeyID: signed.authorization.accessKeyID, timestamp: try required("x-acs-date", .timestamp),
            nonce: try required("x-acs-signature-nonce", .signatureNonce),
            securityToken: signed["x-acs-security-token"].flatMap { $0.isEmpty ? nil : $0 },
            signature: .v3(signed))
    }

    private func rejection(of error: ACS3AuthorizationError) -> DASError {
        switch error {
        case .unsupportedAlgorithm: .invalidSignatureMethod
        case .malformed: .incompleteSignature
        case .repeated(let header):
            DASParameter(header: header).map { .invalid(parameter: $0.rawValue) } ?? .incompleteSignature
        case .notSigned(let header), .absent(let header):
            if !http.headers.contains(header), let parameter = DASParameter(header: header) {
                .missing(parameter: parameter.rawValue)
            } else {
                .incompleteSignature
            }
        }
    }

    private func unsigned() -> DASError {
        guard !http.headers.contains("Authorization") else { return .incompleteSignature }
        if http.headers.contains("x-acs-bearer-token") || text(DASParameter.signatureType.rawValue)?.isEmpty == false {
            return .invalid(parameter: DASParameter.signatureType.rawValue)
        }
        let hasAccessKey = text(DASParameter.accessKeyID.rawValue) != nil
        return .missing(parameter: hasAccessKey ? DASParameter.signature.rawValue : DASParameter.accessKeyID.rawValue)
    }

    // MARK: The parameters of the action

    /// Without the common ones and without those that are blank. Whatever the
    /// form, they decode to the same request.
    ///
    /// - Parameter mayBeBlank: names; `nil` for all.
    /// - Throws: `ParameterError`, `.invalidValue` for another one that is blank.
    func parameters(mayBeBlank: [String]?) throws(ParameterError) -> ParameterTree {
        var members: [ParameterTree.Member] = []
        switch body {
        case .empty, .form: members = pairs.map { ParameterTree.Member(name: $0.name, value: .text($0.value)) }
        case .json(let bytes):
            guard case .object(let ofBody) = try ParameterTree(json: bytes) else { throw .notAnObject }
            let names = Set(ofBody.map { ExactText($0.name) })
            members = query.pairs.filter { !names.contains(ExactText($0.name)) }
                .map { ParameterTree.Member(name: $0.name, value: .text($0.value)) }
            members += ofBody
        }
        members.removeAll { DASParameter(name: $0.name) != nil }
        if let mayBeBlank {
            let names = mayBeBlank.map { ExactText($0) }
            for member in members where member.value.isBlank && !names.contains(ExactText(member.name)) {
                throw .invalidValue(path: member.name, value: "")
            }
        }
        return .object(members.filter { !$0.value.isBlank })
    }

    /// The server's string to sign for an error, of which clients compare the end
    /// with their own.
    ///
    /// The request of a kill carries a database password, which must not come
    /// back: it is replaced before the text is made. Of V3 the text has a hash
    /// only, but everything else that goes into the hash is known to whoever sees
    /// the request's head, so it could be used to try passwords.
    func echo(of signature: Common.Signature) throws(DASError) -> String {
        switch signature {
        case .v1:
            let redacted = pairs.map { (name: $0.name, value: isPassword($0.name) ? Self.redacted : $0.value) }
            let text = RPCSignedRequest(httpMethod: http.method, parameters: redacted, signature: "").stringToSign
            guard text.utf8.count > Self.longestEcho else { return text }
            // It is ASCII.
            return String(decoding: text.utf8.prefix(Self.longestEcho), as: UTF8.self) + "..."
        case .v3(let signed):
            guard !pairs.contains(where: { isPassword($0.name) }), !hasPasswordInJSON else {
                return "ACS3-HMAC-SHA256\n\(Self.redacted)"
            }
            do {
                return try signed.stringToSign()
            } catch {
                throw .internalError(cause: error)
            }
        }
    }

    /// Whether the body may have a parameter of a password. It is not parsed for
    /// that: of a name with an escape nobody knows.
    private var hasPasswordInJSON: Bool {
        guard case .json(let bytes) = body else { return false }
        return bytes.contains(UInt8(ascii: "\\")) || isPassword(bytes)
    }

    /// An answer must not repeat a long request. Whoever calls an action with
    /// ordinary parameters sees all of the text; in bytes.
    private static let longestEcho = 4_096

    /// Without a colon: the Python core SDK takes what stands behind the last one.
    private static let redacted = "REDACTED"
}

/// The parameters that every action has, in a query or form.
enum DASParameter: String, CaseIterable {
    case action = "Action"
    case version = "Version"
    case format = "Format"
    case accessKeyID = "AccessKeyId"
    case signature = "Signature"
    case signatureMethod = "SignatureMethod"
    case signatureVersion = "SignatureVersion"
    case signatureNonce = "SignatureNonce"
    case signatureType = "SignatureType"
    case timestamp = "Timestamp"
    case securityToken = "SecurityToken"
    /// Sent by the core SDKs and the command line client; an endpoint is one region.
    case regionID = "RegionId"
    /// What the command line client hands on of the environment it was called in.
    case sourceIP = "SourceIp"
    case secureTransport = "SecureTransport"

    private static let byName = Dictionary(
        allCases.map { (ExactText($0.rawValue), $0) }, uniquingKeysWith: { first, _ in first })

    /// `nil` for every other name.
    init?(name: String) {
        guard let parameter = Self.byName[ExactText(name)] else { return nil }
        self = parameter
    }

    /// The parameter that a header of V3 stands for.
    init?(header: String) {
        switch header {
        case "x-acs-action": self = .action
        case "x-acs-version": self = .version
        case "x-acs-date": self = .timestamp
        case "x-acs-signature-nonce": self = .signatureNonce
        default: return nil
        }
    }
}

/// Whether a parameter of this name holds a password, however it is spelled.
private func isPassword(_ name: String) -> Bool { isPassword(Array(name.utf8)) }

private func isPassword(_ name: [UInt8]) -> Bool {
    let word = Array("password".utf8)
    return name.indices.contains { start in
        // Most letters are none of the first.
        name[start] | 0x20 == word[0] && name[start...].prefix(word.count).map { $0 | 0x20 } == word
    }
}

extension ParameterTree {
    /// Sent, but with nothing in it.
    fileprivate var isBlank: Bool {
        switch self {
        case .text(let text), .string(let text): text.isEmpty
        case .null: true
        case .object, .array, .number, .boolean: false
        }
    }
}

private enum MediaType: String {
    case json = "application/json"
    case form = "application/x-www-form-urlencoded"
    case other
}

extension HTTPRequest {
    fileprivate var mediaType: MediaType {
        guard let value = headers["Content-Type"] else { return .other }
        // By bytes: comparing characters takes time quadratic in their combining marks.
        let type = value.utf8.prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: " ") }
        guard type.count < 64 else { return .other }
        return MediaType(rawValue: Substring(type).lowercased()) ?? .other
    }
}

/// The headers, as ``RequestSigning`` sees them.
struct SignedFields: HeaderFields {
    let headers: HTTPHeaders

    subscript(name: String) -> String? { headers[name] }
    func contains(_ name: String) -> Bool { headers.contains(name) }
}
