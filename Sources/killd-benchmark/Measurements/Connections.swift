import APIClient
import DedicatedThread
import Foundation
import Synchronization

/// What connections cost that do nothing or next to nothing.
func connections(_ killd: Killd, in folder: String) throws -> [Measurement] {
    try raiseDescriptorLimit()
    return try idleConnections(killd, in: folder) + slowConnections(killd, in: folder)
}

/// As many as killd takes by default, one aside for a client that asks.
private func idleConnections(_ killd: Killd, in folder: String) throws -> [Measurement] {
    let server = try Killd.Server(killd, configuration: try Killd.configuration(in: folder, databasePort: 1))
    defer { server.stop() }
    let message = try SignedCall.missingParameter(port: server.port).message
    let client = try LoopbackSocket.connected(to: server.port)
    let few = try latencies(of: message, over: client, count: 2_000)
    let before = try server.residentMemory()
    let idle = try (0..<4_095).map { _ in
        let connection = try LoopbackSocket.connected(to: server.port)
        connection.setDeadline(seconds: 10)
        _ = try latency(of: message, over: connection)
        return connection
    }
    let memory = (try server.residentMemory() - before) * 1_024 / Double(idle.count)
    let many = try latencies(of: message, over: client, count: 2_000)
    for connection in idle where !connection.isOpen { throw BenchmarkError("an idle connection was closed") }
    return [
        Measurement(
            name: "memory of an idle connection that has had a request, mean of 4,095",
            killd: "\(decimal(memory)) KiB", goal: "≤ 8 KiB"),
        Measurement(
            name: "p99 latency of a client beside 4,095 idle connections",
            killd: "\(decimal(many.percentile(99))) ms", peer: "alone: \(decimal(few.percentile(99))) ms",
            ratio: decimal(many.percentile(99) / few.percentile(99)), goal: "–"),
    ]
}

/// Heads and bodies that never come to an end, a byte at a time.
private func slowConnections(_ killd: Killd, in folder: String) throws -> [Measurement] {
    let server = try Killd.Server(killd, configuration: try Killd.configuration(in: folder, databasePort: 1))
    defer { server.stop() }
    let message = try SignedCall.missingParameter(port: server.port).message
    let client = try LoopbackSocket.connected(to: server.port)
    client.setDeadline(seconds: 10)
    _ = try latencies(of: message, over: client, count: 2_000)
    var turns: [(alone: Double, beside: Double)] = []
    for _ in 0..<5 {
        let alone = try latencies(of: message, over: client, count: 4_000).percentile(99)
        let starts = ["GET / HTTP/1.1\r\nHost: h\r\nX: ", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9999\r\n\r\n"]
        let slow = try (0..<2_000).map { number in
            let connection = try LoopbackSocket.connected(to: server.port)
            try connection.send(Array(starts[number % 2].utf8))
            return connection
        }
        // A byte of each in five seconds, as attacks do: 400 a second of all together.
        let drip = try DripFeed(slow)
        let beside = try latencies(of: message, over: client, count: 4_000).percentile(99)
        drip.stop()
        turns.append((alone, beside))
    }
    return [
        Measurement(
            name: "p99 latency of a client beside 2,000 slow connections, median of 5 turns",
            killd: "\(decimal(median(turns.map(\.beside)))) ms",
            peer: "alone: \(decimal(median(turns.map(\.alone)))) ms",
            ratio: decimal(median(turns.map { $0.beside / $0.alone })), goal: "≤ 2")
    ]
}

/// A thread that sends a byte over each connection in turn.
private final class DripFeed: Sendable {
    private let isStopped = Atomic(false)

    init(_ connections: [LoopbackSocket]) throws {
        try startThread(name: "drip") { [self] in
            var number = 0
            while !isStopped.load(ordering: .relaxed) {
                // The server ends them after a while.
                try? connections[number % connections.count].send([UInt8(ascii: "x")])
                number += 1
                usleep(2_500)
            }
        }
    }

    func stop() { isStopped.store(true, ordering: .relaxed) }
}

/// In milliseconds.
private func latencies(of message: [UInt8], over client: LoopbackSocket, count: Int) throws -> [Double] {
    try (0..<count).map { _ in try latency(of: message, over: client) }
}

private func latency(of message: [UInt8], over client: LoopbackSocket) throws -> Double {
    let start = ContinuousClock.now
    try client.send(message)
    // A response of this size comes in one piece.
    guard let answer = client.receive(), answer.last == UInt8(ascii: "}") else { throw BenchmarkError("no answer") }
    return (ContinuousClock.now - start) / .milliseconds(1)
}

extension [Double] {
    fileprivate func percentile(_ percent: Int) -> Double { sorted()[(count - 1) * percent / 100] }
}

private func raiseDescriptorLimit() throws {
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    getrlimit(resource, &limit)
    limit.rlim_cur = Swift.max(limit.rlim_cur, min(5_000, limit.rlim_max))
    guard limit.rlim_cur >= 5_000, setrlimit(resource, &limit) == 0 else {
        throw BenchmarkError("4,096 connections need 5,000 descriptors (ulimit -n)")
    }
}
