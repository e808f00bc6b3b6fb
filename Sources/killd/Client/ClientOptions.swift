import Glibc
import RequestSigning

/// What all commands that call a server take.
struct ClientOptions {
    let client: APIClient
    /// Whether the answer is wanted as the server's JSON.
    let json: Bool

    static let options = [
        (spelling: "--endpoint URL", meaning: "the server; default http://127.0.0.1:8155"),
        (spelling: "--secret-id ID", meaning: "default: the environment variable TENCENTCLOUD_SECRET_ID"),
        (spelling: "--secret-key KEY", meaning: "default: TENCENTCLOUD_SECRET_KEY, which `ps` does not show"),
        (spelling: "--region REGION", meaning: "default: TENCENTCLOUD_REGION; not needed"),
        (spelling: "--json", meaning: "print the server's answer as it came"),
    ]

    init(_ arguments: inout Arguments) throws(UsageError) {
        let text = try arguments.option("--endpoint") ?? "http://127.0.0.1:8155"
        guard !text.hasPrefix("https://") else {
            throw UsageError("--endpoint: the client commands of this version speak plain HTTP only")
        }
        guard let endpoint = Endpoint(text) else {
            throw UsageError("--endpoint: expected http://HOST:PORT, found \"\(text)\"")
        }
        let secretID = try arguments.option("--secret-id") ?? Self.environment("TENCENTCLOUD_SECRET_ID")
        let secretKey = try arguments.option("--secret-key") ?? Self.environment("TENCENTCLOUD_SECRET_KEY")
        guard let secretID, let secretKey else {
            throw UsageError(
                "give --secret-id and --secret-key, or set TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY")
        }
        let region = try arguments.option("--region") ?? Self.environment("TENCENTCLOUD_REGION")
        client = APIClient(endpoint: endpoint, secretID: secretID, secretKey: Secret(secretKey), region: region)
        json = arguments.flag("--json")
    }

    private static func environment(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}
