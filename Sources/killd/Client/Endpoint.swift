/// Where a server is reached, from a text such as `http://127.0.0.1:8155`.
struct Endpoint: CustomStringConvertible {
    let host: String
    let port: UInt16

    /// The `Host` header: with the port unless it is 80.
    var authority: String { port == 80 ? bracketedHost : "\(bracketedHost):\(port)" }
    var description: String { "http://\(authority)" }

    private var bracketedHost: String { host.contains(":") ? "[\(host)]" : host }

    /// `nil` unless the text is `[http://]HOST[:PORT][/]`.
    init?(_ text: String) {
        var rest = Substring(text)
        if rest.hasPrefix("http://") { rest = rest.dropFirst(7) }
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
            port = 80
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
