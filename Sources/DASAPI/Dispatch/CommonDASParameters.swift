import Cryptography
import HTTPServer
import Parameters
import RequestDispatch
import RequestSigning
import Text

/// What every request has beside the parameters of its action.
struct CommonDASParameters {
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

        func verify(secretKey: Secret) throws(DASError) -> Bool {
            do throws(CryptographyError) {
                switch self {
                case .v1(let request, _, _): return try request.verify(secretKey: secretKey)
                case .v3(let request): return try request.verify(secretKey: secretKey)
                }
            } catch {
                throw .internalError(cause: error)
            }
        }
    }
}

extension IncomingDASRequest {
    /// - Parameter signedHosts: see `ACS3SignedRequest`.
    /// - Throws: what says that something of it is missing or malformed.
    func common(signedHosts: ServerNames = .none) throws(DASError) -> CommonDASParameters {
        switch scheme {
        case .v1: return try commonOfV1()
        case .v3: return try commonOfV3(signedHosts: signedHosts)
        case .none: throw unsigned()
        }
    }

    private func commonOfV1() throws(DASError) -> CommonDASParameters {
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
        return CommonDASParameters(
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

    private func commonOfV3(signedHosts: ServerNames) throws(DASError) -> CommonDASParameters {
        let signed: ACS3SignedRequest
        do throws(ACS3AuthorizationError) {
            signed = try ACS3SignedRequest(
                method: http.method, query: query.pairs, headers: http.headers,
                payload: http.body, signedHosts: signedHosts.adding(port: http.forwardedPort))
        } catch {
            throw rejection(of: error)
        }
        func required(_ header: String, _ parameter: DASParameter) throws(DASError) -> String {
            guard let value = signed[header], !value.isEmpty else { throw .missing(parameter: parameter.rawValue) }
            return value
        }
        return CommonDASParameters(
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
}
