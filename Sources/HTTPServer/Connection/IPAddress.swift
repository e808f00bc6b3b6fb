public import Glibc

/// An IPv4 or IPv6 address. One of IPv4 is the same as its form in IPv6, in
/// which sockets for both families show it (RFC 4291 section 2.5.5.2).
public struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    let high: UInt64
    let low: UInt64

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    init(ipv4 address: UInt32) { self.init(high: 0, low: 0xFFFF << 32 | UInt64(address)) }

    /// Reads an address in digits, without brackets.
    public init?(_ text: String) {
        guard text.utf8.count < INET6_ADDRSTRLEN, !text.utf8.contains(0) else { return nil }
        var ipv4 = in_addr()
        if inet_pton(AF_INET, text, &ipv4) == 1 {
            self.init(ipv4: UInt32(bigEndian: ipv4.s_addr))
            return
        }
        var ipv6 = in6_addr()
        guard inet_pton(AF_INET6, text, &ipv6) == 1 else { return nil }
        self.init(ipv6)
    }

    init(_ address: in6_addr) {
        (high, low) = withUnsafeBytes(of: address) { bytes in
            (
                UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }

    /// Of a socket; nil for one of another family.
    public init?(_ address: UnsafePointer<sockaddr>) {
        let bytes = UnsafeRawPointer(address)
        switch Int32(address.pointee.sa_family) {
        case AF_INET: self.init(ipv4: UInt32(bigEndian: bytes.loadUnaligned(as: sockaddr_in.self).sin_addr.s_addr))
        case AF_INET6: self.init(bytes.loadUnaligned(as: sockaddr_in6.self).sin6_addr)
        default: return nil
        }
    }

    var ipv4: UInt32? { high == 0 && low >> 32 == 0xFFFF ? UInt32(truncatingIfNeeded: low) : nil }

    /// The network whose clients share a limit; nil for this machine itself.
    var network: ClientNetwork? {
        if let ipv4 { return ipv4 >> 24 == 127 ? nil : .ipv4(ipv4) }
        return high == 0 && low == 1 ? nil : .ipv6(high)
    }

    /// Whether it leads to this machine wherever it is used.
    public var isLoopback: Bool { network == nil }

    /// Whether it stands for every address of the machine.
    public var isUnspecified: Bool { ipv4 == 0 || high == 0 && low == 0 }

    /// The address of IPv4 to which a machine on the way translates this one: NAT64 (RFC 6052), 6to4 (RFC 3056), and
    /// what RFC 4291 once called compatible.
    public var embeddedIPv4: IPAddress? {
        if high == 0x0064_FF9B_0000_0000, low >> 32 == 0 { return IPAddress(ipv4: UInt32(truncatingIfNeeded: low)) }
        if high >> 48 == 0x2002 { return IPAddress(ipv4: UInt32(truncatingIfNeeded: high >> 16)) }
        if high == 0, low >> 32 == 0, low > 1 { return IPAddress(ipv4: UInt32(truncatingIfNeeded: low)) }
        return nil
    }

    /// The address in digits.
    public var description: String {
        if let ipv4 { return Self.text(AF_INET, ipv4.bigEndian, capacity: INET_ADDRSTRLEN) }
        return Self.text(AF_INET6, (high.bigEndian, low.bigEndian), capacity: INET6_ADDRSTRLEN)
    }

    private static func text<Address>(_ family: Int32, _ address: Address, capacity: Int32) -> String {
        withUnsafePointer(to: address) { pointer in
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(capacity)) { buffer in
                // Fails only for an unknown family or a short buffer.
                guard let text = inet_ntop(family, pointer, buffer.baseAddress, socklen_t(capacity)) else { return "" }
                return String(cString: text)
            }
        }
    }
}

/// All addresses that begin with the same bits.
public struct IPNetwork: Hashable, Sendable, CustomStringConvertible {
    private let first: IPAddress
    /// The number of bits that are the same, of 128.
    private let prefix: Int

    /// Reads `10.0.0.0/8`, `2001:db8::/32`, or an address for itself alone.
    ///
    /// Nil also for a network of everybody (`/0`), and for an address that is not
    /// the first of its network: one of the two numbers is a mistake.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = parts.first.flatMap({ IPAddress(String($0)) }) else { return nil }
        first = address
        let familyBits = address.ipv4 == nil ? 128 : 32
        if parts.count == 1 {
            prefix = 128
        } else {
            guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let bits = Int(parts[1]),
                (1...familyBits).contains(bits)
            else { return nil }
            prefix = 128 - familyBits + bits
        }
        guard masked(address) == address else { return nil }
    }

    /// A form that ``init(_:)`` reads.
    public var description: String { "\(first)/\(first.ipv4 == nil ? prefix : prefix - 96)" }

    public func contains(_ address: IPAddress) -> Bool { masked(address) == first }

    private func masked(_ address: IPAddress) -> IPAddress {
        // Shifts by 64 and more give 0 for these operators.
        let high = UInt64.max << UInt64(max(0, 64 - prefix))
        let low = UInt64.max << UInt64(max(0, 128 - max(64, prefix)))
        return IPAddress(high: address.high & high, low: address.low & low)
    }
}
