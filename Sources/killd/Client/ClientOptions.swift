import Glibc
import RequestSigning
import TLS

/// What all commands that call a server take.
struct ClientOptions {
    let client: APIClient
    /// Whether the answer is wanted as the server's JSON.
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
        client = APIClient(
            endpoint: endpoint, trust: trust, secretID: secretID, secretKey: Secret(secretKey), region: region)
        json = arguments.flag("--json")
    }

    /// Calls an action. A refusal is printed too, if the answer is wanted as it came.
    ///
    /// - Parameter advice: what to know and do where the server may have done what was
    ///   asked but no whole answer came.
    func call<Content: Decodable>(
        _ action: String, _ request: some Encodable, answer: Content.Type, ifAnswerIsLost advice: VisibleText? = nil
    ) throws -> APIClient.Answer<Content> {
        do {
            return try client.call(action, request, answer: answer)
        } catch let failure as CommandFailure {
            if json, let answer = failure.answer { Terminal.standardOutput.write(asItCame: answer + "\n") }
            guard failure.isOfLostAnswer, let advice else { throw failure }
            throw CommandFailure("\(failure.text). \(advice)")
        }
    }

    /// Prints an answer: as it came, if that is wanted, or else what `text` makes of it.
    func show<Content>(_ answer: APIClient.Answer<Content>, _ text: (Content) -> VisibleText) {
        if json {
            Terminal.standardOutput.write(asItCame: answer.json + "\n")
        } else {
            Terminal.standardOutput.write(text(answer.content))
        }
    }

    private static func environment(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}

/// Whom a command trusts over https, and what it proves itself with there.
struct ServerTrust {
    /// The PEM file of who may certify the server; nil for whom the system trusts.
    var authorities: String?
    var identity: TLSClientContext.Identity?

    init() {}

    fileprivate init(_ arguments: inout Arguments, scheme: Endpoint.Scheme) throws(UsageError) {
        authorities = try arguments.option("--ca")
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
