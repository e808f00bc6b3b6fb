import Glibc

/// An IPv4 or IPv6 address with a port, as the system knows it.
struct SocketAddress: Sendable {
    private var storage = sockaddr_storage()
    private var length = socklen_t(MemoryLayout<sockaddr_storage>.size)

    init() {}

    private init(_ information: addrinfo) {
        length = min(information.ai_addrlen, length)
        withUnsafeMutableBytes(of: &storage) {
            $0.copyMemory(from: UnsafeRawBufferPointer(start: information.ai_addr, count: Int(length)))
        }
    }

    var family: Int32 { Int32(storage.ss_family) }

    /// For calls that read an address.
    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }

    /// For calls that write an address.
    mutating func fill<Result>(
        _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Result
    ) -> Result {
        withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &length) }
        }
    }

    /// Nil for this machine itself.
    var network: ClientNetwork? {
        withUnsafeBytes(of: storage) { bytes in
            guard family == AF_INET6 else {
                let address = UInt32(bigEndian: bytes.loadUnaligned(as: sockaddr_in.self).sin_addr.s_addr)
                return Self.network(ofIPv4: address)
            }
            let address = bytes.loadUnaligned(as: sockaddr_in6.self).sin6_addr
            return withUnsafeBytes(of: address) { address in
                let high = UInt64(bigEndian: address.loadUnaligned(as: UInt64.self))
                let low = UInt64(bigEndian: address.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
                // IPv4 clients of a socket for both families (RFC 4291 section 2.5.5.2).
                if high == 0, low >> 32 == 0xFFFF { return Self.network(ofIPv4: UInt32(truncatingIfNeeded: low)) }
                return high == 0 && low == 1 ? nil : .ipv6(high)
            }
        }
    }

    private static func network(ofIPv4 address: UInt32) -> ClientNetwork? {
        address >> 24 == 127 ? nil : .ipv4(address)
    }

    /// The address in digits, without brackets, and the port.
    var numeric: ListenAddress {
        withUnsafeBytes(of: storage) { bytes in
            if family == AF_INET6 {
                let address = bytes.loadUnaligned(as: sockaddr_in6.self)
                let text = Self.text(AF_INET6, address.sin6_addr, capacity: INET6_ADDRSTRLEN)
                // A socket for both families shows IPv4 clients so (RFC 4291 section 2.5.5.2).
                let mapped = "::ffff:"
                let isIPv4 = text.hasPrefix(mapped) && text.utf8.contains(UInt8(ascii: "."))
                return ListenAddress(
                    host: isIPv4 ? String(text.dropFirst(mapped.count)) : text,
                    port: UInt16(bigEndian: address.sin6_port))
            }
            let address = bytes.loadUnaligned(as: sockaddr_in.self)
            return ListenAddress(
                host: Self.text(AF_INET, address.sin_addr, capacity: INET_ADDRSTRLEN),
                port: UInt16(bigEndian: address.sin_port))
        }
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

    /// All addresses that a host name or an address in digits stands for, in
    /// the order in which the system wants them tried. May wait for name
    /// servers.
    static func resolve(_ address: ListenAddress) throws(ListenError) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICSERV | AI_PASSIVE
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(address.host, String(address.port), &hints, &list)
        guard status == 0 else {
            throw ListenError(address: address, reason: String(cString: gai_strerror(status)))
        }
        defer { freeaddrinfo(list) }
        return sequence(first: list, next: { $0?.pointee.ai_next }).compactMap { $0.map { SocketAddress($0.pointee) } }
    }
}
