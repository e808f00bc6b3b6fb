/// The proxies whose word is taken for who their clients are, and the way in
/// which they tell.
///
/// What anybody else says of it is never believed. The way is told and not
/// guessed: a proxy that hands on bytes as they come would hand on what a client
/// makes up.
public struct TrustedProxies: Sendable, Hashable {
    public enum Way: String, Sendable, CaseIterable {
        /// The header field of this name, to which each proxy adds whom it was
        /// called by.
        case forwardedFor = "X-Forwarded-For"
        /// The PROXY protocol of HAProxy, version 2, before all else on a connection.
        case proxyProtocol = "PROXY"
    }

    public let networks: [IPNetwork]
    public let way: Way

    public init(networks: [IPNetwork], way: Way) {
        self.networks = networks
        self.way = way
    }

    func include(_ address: IPAddress) -> Bool { networks.contains { $0.contains(address) } }

    /// The address of who sent a request that came from one of the proxies.
    ///
    /// Read from the end: each entry was added by who stands to the right of it,
    /// so the first that is no proxy of ours is the client, and what it sent of
    /// such entries itself is not looked at. Where a proxy added no address, it is
    /// the last that is known.
    ///
    /// - Returns: nil if they do not say.
    func client(of headers: HTTPHeaders) -> IPAddress? {
        var client: IPAddress?
        var entriesLeft = Self.mostEntries
        for value in headers.values(named: Way.forwardedFor.rawValue).reversed() {
            for entry in value.split(separator: ",", omittingEmptySubsequences: false).reversed() {
                entriesLeft -= 1
                guard entriesLeft >= 0, let address = Self.address(in: entry) else { return client }
                client = address
                guard include(address) else { return client }
            }
        }
        return client
    }

    /// The port at which clients reach the proxies, if they say so.
    func port(of headers: HTTPHeaders) -> UInt16? {
        guard let text = headers["X-Forwarded-Port"], text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return UInt16(text).flatMap { $0 > 0 ? $0 : nil }
    }

    /// The most entries that are read: far more proxies than stand in any row.
    private static let mostEntries = 64

    /// The address of an entry, to which some proxies add the port:
    /// `192.0.2.1:51444`, `[2001:db8::1]:51444`.
    private static func address(in entry: Substring) -> IPAddress? {
        let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        let text = Array(entry.utf8.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
        func address(_ bytes: some Sequence<UInt8>) -> IPAddress? {
            IPAddress(String(decoding: Array(bytes), as: UTF8.self))
        }
        if text.first == UInt8(ascii: "[") {
            let bytes = text.dropFirst().prefix { $0 != UInt8(ascii: "]") }
            let rest = text.dropFirst(bytes.count + 1)
            return rest.first == UInt8(ascii: "]") && isPort(rest.dropFirst()) ? address(bytes) : nil
        }
        if let colon = text.firstIndex(of: UInt8(ascii: ":")), text[..<colon].contains(UInt8(ascii: ".")) {
            return isPort(text[colon...]) ? address(text[..<colon]) : nil
        }
        return address(text)
    }

    /// `:51444`, or nothing.
    private static func isPort(_ text: ArraySlice<UInt8>) -> Bool {
        text.isEmpty
            || text.first == UInt8(ascii: ":") && text.count > 1
                && text.dropFirst().allSatisfy { (0x30...0x39).contains($0) }
    }
}

/// The other end of a connection, as far as it can be believed.
struct Peer: Sendable {
    /// The client's address in digits.
    var address: String
    /// The port at which it reached a proxy, if that told.
    var proxyPort: UInt16?
    /// The proxies of which it is one, whose header fields are believed; nil if it is none.
    var forwards: TrustedProxies?

    /// Whom a request is from.
    func sender(of headers: HTTPHeaders) -> (address: String, proxyPort: UInt16?) {
        guard let forwards else { return (address, proxyPort) }
        return (forwards.client(of: headers)?.description ?? address, forwards.port(of: headers))
    }
}
