import DedicatedThread
import Glibc
import HTTPServer
import MySQLWire
import Synchronization
import XCTest

/// A receiver of webhooks that keeps what it gets.
final class Receiver: Sendable {
    private let server: HTTPServer
    private let kept: Kept
    let port: UInt16

    private final class Kept: Sendable {
        let requests = Mutex<[HTTPRequest]>([])
        let answer: Mutex<HTTPResponse>

        init(_ answer: HTTPResponse) { self.answer = Mutex(answer) }
    }

    init(_ answer: HTTPResponse = HTTPResponse(status: .ok)) throws {
        let kept = Kept(answer)
        self.kept = kept
        server = try HTTPServer(
            listen: ListenAddress(host: "127.0.0.1", port: 0),
            handler: { request in
                kept.requests.withLock { $0.append(request) }
                return .immediate(kept.answer.withLock { $0 })
            })
        port = server.boundAddress.port
        try server.start()
    }

    var requests: [HTTPRequest] { kept.requests.withLock { $0 } }
    var bodies: [String] { requests.map { String(decoding: $0.body, as: UTF8.self) } }
    func answer(_ answer: HTTPResponse) { kept.answer.withLock { $0 = answer } }
    func stop() async { await server.drain(within: .zero) }
}

/// A receiver that does to each connection what a test wants.
final class RawReceiver: Sendable {
    let port: UInt16
    private let listener: Int32
    private let accepted = Mutex(0)

    /// - Parameter serve: gets the descriptor of a connection, which is closed when it returns.
    init(_ serve: @escaping @Sendable (Int32) -> Void) throws {
        let (descriptor, port) = try listenOnLoopback()
        listener = descriptor
        self.port = port
        try startThread(name: "receiver") { [weak self] in
            while true {
                let client = accept(descriptor, nil, nil)
                guard client >= 0 else { return }
                self?.accepted.withLock { $0 += 1 }
                try? startThread(name: "connection") {
                    serve(client)
                    close(client)
                }
            }
        }
    }

    var connections: Int { accepted.withLock { $0 } }

    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    /// Reads what has come, so that closing the connection is no reset.
    static func read(_ descriptor: Int32) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        _ = recv(descriptor, &buffer, buffer.count, 0)
    }

    /// - Returns: whether the other side took it.
    @discardableResult
    static func write(_ text: String, to descriptor: Int32) -> Bool {
        let bytes = Array(text.utf8)
        return send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }
}
