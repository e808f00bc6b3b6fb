/// The address of a server, from a text such as `http://127.0.0.1:8155`.
public struct Endpoint: Sendable, CustomStringConvertible {
    public enum Scheme: String, Sendable {
        case http, https

        var defaultPort: UInt16 { self == .http ? 80 : 443 }
    }

    public let scheme: Scheme
    public let host: String
    public let port: UInt16

    /// The `Host` header: with the port unless it is the scheme's own.
    public var authority: String { port == scheme.defaultPort ? bracketedHost : "\(bracketedHost):\(port)" }
    public var description: String { "\(scheme.rawValue)://\(authority)" }

    private var bracketedHost: String { host.contains(":") ? "[\(host)]" : host }

    /// `nil` unless the text is `[http://|https://]HOST[:PORT][/]`.
    public init?(_ text: String) {
        var rest = Substring(text)
        scheme = rest.hasPrefix("https://") ? .https : .http
        let prefix = "\(scheme.rawValue)://"
        if rest.hasPrefix(prefix) { rest = rest.dropFirst(prefix.count) }
        if rest.hasSuffix("/") { rest = rest.dropLast() }
        let portText: Substring
        if rest.hasPrefix("["), let bracket = rest.firstIndex(of: "]") {
            host = String(rest[..<bracket].dropFirst())
            portText = rest[bracket...].dropFirst()
        } else {
            let hostEnd = rest.firstIndex(of: ":") ?? rest.endIndex
            host = String(rest[..<hostEnd])
            portText = rest[hostEnd...]
        }
        if portText.isEmpty {
            port = scheme.defaultPort
        } else if portText.hasPrefix(":"), let number = UInt16(portText.dropFirst()), number > 0 {
            port = number
        } else {
            return nil
        }
        guard !host.isEmpty, host.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "/") }) else {
            return nil
        }
    }
}
