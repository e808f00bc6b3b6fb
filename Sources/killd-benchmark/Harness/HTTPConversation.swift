import Foundation

/// Requests and their answers, one after the other over one connection that is kept.
final class HTTPConversation {
    private let connection: LoopbackSocket
    private var received: [UInt8] = []

    init(port: UInt16) throws {
        connection = try LoopbackSocket.connected(to: port)
        connection.setDeadline(seconds: 120)
    }

    /// Sends a request and returns the body of its answer.
    func exchange(_ message: [UInt8]) throws -> [UInt8] {
        try connection.send(message)
        received = []
        var size: (head: Int, body: Int)?
        while true {
            if size == nil {
                size = try messageSize()
                if let size { received.reserveCapacity(size.head + size.body) }
            }
            if let size, received.count >= size.head + size.body {
                return Array(received[size.head..<(size.head + size.body)])
            }
            guard let bytes = connection.receive() else { throw BenchmarkError("killd did not answer") }
            received += bytes
        }
    }

    /// `nil` until the head is whole.
    private func messageSize() throws -> (head: Int, body: Int)? {
        let text = String(decoding: received.prefix(2_048), as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { return nil }
        guard let field = text.range(of: "content-length:", options: .caseInsensitive),
            let length = Int(text[field.upperBound...].prefix { $0 != "\r\n" }.drop { $0 == " " })
        else { throw BenchmarkError("an answer without Content-Length") }
        return (text[..<end.upperBound].utf8.count, length)
    }
}
