import Glibc
public import HTTPServer

/// One of the addresses of a host, with the port.
public struct HostAddress: Sendable {
    private let storage: sockaddr_storage
    private let length: socklen_t
    public let ip: IPAddress

    /// All that the host's name stands for, in the order in which the system wants them tried.
    ///
    /// Blocks for as long as name servers take.
    public static func all(of endpoint: Endpoint) throws(APIClientError) -> [HostAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(endpoint.host, String(endpoint.port), &hints, &found)
        guard result == 0 else {
            throw APIClientError(.unresolvable(String(cString: gai_strerror(result))), at: endpoint)
        }
        defer { freeaddrinfo(found) }
        return sequence(first: found, next: { $0?.pointee.ai_next })
            .compactMap { $0.flatMap { HostAddress($0.pointee) } }
    }

    private init?(_ information: addrinfo) {
        var storage = sockaddr_storage()
        let length = min(information.ai_addrlen, socklen_t(MemoryLayout<sockaddr_storage>.size))
        withUnsafeMutableBytes(of: &storage) {
            $0.copyMemory(from: UnsafeRawBufferPointer(start: information.ai_addr, count: Int(length)))
        }
        guard let ip = IPAddress(information.ai_addr) else { return nil }
        self.storage = storage
        self.length = length
        self.ip = ip
    }

    var family: Int32 { Int32(storage.ss_family) }

    /// As connect(2).
    func connect(_ descriptor: Int32) -> Int32 {
        withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(descriptor, $0, length) }
        }
    }
}
