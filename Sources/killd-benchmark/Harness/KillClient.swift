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
        guard let ticket = try read(conversation.exchange(prepare)).ticket else { throw BenchmarkError("no ticket") }
        // Nobody can sign this before the ticket is there: it is part of the time.
        let committed = try conversation.exchange(SignedCall.commit(ticket, port: server.port).message)
        let time = ContinuousClock.now - start
        guard try read(committed).threads == threads else {
            let body = String(decoding: committed.body, as: UTF8.self)
            throw BenchmarkError("Commit does not list all sessions: \(body)")
        }
        return time
    }

    private func read(_ http: HTTPResponse) throws -> KillResponse {
        guard let response = try? KillResponse(http.body), response.error == nil else {
            throw BenchmarkError("killd answered \(String(decoding: http.body, as: UTF8.self))")
        }
        return response
    }
}
