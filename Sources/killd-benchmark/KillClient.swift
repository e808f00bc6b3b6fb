import Foundation

/// A client of killd's that ends sessions, over one connection that is kept.
final class KillClient {
    private let server: Killd.Server
    private let connection: LoopbackSocket
    private var received: [UInt8] = []

    init(_ server: Killd.Server) throws {
        self.server = server
        connection = try LoopbackSocket.connected(to: server.port)
        connection.setDeadline(seconds: 120)
    }

    /// Prepares and commits the killing of `threads`.
    ///
    /// - Returns: the time from the sending of Prepare to the end of Commit's
    ///   answer.
    /// - Throws: if the answer does not list every one of them.
    func kill(_ threads: [UInt]) throws -> Duration {
        let prepare = try SignedRequest.prepare(threads, port: server.port).message
        let start = ContinuousClock.now
        let ticket = try answer(to: prepare).SqlExecId
        // Nobody can sign this before the ticket is there: it is part of the time.
        let bytes = try exchange(try SignedRequest.commit(ticket, port: server.port).message)
        let time = ContinuousClock.now - start
        guard try read(bytes).Threads == threads else {
            throw BenchmarkError("Commit does not list all sessions: \(String(decoding: bytes, as: UTF8.self))")
        }
        return time
    }

    private struct Envelope: Decodable {
        let Response: Answer
    }

    private struct Answer: Decodable {
        let SqlExecId: String
        let Threads: [UInt]
    }

    private func answer(to message: [UInt8]) throws -> Answer { try read(exchange(message)) }

    private func read(_ body: [UInt8]) throws -> Answer {
        do {
            return try JSONDecoder().decode(Envelope.self, from: Data(body)).Response
        } catch {
            throw BenchmarkError("killd answered \(String(decoding: body, as: UTF8.self))")
        }
    }

    /// Sends a request and returns the body of its answer.
    private func exchange(_ message: [UInt8]) throws -> [UInt8] {
        try connection.send(message)
        received = []
        while true {
            if let size = try messageSize(), received.count >= size.head + size.body {
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
