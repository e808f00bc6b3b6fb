import Foundation

/// A client of killd's that ends sessions, over one connection that is kept.
final class KillClient {
    private let server: Killd.Server
    private let conversation: HTTPConversation

    init(_ server: Killd.Server) throws {
        self.server = server
        conversation = try HTTPConversation(port: server.port)
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
        let bytes = try conversation.exchange(try SignedRequest.commit(ticket, port: server.port).message)
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

    private func answer(to message: [UInt8]) throws -> Answer { try read(conversation.exchange(message)) }

    private func read(_ body: [UInt8]) throws -> Answer {
        do {
            return try JSONDecoder().decode(Envelope.self, from: Data(body)).Response
        } catch {
            throw BenchmarkError("killd answered \(String(decoding: body, as: UTF8.self))")
        }
    }
}
