import APIClient
import Glibc
import RequestSigning
import TLS

/// The options of all commands that call a server.
struct ClientOptions {
    let client: DBbrainClient
    /// Whether the response is printed as the server's JSON.
    let json: Bool

    static let options = [
        (spelling: "--endpoint URL", meaning: "the server; default http://127.0.0.1:8155"),
        (spelling: "--ca FILE", meaning: "for https: PEM certificates to trust in the place of the system's"),
        (spelling: "--certificate FILE", meaning: "for https: the PEM certificate that the server asks you for"),
        (spelling: "--private-key FILE", meaning: "its key, in PEM form and not encrypted"),
        (spelling: "--secret-id ID", meaning: "default: the environment variable TENCENTCLOUD_SECRET_ID"),
        (spelling: "--secret-key KEY", meaning: "default: TENCENTCLOUD_SECRET_KEY, which `ps` does not show"),
        (spelling: "--region REGION", meaning: "default: TENCENTCLOUD_REGION; not needed"),
        (spelling: "--json", meaning: "print the server's answer as it came"),
    ]

    init(_ arguments: inout Arguments) throws(UsageError) {
        let text = try arguments.option("--endpoint") ?? "http://127.0.0.1:8155"
        guard let endpoint = Endpoint(text) else {
            throw UsageError("--endpoint: expected http://HOST:PORT or https://HOST:PORT, found \"\(text)\"")
        }
        let trust = try ServerTrust(&arguments, scheme: endpoint.scheme)
        let secretID = try arguments.option("--secret-id") ?? Self.environment("TENCENTCLOUD_SECRET_ID")
        let secretKey = try arguments.option("--secret-key") ?? Self.environment("TENCENTCLOUD_SECRET_KEY")
        guard let secretID, let secretKey else {
            throw UsageError(
                "give --secret-id and --secret-key, or set TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY")
        }
        let region = try arguments.option("--region") ?? Self.environment("TENCENTCLOUD_REGION")
        client = DBbrainClient(
            endpoint: endpoint, trust: trust,
            credentials: APICredentials(secretID: secretID, secretKey: Secret(secretKey)), region: region)
        json = arguments.flag("--json")
    }

    /// Calls an action. An error of the API is printed too, if the response is wanted as it came.
    ///
    /// - Parameter advice: what to know and do where the server may have done what was
    ///   asked but no whole response came.
    func call<Content: Decodable>(
        _ action: String, _ request: some Encodable, response: Content.Type, ifResponseIsLost advice: VisibleText? = nil
    ) throws -> DBbrainClient.Response<Content> {
        do {
            return try client.call(action, request, response: response)
        } catch let error as APIClientError {
            let failure = failure(error)
            guard error.isResponseLost, let advice else { throw failure }
            throw CommandFailure("\(failure.text). \(advice)")
        }
    }

    /// Prints the response of an error of the API, if that is wanted as it came.
    func failure(_ error: APIClientError) -> CommandFailure {
        if json, case .refused(_, _, _, let response) = error.reason {
            Terminal.standardOutput.write(asItCame: response + "\n")
        }
        return CommandFailure(error)
    }

    /// Prints a response: as it came, if that is wanted, or else what `text` makes of it.
    func show<Content>(_ response: DBbrainClient.Response<Content>, _ text: (Content) -> VisibleText) {
        if json {
            Terminal.standardOutput.write(asItCame: response.json + "\n")
        } else {
            Terminal.standardOutput.write(text(response.content))
        }
    }

    /// A variable that is set to something.
    static func environment(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}

extension ServerTrust {
    fileprivate init(_ arguments: inout Arguments, scheme: Endpoint.Scheme) throws(UsageError) {
        self.init(authorities: try arguments.option("--ca"))
        switch (try arguments.option("--certificate"), try arguments.option("--private-key")) {
        case (nil, nil): break
        case (let certificate?, let privateKey?):
            identity = TLSClientContext.Identity(certificate: certificate, privateKey: privateKey)
        default: throw UsageError("--certificate and --private-key need each other")
        }
        guard scheme == .https || authorities == nil && identity == nil else {
            throw UsageError("--ca, --certificate and --private-key are for endpoints that begin with https://")
        }
    }
}

extension CommandFailure {
    init(_ error: APIClientError) {
        let endpoint = error.endpoint
        let text: VisibleText =
            switch error.reason {
            case .unresolvable(let reason): "\(endpoint): \(reason)"
            case .unreachable(let number): "\(endpoint) cannot be reached: \(String(cString: strerror(number)))"
            case .timeout: "\(endpoint) did not answer in time"
            case .connectionFailed(let number): "\(endpoint): \(String(cString: strerror(number)))"
            case .tlsSetup(let error): "\(Self.option(of: error))\(error.description)"
            case .endedInHandshake: "\(endpoint) ended the connection during the TLS handshake"
            case .tls(nil): "\(endpoint): TLS failed"
            case .tls(let reason?): "\(endpoint): TLS: \(reason)"
            case .noResponse: "\(endpoint) ended the connection without an answer"
            case .notHTTP: "\(endpoint) did not answer in HTTP"
            case .truncated: "the answer of \(endpoint) broke off"
            case .tooLong: "\(endpoint) answers without end"
            case .status(let status): "\(endpoint) answered with HTTP status \(status)"
            case .notThisAPI: "\(endpoint) does not speak this API"
            case .refused(let code, let message, let requestID, _): "\(code): \(message) (RequestId \(requestID))"
            case .unexpectedResult: "\(endpoint) is another version of killd: its answer is not understood"
            }
        self.init(text)
    }

    private static func option(of error: TLSError) -> VisibleText {
        switch error.role {
        case .certificate: "--certificate: "
        case .privateKey: "--private-key: "
        case .authorities: "--ca: "
        case nil: ""
        }
    }
}
