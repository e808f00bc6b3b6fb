import FileDescriptors
import Glibc

/// The connection to systemd, which is told how far killd is, by the protocol of sd_notify(3).
///
/// Does nothing where no service manager asked for it. That it could not be
/// told is no reason to fail: a manager that waits in vain says so itself.
struct ServiceManager: Sendable {
    /// A path, or an abstract name that begins with `@`; `nil` if nobody asked.
    let socketName: String?

    init(socketName: String? = getenv("NOTIFY_SOCKET").map { String(cString: $0) }) {
        self.socketName = socketName
    }

    func ready(_ status: String) { send("READY=1\nSTATUS=\(status)") }
    func stopping() { send("STOPPING=1\nSTATUS=finishing what is in flight") }

    /// Ends with ``ready(_:)``, whatever became of it.
    func reloading() {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        // The time is what Type=notify-reload tells an old reload from a new one by.
        send("RELOADING=1\nMONOTONIC_USEC=\(time.tv_sec * 1_000_000 + time.tv_nsec / 1_000)")
    }

    private func send(_ message: String) {
        guard let socketName, let first = socketName.utf8.first, [UInt8(ascii: "/"), UInt8(ascii: "@")].contains(first)
        else { return }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var path = Array(socketName.utf8)
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        if first == UInt8(ascii: "@") { path[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        // An abstract name ends where the address ends, a path at a zero byte, which may be left out (unix(7)).
        let length = socklen_t(MemoryLayout.offset(of: \sockaddr_un.sun_path) ?? 2) + socklen_t(path.count)

        let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { return }
        let descriptor = FileDescriptor(owning: number)
        var limit = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(descriptor.number, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let bytes = Array(message.utf8)
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = sendto(descriptor.number, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }
}
