import APIClient
import Cryptography
import Glibc
import HTTPServer
import Parameters
import RequestSigning
import Text

/// A request of either API that is to be passed on.
struct ForwardedRequest {
    let http: HTTPRequest
    let api: CloudAPI
    let scheme: StepRequest.Signing.Scheme
    let action: String
    let version: String
    /// All names and values of the query and the form.
    let pairs: [FormPairs.Pair]
    /// The action's own parameters, without those by which it was signed.
    let parameters: ParameterTree

    /// Why a request cannot be understood.
    enum Defect: Error {
        case malformed(ParameterError)
        /// It names no action.
        case noAction
    }

    init(_ request: HTTPRequest) throws(Defect) {
        let contentType = request.headers["Content-Type"]?.lowercased() ?? ""
        let isForm = contentType.utf8.starts(with: "application/x-www-form-urlencoded".utf8)
        let pairs: [FormPairs.Pair]
        do throws(ParameterError) {
            let query = try FormPairs((request.query ?? "").utf8).pairs
            pairs = isForm ? query + (try FormPairs(request.body).pairs) : query
        } catch {
            throw .malformed(error)
        }
        func value(_ name: String) -> String? { pairs.last { $0.name.isSame(as: name) }?.value }
        let scheme: StepRequest.Signing.Scheme =
            if request.headers["Authorization"]?.utf8.starts(with: "ACS3-".utf8) == true {
                .acs3
            } else if value("AccessKeyId") != nil {
                .rpc
            } else if request.headers.contains("X-TC-Action") {
                .tc3
            } else {
                .v1
            }
        let api: CloudAPI = scheme == .acs3 || scheme == .rpc ? .das : .dbbrain
        let (action, version) =
            switch scheme {
            case .acs3: (request.headers["x-acs-action"], request.headers["x-acs-version"])
            case .tc3: (request.headers["X-TC-Action"], request.headers["X-TC-Version"])
            case .rpc, .v1, .none: (value("Action"), value("Version"))
            }
        guard let action else { throw .noAction }
        http = request
        self.api = api
        self.scheme = scheme
        self.action = action
        self.version = version ?? api.version
        self.pairs = pairs
        parameters = try Self.parameters(of: request, pairs, scheme, isForm: isForm)
    }

    private static func parameters(
        of request: HTTPRequest, _ pairs: [FormPairs.Pair], _ scheme: StepRequest.Signing.Scheme, isForm: Bool
    ) throws(Defect) -> ParameterTree {
        do throws(ParameterError) {
            if !isForm, !request.body.isEmpty { return try ParameterTree(json: request.body) }
            let own = pairs.filter { pair in !common.contains { $0.isSame(as: pair.name) } }
            if scheme == .rpc || scheme == .acs3 {
                return .object(own.map { ParameterTree.Member(name: $0.name, value: .string($0.value)) })
            }
            return try ParameterTree(flattened: own)
        } catch {
            throw .malformed(error)
        }
    }

    /// The parameters by which requests of either API are signed.
    static let common = [
        "Action", "Version", "Region", "RegionId", "Timestamp", "Nonce", "SecretId", "Signature", "SignatureMethod",
        "Token", "Language", "RequestClient", "Format", "AccessKeyId", "SignatureVersion", "SignatureNonce",
        "SignatureType", "SecurityToken",
    ]

    // MARK: On the way

    /// Headers that are about one connection, or about the bytes of the body on it.
    private static let ofConnection = [
        "connection", "keep-alive", "content-length", "transfer-encoding", "host", "te", "trailer", "upgrade",
        "proxy-connection", "accept-encoding", "expect",
    ]

    /// - Parameters:
    ///   - credentials: by which it is signed anew; as it was signed, if nil.
    ///   - timestamp: Unix time in seconds.
    func wire(to endpoint: Endpoint, by credentials: APICredentials?, timestamp: Int64) throws -> WireRequest {
        var wire = WireRequest(
            method: http.method, target: http.target, host: http.headers["Host"] ?? endpoint.authority,
            headers: http.headers.filter { field in
                !Self.ofConnection.contains { $0.isSame(as: field.name.lowercased()) }
            },
            body: http.body)
        guard let credentials else { return wire }
        wire.host = endpoint.authority
        switch scheme {
        case .tc3, .none: try signTC3(&wire, credentials, timestamp)
        case .v1: try signV1(&wire, credentials, timestamp)
        case .rpc: try signRPC(&wire, credentials, timestamp)
        case .acs3: try signACS3(&wire, credentials, timestamp)
        }
        return wire
    }

    private func signTC3(_ wire: inout WireRequest, _ credentials: APICredentials, _ timestamp: Int64) throws {
        wire.replace("X-TC-Timestamp", "\(timestamp)")
        for name in ["Authorization", "X-TC-Token", "X-TC-Content-SHA256"] { wire.replace(name, nil) }
        let authorization = try TC3Signer(
            secretID: credentials.secretID, secretKey: credentials.secretKey, host: wire.host, service: "dbbrain"
        ).authorization(
            method: wire.method, query: http.query ?? "", contentType: http.headers["Content-Type"] ?? "",
            others: [("x-tc-action", action)], payload: wire.body, timestamp: timestamp)
        wire.replace("Authorization", authorization.headerValue)
    }

    private func signV1(_ wire: inout WireRequest, _ credentials: APICredentials, _ timestamp: Int64) throws {
        let dropped = ["SecretId", "Signature", "SignatureMethod", "Timestamp", "Nonce", "Token"]
        let kept = pairs.filter { pair in !dropped.contains { $0.isSame(as: pair.name) } }
        let text = RPCSigner.query(
            try V1Signing.signed(
                kept, method: wire.method, host: wire.host, by: credentials, timestamp: timestamp))
        if wire.method.isSame(as: "GET") { wire.target = "/?\(text)" } else { wire.body = Array(text.utf8) }
    }

    private func signRPC(_ wire: inout WireRequest, _ credentials: APICredentials, _ timestamp: Int64) throws {
        let dropped = [
            "AccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "SignatureNonce", "Timestamp",
            "SignatureType", "SecurityToken",
        ]
        let kept = pairs.filter { pair in !dropped.contains { $0.isSame(as: pair.name) } }
        let signed = try RPCSigner(accessKeyID: credentials.secretID, secretKey: credentials.secretKey)
            .signed(httpMethod: wire.method, parameters: kept, timestamp: timestamp, nonce: randomUUID())
        wire.target = "/?\(RPCSigner.query(signed))"
        wire.replace("Content-Type", nil)
        wire.body = []
    }

    private func signACS3(_ wire: inout WireRequest, _ credentials: APICredentials, _ timestamp: Int64) throws {
        wire.headers.removeAll { $0.name.lowercased().utf8.starts(with: "x-acs-".utf8) }
        wire.replace("Authorization", nil)
        let signed = [
            ("host", wire.host), ("x-acs-action", action), ("x-acs-version", version),
            ("x-acs-date", ACSTimestamp(seconds: timestamp).text), ("x-acs-signature-nonce", try randomUUID()),
            ("x-acs-content-sha256", hexadecimal(try Digest.sha256.hash(wire.body))),
        ]
        let query: [FormPairs.Pair]
        do throws(ParameterError) {
            query = try FormPairs((http.query ?? "").utf8).pairs
        } catch {
            throw Defect.malformed(error)
        }
        let authorization = try ACS3Signer(
            accessKeyID: credentials.secretID, secretKey: credentials.secretKey
        ).authorization(method: wire.method, query: query, headers: signed, payload: wire.body)
        wire.headers += signed.dropFirst() + [("Authorization", authorization.headerValue)]
    }
}

extension WireRequest {
    /// Sets a header, or leaves it out.
    fileprivate mutating func replace(_ name: String, _ value: String?) {
        headers.removeAll { $0.name.lowercased().isSame(as: name.lowercased()) }
        if let value { headers.append((name, value)) }
    }
}

/// Signing with HmacSHA256 over the parameters, Tencent Cloud's older signature.
enum V1Signing {
    /// All parameters that are sent, those that say who signed and when, and `Signature`.
    static func signed(
        _ parameters: [FormPairs.Pair], method: String, host: String, by credentials: APICredentials, timestamp: Int64
    ) throws -> [FormPairs.Pair] {
        let nonce = try randomBytes(count: 4).reduce(0) { $0 << 8 | Int($1) }
        let all =
            (parameters + [
                ("SecretId", credentials.secretID), ("SignatureMethod", V1Signature.Method.hmacSHA256.rawValue),
                ("Timestamp", "\(timestamp)"), ("Nonce", "\(nonce)"),
            ]).sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        let text = V1Signature.stringToSign(httpMethod: method, host: host, parameters: all)
        let signature = try V1Signature.signature(of: text, secretKey: credentials.secretKey, method: .hmacSHA256)
        return all + [("Signature", signature)]
    }
}
