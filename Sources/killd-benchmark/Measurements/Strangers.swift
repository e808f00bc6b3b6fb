import APIClient
import DedicatedThread
import Foundation
import Synchronization

/// What clients whom nobody knows can take of memory and time, each attack on a
/// killd of its own: the most memory that it came to, what it kept when the
/// attack was over, and the p99 of a client of an account meanwhile.
func strangers(_ killd: Killd, in folder: String) throws -> [Measurement] {
    try [
        Attack("300 bodies of 10 MB, complete", .complete(head(length: tenMegabytes), tenMegabytes, connections: 300)),
        Attack(
            "300 bodies of 10 MB for the SecretId of an account, complete",
            .complete(head(length: tenMegabytes, secretID: "AKIDBENCH"), tenMegabytes, connections: 300)),
        Attack(
            "300 bodies of 10 MB for the SecretId of an account, but for their last byte",
            .unfinished(head(length: tenMegabytes, secretID: "AKIDBENCH"), tenMegabytes - 1, connections: 300)),
        Attack("400 clients that pipeline requests and read no answers", .unread(connections: 400)),
        Attack("16 DAS forms of 10 MB", .forms(longForm("AccessKeyId"), connections: 16), isDAS: true),
        Attack("16 DAS bodies of 10 MB of nested JSON", .forms(nestedJSON(), connections: 16), isDAS: true),
        Attack("64 V1 forms of 1 MB", .forms(manyParameters(secretID: "AKIDNOBODY"), connections: 64)),
        Attack(
            "64 V1 forms of 1 MB for the SecretId of an account",
            .forms(manyParameters(secretID: "AKIDBENCH"), connections: 64)),
        Attack(
            "a DAS form of 10 MB for the AccessKeyId of an account",
            .forms(longForm("AccessKeyId", "AKIDBENCH"), connections: 1), isDAS: true),
    ].map { try $0.measured(killd, in: folder) }
}

private let tenMegabytes = 10 * 1_024 * 1_024

private struct Attack {
    enum Kind {
        /// So many bytes behind the head.
        case complete([UInt8], Int, connections: Int)
        case unfinished([UInt8], Int, connections: Int)
        case unread(connections: Int)
        /// Each connection sends the message and reads the response, again and again.
        case forms([UInt8], connections: Int)
    }

    let name: String
    let kind: Kind
    let isDAS: Bool
    /// Seconds.
    private static let length = 10.0

    init(_ name: String, _ kind: Kind, isDAS: Bool = false) {
        self.name = name
        self.kind = kind
        self.isDAS = isDAS
    }

    func measured(_ killd: Killd, in folder: String) throws -> Measurement {
        let server = try Killd.Server(
            killd, configuration: try Killd.configuration(in: folder, databasePort: 1, das: true))
        let message = try SignedCall.missingParameter(port: server.port).message
        let idle = try warmedUp(server, message)
        let attackers = try Attackers(self, port: isDAS ? server.dasPort : server.port)
        var highest = idle
        var latencies: [Double] = []
        let end = ContinuousClock.now + .seconds(Self.length)
        while ContinuousClock.now < end, server.process.isRunning {
            let start = ContinuousClock.now
            // A connection of its own each time, as commands open one.
            let isAnswered = try? Killd.conversation(port: server.port).exchange(message)
            latencies.append((ContinuousClock.now - start) / .milliseconds(1))
            if isAnswered == nil, !server.process.isRunning { break }
            highest = max(highest, (try? server.residentMemory()) ?? highest)
            usleep(2_000)
        }
        let longestAnswer = attackers.stop()
        guard server.process.isRunning else {
            return Measurement(name: name, killd: "ended by signal \(server.process.terminationStatus)", goal: "–")
        }
        Thread.sleep(forTimeInterval: 3)
        let after = try server.residentMemory()
        let start = ContinuousClock.now
        server.stop()
        let stop = ContinuousClock.now - start
        let p99 = latencies.sorted()[(latencies.count - 1) * 99 / 100]
        return Measurement(
            name: name,
            killd: "memory \(whole(highest)) MiB at most, \(whole(after)) MiB after (before: \(whole(idle))); "
                + "p99 of another client \(decimal(p99)) ms, at most \(decimal(latencies.max() ?? 0)) ms; "
                + "longest answer \(longestAnswer) bytes; end \(decimal(stop / .seconds(1))) s",
            goal: "≤ 256 MiB more")
    }

    private func warmedUp(_ server: Killd.Server, _ message: [UInt8]) throws -> Double {
        for _ in 0..<200 { _ = try Killd.conversation(port: server.port).exchange(message) }
        return try server.residentMemory()
    }
}

/// A thread for each connection, until the end of the attack.
private final class Attackers: Sendable {
    private let state = Mutex(State())

    private struct State {
        var isOver = false
        var sockets: [LoopbackSocket] = []
        var longestAnswer = 0
        var running = 0
    }

    init(_ attack: Attack, port: UInt16) throws {
        switch attack.kind {
        case .complete(let head, let count, let connections):
            let body = [UInt8](repeating: UInt8(ascii: "x"), count: count)
            try start(connections) { [self] in exchange(head + body, port) }
        case .unfinished(let head, let count, let connections):
            let body = [UInt8](repeating: UInt8(ascii: "x"), count: count)
            try start(connections) { [self] in
                guard let socket = connect(port) else { return }
                try? socket.send(head + body)
                readAnswer(of: socket)
            }
        case .unread(let connections):
            let request = Array(
                "POST / HTTP/1.1\r\nHost: h\r\nX-TC-Action: \(String(repeating: "é", count: 200))\r\n\r\n".utf8)
            let batch = Array((0..<64).map { _ in request }.joined())
            try start(connections) { [self] in
                guard let socket = connect(port) else { return }
                while !isOver, (try? socket.send(batch)) != nil {}
            }
        case .forms(let message, let connections):
            try start(connections) { [self] in exchange(message, port) }
        }
    }

    private var isOver: Bool { state.withLock(\.isOver) }

    private func start(_ count: Int, _ turn: @escaping @Sendable () -> Void) throws {
        for _ in 0..<count {
            state.withLock { $0.running += 1 }
            try startThread(name: "stranger") { [self] in
                while !isOver {
                    turn()
                    // Who is turned away at once must not keep the processors from killd.
                    usleep(10_000)
                }
                state.withLock { $0.running -= 1 }
            }
        }
    }

    private func connect(_ port: UInt16) -> LoopbackSocket? {
        guard let socket = try? LoopbackSocket.connected(to: port) else { return nil }
        socket.setDeadline(seconds: 120)
        return state.withLock { state in
            guard !state.isOver else { return nil }
            state.sockets.append(socket)
            return socket
        }
    }

    private func exchange(_ message: [UInt8], _ port: UInt16) {
        guard let socket = connect(port) else { return }
        // Who is answered early may not take all of it.
        try? socket.send(message)
        readAnswer(of: socket)
    }

    private func readAnswer(of socket: LoopbackSocket) {
        var count = 0
        while let bytes = socket.receive() {
            count += bytes.count
            // The connection may be kept: the next response would be another.
            if bytes.suffix(1) == [UInt8(ascii: "}")] || bytes.suffix(1) == [UInt8(ascii: ">")] { break }
        }
        state.withLock { state in
            state.longestAnswer = max(state.longestAnswer, count)
            state.sockets.removeAll { $0 === socket }
        }
    }

    /// - Returns: the bytes of the longest response.
    func stop() -> Int {
        for socket in state.withLock({ state in
            state.isOver = true
            return state.sockets
        }) { socket.end() }
        while state.withLock({ $0.running > 0 }) { usleep(10_000) }
        return state.withLock {
            $0.sockets = []
            return $0.longestAnswer
        }
    }
}

// MARK: What they send

private func head(length: Int, secretID: String = "AKIDNOBODY") -> [UInt8] {
    let time = Int64(Date().timeIntervalSince1970)
    let date = Date().formatted(.iso8601.year().month().day())
    return Array(
        """
        POST / HTTP/1.1\r\nHost: 127.0.0.1:8155\r\nContent-Type: application/json\r\nX-TC-Action: KillMySqlThreads\r\n\
        X-TC-Version: 2021-05-27\r\nX-TC-Timestamp: \(time)\r\nAuthorization: TC3-HMAC-SHA256 \
        Credential=\(secretID)/\(date)/dbbrain/tc3_request, SignedHeaders=content-type;host, \
        Signature=\(String(repeating: "0", count: 64))\r\nContent-Length: \(length)\r\n\r\n
        """.utf8)
}

private func post(_ body: [UInt8], type: String, fields: String = "", target: String = "/") -> [UInt8] {
    Array(
        """
        POST \(target) HTTP/1.1\r\nHost: 127.0.0.1:8156\r\nContent-Type: \(type)\r\n\(fields)\
        Content-Length: \(body.count)\r\n\r\n
        """.utf8) + body
}

private let formType = "application/x-www-form-urlencoded"

/// 10 MB of parameters of DAS that double when they are escaped, and once more.
private func longForm(_ keyName: String, _ accessKeyID: String = "AKIDNOBODY") -> [UInt8] {
    let common = [
        "Action=GetMySQLAllSessionAsync", "Version=2020-01-16", "\(keyName)=\(accessKeyID)",
        "SignatureMethod=HMAC-SHA1", "SignatureVersion=1.0", "SignatureNonce=\(UUID().uuidString)",
        "Timestamp=\(Date().formatted(.iso8601))", "Signature=AAAAAAAAAAAAAAAAAAAAAAAAAAA%3D",
    ].joined(separator: "&")
    return post(
        Array(common.utf8) + Array("&InstanceId=".utf8)
            + [UInt8](repeating: UInt8(ascii: "/"), count: tenMegabytes - 1_024),
        type: formType)
}

private func nestedJSON() -> [UInt8] {
    let depth = 30
    let piece = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    let count = (tenMegabytes - 1_024) / (piece.utf8.count + 1)
    let list = Array(repeating: piece, count: count).joined(separator: ",")
    return post(
        Array("{\"a\":[\(list)]}".utf8), type: "application/json",
        fields: "Authorization: ACS3-HMAC-SHA256 Credential=AKIDNOBODY\r\n")
}

/// A megabyte of short parameters of DBbrain.
private func manyParameters(secretID: String) -> [UInt8] {
    let common = [
        "Action=KillMySqlThreads", "Version=2021-05-27", "Timestamp=\(Int64(Date().timeIntervalSince1970))",
        "SecretId=\(secretID)", "Nonce=1", "SignatureMethod=HmacSHA256", "Signature=AAAA",
    ].joined(separator: "&")
    var form = Array(common.utf8)
    var number = 0
    while form.count < (1 << 20) - 64 {
        form += "&a_\(String(number, radix: 36))=".utf8
        number += 1
    }
    return post(form, type: formType)
}
