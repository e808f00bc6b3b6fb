import Foundation
import PrivateDatabase
import TestSupport
import XCTest

/// What killd tells systemd, or whoever else listens at `NOTIFY_SOCKET`.
final class ServiceManagerTests: XCTestCase {
    func testTellsWhenItIsReadyReloadsAndStops() async throws {
        for isAbstract in [false, true] {
            let listener = try NotifyListener(isAbstract: isAbstract)
            let killd = try await KilldProcess.start(
                KilldConfiguration(port: try PrivateDatabase.freePort()),
                environment: ["NOTIFY_SOCKET": listener.name])
            XCTAssertEqual(listener.receive(), "READY=1\nSTATUS=answers at \(killd.endpoint)")
            try await killd.reload { $0.planLifetimeSeconds = 60 }
            let reloading = try XCTUnwrap(listener.receive())
            XCTAssertNotNil(reloading.wholeMatch(of: /RELOADING=1\nMONOTONIC_USEC=[0-9]{6,}/), reloading)
            XCTAssertTrue(try XCTUnwrap(listener.receive()).hasPrefix("READY=1\nSTATUS=answers"))

            _ = try await killd.reloadInVain(Data("{".utf8))
            XCTAssertTrue(try XCTUnwrap(listener.receive()).hasPrefix("RELOADING=1\n"))
            // As ready as before, and it says why nothing is new.
            let refusal = try XCTUnwrap(listener.receive())
            XCTAssertTrue(refusal.hasPrefix("READY=1\nSTATUS="), refusal)
            XCTAssertTrue(refusal.contains("refused"), refusal)

            try await killd.stop()
            XCTAssertTrue(try XCTUnwrap(listener.receive()).hasPrefix("STOPPING=1\n"))
        }
    }

    func testAManagerThatIsNotThereIsNoObstacle() async throws {
        for name in ["/nowhere/notify", "@killd-test-nobody", "relative", String(repeating: "/x", count: 200)] {
            let killd = try await KilldProcess.start(
                KilldConfiguration(port: try PrivateDatabase.freePort()), environment: ["NOTIFY_SOCKET": name])
            try await killd.stop()
        }
    }
}

/// A datagram socket, as a service manager has it.
private final class NotifyListener {
    let name: String
    private let folder: TestFolder
    private let descriptor: Int32

    init(isAbstract: Bool) throws {
        folder = try TestFolder()
        let path = folder.file("notify")
        name = isAbstract ? "@" + path.dropFirst() : path
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array((isAbstract ? "\0" + path.dropFirst() : path).utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(2 + bytes.count)
        let descriptor = descriptor
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        guard result == 0 else { throw POSIXError(.EADDRNOTAVAIL) }
    }

    deinit { close(descriptor) }

    /// The next message; nil after ten seconds without one.
    func receive() -> String? {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }
}
