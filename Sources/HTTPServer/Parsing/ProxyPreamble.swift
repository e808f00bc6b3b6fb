/// What a proxy sends before all else on a connection, to say whose it is: the
/// PROXY protocol, version 2.
///
/// Source: sections 2.2 and 5 of HAProxy's `proxy-protocol.txt`.
struct ProxyPreamble: Sendable {
    enum Reading: Sendable {
        case incomplete
        /// The proxy's own connection, such as a health check, or one of a kind that
        /// it does not describe.
        case ofProxy
        case ofClient(IPAddress, proxyPort: UInt16)
    }

    /// Why a connection is closed that does not begin so.
    struct Malformed: Error, Sendable, CustomStringConvertible {
        let description: String
    }

    private var bytes: [UInt8] = []

    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
    private static let headBytes = 16
    /// Behind the head. Proxies that describe a TLS certificate send a few
    /// hundred bytes.
    private static let mostBytes = 4 * 1024

    var heldBytes: Int { bytes.capacity }

    /// Reads from `input`, from `index` on, up to the end of the preamble at most,
    /// and moves `index` behind what was read.
    mutating func read(_ input: Span<UInt8>, from index: inout Int) throws(Malformed) -> Reading {
        while bytes.count < Self.headBytes {
            guard index < input.count else { return .incomplete }
            bytes.append(input[index])
            index += 1
            try checkLast()
        }
        let end = Self.headBytes + length
        let count = min(end - bytes.count, input.count - index)
        bytes.append(input.extracting(index..<(index + count)))
        index += count
        return bytes.count == end ? try meaning() : .incomplete
    }

    /// What is malformed is not waited for to its end.
    private func checkLast() throws(Malformed) {
        let last = bytes.count - 1
        switch last {
        case 0..<Self.signature.count:
            guard bytes[last] == Self.signature[last] else {
                throw Malformed(description: "the connection does not begin with the PROXY protocol's version 2")
            }
        case 12:
            guard [0x20, 0x21].contains(bytes[12]) else {
                throw Malformed(description: "a PROXY header of another version or command")
            }
        case Self.headBytes - 1:
            guard length <= Self.mostBytes else {
                throw Malformed(description: "a PROXY header of more than \(Self.mostBytes) bytes")
            }
        default: break
        }
    }

    /// The bytes behind the head.
    private var length: Int { Int(bytes[14]) << 8 | Int(bytes[15]) }

    private func meaning() throws(Malformed) -> Reading {
        // LOCAL.
        if bytes[12] == 0x20 { return .ofProxy }
        // Sources and destinations of TCP, of IPv4 or IPv6; what follows them is of no use here.
        switch bytes[13] {
        case 0x11 where length >= 12:
            return .ofClient(
                IPAddress(ipv4: UInt32(number(at: 16, bytes: 4))), proxyPort: UInt16(number(at: 26, bytes: 2)))
        case 0x21 where length >= 36:
            return .ofClient(
                IPAddress(high: number(at: 16, bytes: 8), low: number(at: 24, bytes: 8)),
                proxyPort: UInt16(number(at: 50, bytes: 2)))
        case 0x00: return .ofProxy
        default: throw Malformed(description: "a PROXY header that describes no connection over TCP")
        }
    }

    /// The number in some bytes, in network order.
    private func number(at start: Int, bytes count: Int) -> UInt64 {
        bytes[start..<(start + count)].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
