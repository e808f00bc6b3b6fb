import APIClient
import Foundation

/// A client of killd's that ends sessions, over one connection that is kept.
final class KillClient {
    private let server: Killd.Server
    private let conversation: HTTPConversation

    init(_ server: Killd.Server) throws {
        self.server = server
        conversation = try Killd.conversation(port: server.port)
    }

    /// Prepares and commits the killing of `threads`.
    ///
    /// - Returns: the time from the sending of Prepare to the end of Commit's
    ///   response.
    /// - Throws: if the response does not list every one of them.
    func kill(_ threads: [UInt]) throws -> Duration {
        let prepare = try SignedCall.prepare(threads, port: server.port).message
        let start = ContinuousClock.now
        let ticket = try read(conversation.exchange(prepare).body).SqlExecId
        // Nobody can sign this before the ticket is there: it is part of the time.
        let bytes = try conversation.exchange(SignedCall.commit(ticket, port: server.port).message).body
        let time = ContinuousClock.now - start
        guard try read(bytes).Threads == threads else {
            throw BenchmarkError("Commit does not list all sessions: \(String(decoding: bytes, as: UTF8.self))")
        }
        return time
    }

    private struct Envelope: Decodable {
        let Response: KillResponse
    }

    private struct KillResponse: Decodable {
        let SqlExecId: String
        let Threads: [UInt]
    }

    private func read(_ body: [UInt8]) throws -> KillResponse {
        do {
            return try JSONDecoder().decode(Envelope.self, from: Data(body)).Response
        } catch {
            throw BenchmarkError("killd answered \(String(decoding: body, as: UTF8.self))")
        }
    }
}
