/// The names under which clients reach this server, beside what comes as `Host`:
/// a gateway or proxy in between may send another one than they signed.
public struct ServerNames: Sendable {
    public var names: [ServerName]
    /// Ports that clients may have signed behind a name that has none, beside that
    /// of the received `Host` and those of HTTP and HTTPS: what was signed does not
    /// travel. The listener's own, and what a proxy that is trusted says.
    public var ports: [UInt16]

    public init(_ names: [ServerName], ports: [UInt16] = []) {
        self.names = names
        self.ports = ports
    }

    public static let none = ServerNames([])

    /// The same with a port that a proxy tells of one request, if it does.
    public func adding(port: UInt16?) -> ServerNames {
        port.map { ServerNames(names, ports: [$0] + ports) } ?? self
    }

    /// What may have been signed in the place of `host`, likeliest first.
    func candidates(behind host: String) -> [String] {
        guard !names.isEmpty else { return [] }
        let ports = ([Self.port(of: host)].compactMap { $0 } + self.ports.map(String.init) + ["443", "80"])
            .withoutRepetitions
        return names.flatMap { name in
            [name.text] + (name.hasPort ? [] : ports.map { "\(name.text):\($0)" })
        }
    }

    /// The digits behind the last colon, if that is where they stand.
    private static func port(of host: String) -> String? {
        // Alibaba Cloud's Python SDK hands on a slash of its endpoint.
        let text = host.utf8.last == UInt8(ascii: "/") ? host.utf8.dropLast() : host.utf8[...]
        guard let colon = text.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        let digits = text[text.index(after: colon)...]
        guard (1...5).contains(digits.count), digits.allSatisfy(isDigit) else { return nil }
        return String(Substring(digits))
    }
}

/// A host name or address as clients sign it, with or without a port.
public struct ServerName: Hashable, Sendable {
    /// An IPv6 address in brackets.
    let text: String
    let hasPort: Bool

    /// - Parameter text: `HOST` or `HOST:PORT`.
    public init(_ text: String) throws(ServerNameError) {
        let bytes = Array(text.utf8)
        guard bytes.allSatisfy({ (0x21...0x7E).contains($0) }), !bytes.isEmpty else { throw .notVisibleASCII }
        guard !text.contains("://") else { throw .scheme }
        guard !bytes.contains(where: { UInt8(ascii: "/") == $0 || UInt8(ascii: "?") == $0 }) else { throw .path }
        let hostEnd: Int
        if bytes[0] == UInt8(ascii: "[") {
            guard let bracket = bytes.firstIndex(of: UInt8(ascii: "]")), bracket > 1,
                bytes[1..<bracket].allSatisfy(isAddressByte)
            else { throw .notAHost }
            hostEnd = bracket + 1
        } else {
            hostEnd = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.count
            guard hostEnd > 0, bytes[..<hostEnd].allSatisfy(isNameByte) else { throw .notAHost }
        }
        let rest = bytes[hostEnd...]
        guard let colon = rest.first else {
            self.init(text: text, hasPort: false)
            return
        }
        let digits = rest.dropFirst()
        guard colon == UInt8(ascii: ":"), digits.allSatisfy(isDigit), digits.first != UInt8(ascii: "0"),
            let port = UInt16(String(decoding: digits, as: UTF8.self)), port > 0
        else { throw .notAPort }
        self.init(text: text, hasPort: true)
    }

    private init(text: String, hasPort: Bool) {
        self.text = text
        self.hasPort = hasPort
    }
}

/// Why a text is no name of a server.
public enum ServerNameError: Error, Hashable, Sendable {
    /// It is empty or has a blank, a control character or a letter that is not of ASCII.
    case notVisibleASCII
    case scheme
    case path
    case notAHost
    case notAPort
}

private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

private func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }

/// Letters, digits, `-`, `.` and `_`, which some internal names have.
private func isNameByte(_ byte: UInt8) -> Bool {
    isDigit(byte) || isLetter(byte) || [0x2D, 0x2E, 0x5F].contains(byte)
}

/// What an IPv6 address is written with.
private func isAddressByte(_ byte: UInt8) -> Bool {
    isDigit(byte) || (0x61...0x66).contains(byte | 0x20) || byte == 0x3A || byte == 0x2E
}
