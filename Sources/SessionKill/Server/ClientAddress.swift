import Text

extension SessionIdentity {
    /// The client's address or name, without its port.
    ///
    /// Servers show `10.0.0.7:51444`, `db1:51444` and, without brackets,
    /// `fe80::1:51444`; for a Unix socket `localhost`. MariaDB may have cut the port,
    /// see ``mayLackPort``.
    public var clientAddress: String {
        guard let length = addressLength else { return host }
        return String(Substring(host.utf8.prefix(length)))
    }

    /// Whether the client's address is `address`, with or without its port.
    ///
    /// `fe80::1:5144` may be an address, or `fe80::1` at a port: what may be an
    /// address of IPv6 stands for that client at any port, and for no other.
    public func comesFrom(_ address: String) -> Bool {
        guard let length = addressLength else { return host.isSame(as: address) }
        if host.utf8.prefix(length).elementsEqual(address.utf8) { return true }
        let portDigits = host.utf8.count - length - 1
        let mayBeAddress = host.utf8.prefix(length).contains(Self.colon) && portDigits <= Self.digitsOfIPv6Group
        return !mayBeAddress && host.isSame(as: address)
    }

    /// In bytes of ``host``; nil if no port follows.
    private var addressLength: Int? {
        var host = host
        return host.withUTF8 { bytes in
            var port = bytes.count
            while port > 0, (0x30...0x39).contains(bytes[port - 1]) { port -= 1 }
            guard port > 0, bytes[port - 1] == Self.colon, bytes.count - port <= 5 else { return nil }
            // Nothing behind the colon: a port that was cut, or the end of an address of IPv6.
            guard port < bytes.count || !bytes[..<(port - 1)].contains(Self.colon) else { return nil }
            return port - 1
        }
    }

    private static var colon: UInt8 { UInt8(ascii: ":") }
    private static var digitsOfIPv6Group: Int { 4 }
}
