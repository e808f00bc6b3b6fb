import Cryptography
import Foundation
import PrivateDatabase
import TestSupport
import XCTest

/// A session over MySQL's X protocol, of which the server's lists tell different things.
final class XProtocolSession {
    private let descriptor: Int32

    deinit { close(descriptor) }

    /// Connects over TCP, and says nothing.
    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        try connect(&address)
    }

    init(socket path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else { throw POSIXError(.ENAMETOOLONG) }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        try connect(&address)
    }

    private func connect<Address>(_ address: inout Address) throws {
        let status = withUnsafeBytes(of: &address) {
            Glibc.connect(
                descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
        }
        guard status == 0 else { throw POSIXError(.ECONNREFUSED) }
    }

    /// Logs in with the password itself, as the server allows over its socket. It remembers the account then.
    func logIn(as user: String) throws {
        send(4, Self.field(1, "PLAIN") + Self.field(2, "\0\(user)\0\(RealServer.password)"))
        XCTAssertEqual(try receive().type, 4)
    }

    /// Logs in with a proof, as an account that the server remembers.
    func logInWithProof(as user: String) throws {
        send(4, Self.field(1, "SHA256_MEMORY"))
        let (type, payload) = try receive()
        XCTAssertEqual(type, 3)
        let once = try Digest.sha256.hash(Array(RealServer.password.utf8))
        let twice = try Digest.sha256.hash(once)
        let mask = try Digest.sha256.hash(twice + payload.dropFirst(2))
        let proof = zip(once, mask).map { String(Int($0 ^ $1) | 0x100, radix: 16).dropFirst() }.joined()
        send(5, Self.field(1, "\0\(user)\0\(proof)"))
        XCTAssertEqual(try receive().type, 4)
    }

    /// Whether the server has ended the connection, or is about to.
    func hasEnded() -> Bool {
        var set = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&set, 1, 5_000) == 1
    }

    private static func field(_ number: UInt8, _ text: String) -> [UInt8] {
        [number << 3 | 2, UInt8(truncatingIfNeeded: text.utf8.count)] + text.utf8
    }

    private func send(_ type: UInt8, _ payload: [UInt8]) {
        let length = UInt32(payload.count + 1)
        let message = (0..<4).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) } + [type] + payload
        _ = message.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }

    /// The next message that is no notice.
    private func receive() throws -> (type: UInt8, payload: [UInt8]) {
        while true {
            let head = try receive(5)
            let length = head.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            let payload = try receive(length - 1)
            if head[4] != 11 { return (head[4], payload) }
        }
    }

    private func receive(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard recv(descriptor, &bytes, count, Int32(MSG_WAITALL)) == count else {
            throw POSIXError(.ECONNRESET)
        }
        return bytes
    }
}
