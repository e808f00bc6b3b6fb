import APIClient
import Cryptography
import FoundationEssentials
import Parameters
import RequestSigning
import Text

/// A request as it goes over the wire.
struct WireRequest {
    typealias Header = (name: String, value: String)

    var method: String
    /// Path and query.
    var target: String
    var host: String
    /// All but `Host`, and those that frame the body.
    var headers: [Header]
    var body: [UInt8]

    /// The bytes of a request after which the connection ends.
    var message: [UInt8] {
        var text = "\(method) \(target) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        return Array("\(text)Content-Length: \(body.count)\r\n\r\n".utf8) + body
    }
}

extension StepRequest {
    /// - Parameters:
    ///   - values: all that it names.
    ///   - timestamp: Unix time in seconds.
    func wire(
        to host: String, by credentials: APICredentials, region: String?, values: Values, timestamp: Int64
    ) throws -> WireRequest {
        let parameters = try parameters.filled(from: values)
        let credentials = APICredentials(
            secretID: signing.secretID ?? credentials.secretID,
            secretKey: signing.hasWrongKey ? Secret("the key of nobody") : credentials.secretKey)
        let timestamp = timestamp - Int64(signing.secondsAgo)
        var wire =
            switch api {
            case .dbbrain:
                try dbbrain(to: host, by: credentials, region: region, parameters: parameters, timestamp: timestamp)
            case .das:
                try das(
                    to: host, by: credentials, parameters: parameters,
                    nonce: signing.nonce?.filled(from: values) ?? randomUUID(), timestamp: timestamp)
            }
        wire.method = method
        for (name, value) in headers {
            wire.headers.removeAll { $0.name.lowercased().isSame(as: name.lowercased()) }
            if let value { wire.headers.append((name, value)) }
        }
        return wire
    }

    private func dbbrain(
        to host: String, by credentials: APICredentials, region: String?, parameters: ParameterTree, timestamp: Int64
    ) throws -> WireRequest {
        if signing.scheme == .v1 {
            return try v1(to: host, by: credentials, region: region, parameters: parameters, timestamp: timestamp)
        }
        let body = self.body.map { Array($0.utf8) } ?? parameters.json
        var others: [SignedCall.Header] = [("X-TC-Language", "en-US"), ("X-TC-RequestClient", "killd")]
        if let region { others.append(("X-TC-Region", region)) }
        let call = try SignedCall(
            action, version: version, body: body, by: credentials, to: host, traceID: randomUUID(), others: others,
            timestamp: timestamp)
        let headers = signing.scheme == .none ? call.headers.filter { $0.name != "Authorization" } : call.headers
        return WireRequest(method: method, target: "/", host: host, headers: headers, body: body)
    }

    /// Parameters and signature in a form, or in the query of a GET.
    private func v1(
        to host: String, by credentials: APICredentials, region: String?, parameters: ParameterTree, timestamp: Int64
    ) throws -> WireRequest {
        var pairs = parameters.flattened + [("Action", action), ("Version", version), ("Language", "en-US")]
        if let region { pairs.append(("Region", region)) }
        let text = RPCSigner.query(
            try V1Signing.signed(pairs, method: method, host: host, by: credentials, timestamp: timestamp))
        let isGET = method.isSame(as: "GET")
        return WireRequest(
            method: method, target: isGET ? "/?\(text)" : "/", host: host,
            headers: isGET ? [] : [("Content-Type", "application/x-www-form-urlencoded")],
            body: isGET ? [] : Array(text.utf8))
    }

    // MARK: DAS

    private func das(
        to host: String, by credentials: APICredentials, parameters: ParameterTree, nonce: String, timestamp: Int64
    ) throws -> WireRequest {
        var pairs: [WireRequest.Header] = []
        if case .object(let members) = parameters {
            pairs = members.map { ($0.name, $0.value.scalar ?? String(decoding: $0.value.json, as: UTF8.self)) }
        }
        let payload = body.map { Array($0.utf8) } ?? []
        let usual: [WireRequest.Header] = [("accept", "application/json"), ("user-agent", "killd")]
        switch signing.scheme {
        case .acs3:
            let signed = [
                ("host", host), ("x-acs-action", action), ("x-acs-version", version),
                ("x-acs-date", ACSTimestamp(seconds: timestamp).text), ("x-acs-signature-nonce", nonce),
                ("x-acs-content-sha256", hexadecimal(try Digest.sha256.hash(payload))),
            ]
            let authorization = try ACS3Signer(
                accessKeyID: credentials.secretID, secretKey: credentials.secretKey
            ).authorization(method: method, query: pairs, headers: signed, payload: payload)
            let headers = signed.dropFirst() + [("Authorization", authorization.headerValue)]
            return WireRequest(
                method: method, target: target(pairs), host: host, headers: usual + headers, body: payload)
        case .rpc, .tc3, .v1, .none:
            var all = [("Action", action), ("Version", version), ("Format", "JSON")] + pairs
            for (name, value) in signing.common {
                all.removeAll { $0.0.isSame(as: name) }
                if let value { all.append((name, value)) }
            }
            if signing.scheme == .rpc {
                all = try RPCSigner(accessKeyID: credentials.secretID, secretKey: credentials.secretKey)
                    .signed(httpMethod: method, parameters: all, timestamp: timestamp, nonce: nonce)
                // What is left out, and the signer has added.
                for (name, value) in signing.common where value == nil { all.removeAll { $0.0.isSame(as: name) } }
            }
            return WireRequest(
                method: method, target: target(all), host: host, headers: usual + [("x-acs-action", action)],
                body: payload)
        }
    }

    private func target(_ pairs: [WireRequest.Header]) -> String {
        pairs.isEmpty ? "/" : "/?\(RPCSigner.query(pairs))"
    }
}

extension ParameterTree {
    /// As a form has it: `Threads.0=1&Threads.1=2`.
    fileprivate var flattened: [WireRequest.Header] { flattened(at: "") }

    private func flattened(at path: String) -> [WireRequest.Header] {
        func below(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
        switch self {
        case .object(let members): return members.flatMap { $0.value.flattened(at: below($0.name)) }
        case .array(let elements):
            return elements.enumerated().flatMap { $0.element.flattened(at: below("\($0.offset)")) }
        case .null: return []
        default: return [(path, scalar ?? "")]
        }
    }
}
