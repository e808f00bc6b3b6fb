import Glibc
import HTTPServer

/// The addresses that this machine has now.
func ownAddresses() -> Set<IPAddress> {
    var first: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&first) == 0 else { return [] }
    defer { freeifaddrs(first) }
    let addresses = sequence(first: first, next: { $0?.pointee.ifa_next }).compactMap { interface in
        interface?.pointee.ifa_addr.flatMap { IPAddress($0) }
    }
    return Set(addresses)
}
