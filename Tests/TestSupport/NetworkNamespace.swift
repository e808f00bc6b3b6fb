import DedicatedThread
import Dispatch
import Glibc
import Synchronization
import XCTest

/// A network namespace of one's own: a loopback interface and no way out.
public final class NetworkNamespace: Sendable {
    private let descriptor: Int32

    /// - Throws: `XCTSkip` in words where this machine does not allow that.
    init() async throws {
        guard geteuid() == 0 else { throw XCTSkip("only root can make a network namespace") }
        let made = Mutex<Int32>(-1)
        let isDone = DispatchSemaphore(value: 0)
        // Only this thread moves into it, and it lives as long as the descriptor.
        try startThread(name: "namespace") {
            if NamespaceCalls.unshare?(NamespaceCalls.network) == 0 {
                made.withLock { $0 = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC) }
            }
            isDone.signal()
        }
        isDone.wait()
        descriptor = made.withLock { $0 }
        guard descriptor >= 0 else { throw XCTSkip("this machine allows no network namespaces") }
        try await addInterfaces()
    }

    deinit { close(descriptor) }

    /// Besides the loopback interface a pair that is connected to itself alone: seekdb does not start without an
    /// interface that has an address of the hardware and of the network.
    private func addInterfaces() async throws {
        let script = """
            ip link set lo up && ip link add v0 type veth peer name v1 && ip address add 127.77.0.1/32 dev v0 \
            && ip link set v0 up && ip link set v1 up
            """
        let arguments = command(["/bin/sh", "-c", script])
        let finished = try await FinishedProgram.run(arguments[0], Array(arguments.dropFirst()))
        guard finished.status == 0 else { throw XCTSkip("no interfaces in a network namespace: \(finished.error)") }
    }

    /// The command that runs another one inside.
    func command(_ arguments: [String]) -> [String] {
        ["/usr/bin/nsenter", "--net=/proc/\(getpid())/fd/\(descriptor)"] + arguments
    }

    /// Moves the thread that calls it inside, from where sockets that were made before go on outside.
    func enter() -> Bool { NamespaceCalls.setns?(descriptor, NamespaceCalls.network) == 0 }
}

/// The calls that Swift's Glibc module leaves out because it needs `_GNU_SOURCE`.
private enum NamespaceCalls {
    /// `CLONE_NEWNET`.
    static let network: Int32 = 0x4000_0000

    static var unshare: (@convention(c) (Int32) -> Int32)? {
        dlsym(nil, "unshare").map { unsafeBitCast($0, to: (@convention(c) (Int32) -> Int32).self) }
    }

    static var setns: (@convention(c) (Int32, Int32) -> Int32)? {
        dlsym(nil, "setns").map { unsafeBitCast($0, to: (@convention(c) (Int32, Int32) -> Int32).self) }
    }
}
