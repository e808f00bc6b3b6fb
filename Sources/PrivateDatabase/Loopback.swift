import FileDescriptors
import Glibc

extension PrivateDatabase {
    /// A TCP port of 127.0.0.1 that nobody listens on at this moment.
    ///
    /// Not one that the kernel would choose: of those it may give any to the next
    /// client that connects to somewhere, before a server has bound it.
    public static func freePort() throws(PrivateDatabaseError) -> UInt16 {
        for _ in 0..<mostTries {
            let port = UInt16.random(in: portsForServers)
            if try isFree(port) { return port }
        }
        throw PrivateDatabaseError(systemCall: "bind to 127.0.0.1")
    }

    /// Below those that Linux chooses for clients (`ip_local_port_range`), above those of known services.
    private static let portsForServers: Range<UInt16> = 15_000..<32_768
    private static let mostTries = 100

    private static func isFree(_ port: UInt16) throws(PrivateDatabaseError) -> Bool {
        let socket = try FileDescriptor(Glibc.socket(AF_INET, streamSocket, 0), from: "socket")
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = port.bigEndian
        return withUnsafeBytes(of: address) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { addresses in
                bind(socket.number, addresses.baseAddress, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}

/// Whether a MySQL server behind this Unix socket greets, which it does once it serves.
///
/// A connection that is dropped after the greeting costs the server nothing but
/// a count in `Aborted_connects`.
func serverGreets(at path: UnixSocketPath, by deadline: ContinuousClock.Instant) throws(PrivateDatabaseError) -> Bool {
    let socket = try FileDescriptor(Glibc.socket(AF_UNIX, streamSocket, 0), from: "socket")
    guard path.connect(socket) else { return false }
    var poll = pollfd(fd: socket.number, events: Int16(POLLIN), revents: 0)
    let remaining = max(.zero, ContinuousClock.now.duration(to: deadline)) / .milliseconds(1)
    guard Glibc.poll(&poll, 1, Int32(clamping: Int64(remaining.rounded(.up)))) == 1 else { return false }
    // Four bytes of packet header, then the protocol's version: 10 in every server since 3.21.
    var packet = [UInt8](repeating: 0, count: 5)
    return read(socket.number, &packet, packet.count) == packet.count && packet[4] == 10
}

/// The address of a Unix socket.
struct UnixSocketPath {
    private var address = sockaddr_un()

    init(_ path: String) throws(PrivateDatabaseError) {
        let bytes = Array(path.utf8)
        // One byte of the field is for the terminating zero.
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw PrivateDatabaseError(.systemCall("connect to \(path)", errorNumber: ENAMETOOLONG))
        }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    }

    func connect(_ socket: borrowing FileDescriptor) -> Bool {
        withUnsafeBytes(of: address) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { addresses in
                Glibc.connect(socket.number, addresses.baseAddress, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }
}
