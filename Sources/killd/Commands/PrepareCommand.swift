import APIClient
import DBbrainAPI
import SessionKill

/// `killd prepare`: stores which sessions are to die.
struct PrepareCommand: Command {
    static let name = "prepare"
    static let summary = "pins sessions down and prints the SqlExecId that ends them"
    static let usage = "--instance ID THREAD…"
    static let options =
        [
            (spelling: "--instance ID", meaning: "the instance, as the server's configuration names it"),
            (spelling: "THREAD…", meaning: "thread ids, as `killd sessions` shows them"),
            (spelling: "--for PERSON", meaning: "who asks for it, and so cannot approve it"),
            (spelling: "--reason TEXT", meaning: "why, for those who decide about the plan"), InstanceOptions.product,
        ] + ClientOptions.options

    private let client: ClientOptions
    private let instance: InstanceOptions
    private let threads: [ThreadID]
    private let requestedBy: String?
    private let reason: String?

    init(_ arguments: inout Arguments) throws {
        client = try ClientOptions(&arguments)
        instance = try InstanceOptions(&arguments)
        requestedBy = try arguments.option("--for")
        reason = try arguments.option("--reason")
        threads = try arguments.positional().map { word in
            guard let number = UInt64(word), let thread = ThreadID(number) else {
                throw UsageError("\"\(word)\" is no thread id; expected a number from 1 to 4294967295")
            }
            return thread
        }
        guard !threads.isEmpty else { throw UsageError("give at least one thread id") }
    }

    func run() throws -> ExitStatus {
        let response = try client.call(
            "KillMySqlThreads",
            KillMySqlThreadsRequest.prepare(
                threads, instance: instance.id, product: instance.product, requestedBy: requestedBy, reason: reason),
            response: KillMySqlThreadsResponse.self,
            ifResponseIsLost: "The plan may have been stored, which ends nobody; it is safe to prepare again.")
        if client.json {
            Terminal.standardOutput.write(asItCame: response.json + "\n")
        } else {
            let ticket = response.content.SqlExecId
            Terminal.standardOutput.write("SqlExecId  \(ticket)\n")
            Terminal.standardError.write(
                """
                Nothing has been killed. To see what would die: killd show \(ticket)
                To end these sessions: killd commit --instance \(instance.id) \(ticket)

                """)
        }
        return .done
    }
}
