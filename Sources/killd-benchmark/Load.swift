import Foundation
import Synchronization

/// Sends requests over kept-alive connections, one after the other on each, and
/// returns how many were answered a second.
///
/// - Parameters:
///   - requests: over all connections.
///   - request: called for each request, on its connection's thread.
func load(
    on port: UInt16, connections: Int, requests: Int, _ request: @escaping @Sendable () throws -> [UInt8]
) throws -> Double {
    let left = Atomic(requests)
    let failure = Mutex<(any Error)?>(nil)
    let group = DispatchGroup()
    let start = ContinuousClock.now
    for _ in 0..<connections {
        group.enter()
        Thread.detachNewThread {
            defer { group.leave() }
            do {
                let connection = try KeepAliveConnection(port: port)
                while left.subtract(1, ordering: .relaxed).oldValue > 0 {
                    let answer = try connection.exchange(try request())
                    if position(of: "\"Error\"", in: answer) != nil, position(of: "MissingParameter", in: answer) == nil {
                        throw BenchmarkError(String(decoding: answer, as: UTF8.self))
                    }
                }
            } catch {
                failure.withLock { $0 = error }
            }
        }
    }
    group.wait()
    if let error = failure.withLock({ $0 }) { throw error }
    return Double(requests) / ((ContinuousClock.now - start) / .seconds(1))
}

private func position(of text: StaticString, in bytes: [UInt8]) -> Int? {
    let length = text.utf8CodeUnitCount
    return bytes.withUnsafeBytes { bytes in
        guard let start = bytes.baseAddress, bytes.count >= length else { return nil }
        return (0...bytes.count - length).first { memcmp(start + $0, text.utf8Start, length) == 0 }
    }
}

/// A blocking HTTP/1.1 client connection to the loopback interface.
private final class KeepAliveConnection {
    private let descriptor: Int32
    private var received: [UInt8] = []

    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = loopback(port)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw BenchmarkError("connect: \(String(cString: strerror(errno)))") }
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { close(descriptor) }

    /// Sends a request and returns the body of its answer.
    func exchange(_ request: [UInt8]) throws -> [UInt8] {
        guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
            throw BenchmarkError("send: \(String(cString: strerror(errno)))")
        }
        received.removeAll(keepingCapacity: true)
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { throw BenchmarkError("the server closed the connection") }
            received += buffer[..<count]
            if let body = try completeBody() { return body }
        }
    }

    /// Searched by bytes, since strings would cost more than the server.
    private func completeBody() throws -> [UInt8]? {
        guard let end = position(of: "\r\n\r\n", in: received),
            let name = position(of: "Content-Length: ", in: received), name < end
        else { return nil }
        let text = name + 16..<end + 4
        let length = received[text].prefix { (48...57).contains($0) }.reduce(0) { $0 * 10 + Int($1) - 48 }
        guard received.count >= text.upperBound + length else { return nil }
        return Array(received[text.upperBound..<text.upperBound + length])
    }
}
