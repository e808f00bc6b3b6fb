import Foundation

/// The response to a Prepare or Commit.
struct KillResponse: Hashable, CustomStringConvertible {
    let ticket: String?
    let threads: [UInt]
    let error: String?

    private struct Envelope: Decodable {
        struct Response: Decodable {
            struct Failure: Decodable {
                let Code: String
                let Message: String
            }
            let SqlExecId: String?
            let Threads: [UInt]?
            let Error: Failure?
        }
        let Response: Response
    }

    init(_ body: [UInt8]) throws {
        let response = try JSONDecoder().decode(Envelope.self, from: Data(body)).Response
        ticket = response.SqlExecId
        threads = response.Threads ?? []
        error = response.Error.map { "\($0.Code): \($0.Message)" }
    }

    var description: String { error ?? "\(threads.count) threads" }
}
