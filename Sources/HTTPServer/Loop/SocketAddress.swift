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

    /// Calls what reads the address.
    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }

    /// Calls what writes the address.
    mutating func fill<Result>(
        _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Result
    ) -> Result {
        withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &length) }
        }
    }

    /// The address without its port.
    var ipAddress: IPAddress {
        withUnsafeBytes(of: storage) { bytes in
            family == AF_INET6
                ? IPAddress(bytes.loadUnaligned(as: sockaddr_in6.self).sin6_addr)
                : IPAddress(ipv4: UInt32(bigEndian: bytes.loadUnaligned(as: sockaddr_in.self).sin_addr.s_addr))
        }
    }

    /// The address in digits, without brackets, and the port.
    var numeric: ListenAddress {
        // It stands at the same place in both families.
        let port = withUnsafeBytes(of: storage) { $0.loadUnaligned(as: sockaddr_in.self).sin_port }
        return ListenAddress(host: ipAddress.description, port: UInt16(bigEndian: port))
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
            throw ListenError(address: address, reason: .noAddress(String(cString: gai_strerror(status))))
        }
        defer { freeaddrinfo(list) }
        return sequence(first: list, next: { $0?.pointee.ai_next }).compactMap { $0.map { SocketAddress($0.pointee) } }
    }
}
