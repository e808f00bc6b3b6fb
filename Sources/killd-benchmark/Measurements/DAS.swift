import APIClient
import Foundation
import RequestSigning

/// What clients of Alibaba DAS are served: listings, and kills of all sessions.
func das(_ killd: Killd, in folder: String) throws -> [Measurement] {
    try listings(killd, in: folder) + killsOfAll(killd, in: folder)
}

/// The sessions with their statistics, from the first call to the last byte of
/// the response that has them, against the bare list without any.
private func listings(_ killd: Killd, in folder: String) throws -> [Measurement] {
    let goal = "≤ 2"
    let openFiles = 12_000
    let mayOpenFiles = allowOpenFiles(rlim_t(openFiles))
    let options = mayOpenFiles ? ["--max-connections=10100", "--open-files-limit=\(openFiles)"] : []
    return try onEachServer(
        "listing of 10000 sessions with statistics for a client of DAS", goal: goal, options: options
    ) { server in
        var count = 10_000
        var note = ""
        if let reason = mayOpenFiles ? largePlanObstacle(count, on: server) : "no more open files are allowed" {
            count = 1_000
            note = " (10000 not measured: \(reason))"
        }
        let sessions = try ClientSessions(count, on: server)
        let service = try Killd.Server(
            killd, configuration: try Killd.configuration(in: folder, databasePort: server.port, das: true))
        defer { service.stop() }
        let client = try DASClient(service)
        let peer = try server.connect(as: TargetServer.killer)
        let name = "listing of \(count) sessions with statistics for a client of DAS, \(server.name)"

        _ = try client.list(atLeast: count)
        let before = try service.residentMemory()
        var pairs: [(killd: Duration, peer: Duration)] = []
        for _ in 0..<11 {
            let time = try client.list(atLeast: count)
            let start = ContinuousClock.now
            let rows = try peer.countRows(of: "SHOW FULL PROCESSLIST")
            pairs.append((time, ContinuousClock.now - start))
            guard rows >= count else { throw BenchmarkError("the peer read \(rows) rows") }
        }
        let memory = (try service.residentMemory() - before) / Double(pairs.count)
        try withExtendedLifetime(sessions) {
            guard sessions.allAnswer() else { throw BenchmarkError("a listed session was hit") }
        }
        return [
            Measurement(
                name: "\(name)\(note), median of \(pairs.count) turns", killd: milliseconds(median(pairs.map(\.killd))),
                peer: "`SHOW FULL PROCESSLIST` read by the client library: \(milliseconds(median(pairs.map(\.peer))))",
                ratio: decimal(median(pairs.map { $0.killd / $0.peer })), goal: goal),
            Measurement(
                name: "memory for each of \(pairs.count) results that are kept of that listing, \(server.name)",
                killd: "\(decimal(memory)) MiB", goal: "–"),
        ]
    }
}

/// A task that ends all sessions but those of ignored users, with a login of its
/// own, until its result is there.
private func killsOfAll(_ killd: Killd, in folder: String) throws -> [Measurement] {
    let name = "KillAllSessions of 1000 idle sessions by a client of DAS"
    return try onEachServer(name, goal: "≤ 1.2") { server in
        let service = try Killd.Server(
            killd, configuration: try Killd.configuration(in: folder, databasePort: server.port, das: true))
        defer { service.stop() }
        let client = try DASClient(service)
        let loop = try server.connect(as: TargetServer.killer)
        return [
            try KillTurns(
                11, of: 1_000, on: server, killd: { try client.killAll($0.count) },
                peer: { try killLoop($0, over: loop) }
            ).measurement("\(name), \(server.name)", peer: "bare loop of `KILL n`", goal: "≤ 1.2")
        ]
    }
}

/// A client of DAS, over one connection that is kept.
private final class DASClient {
    private let server: Killd.Server
    private let conversation: HTTPConversation

    init(_ server: Killd.Server) throws {
        self.server = server
        conversation = try Killd.conversation(port: server.dasPort)
    }

    private struct Envelope<Content: Decodable>: Decodable {
        let Data: Content
    }

    /// Lists the sessions.
    ///
    /// - Returns: the time from the sending of the first call to the end of the
    ///   answer that has them.
    func list(atLeast count: Int) throws -> Duration {
        struct Begun: Decodable {
            let ResultId: String
        }
        struct Listing: Decodable {
            struct Sessions: Decodable {
                let TotalSessionCount: Int
            }
            let SessionData: Sessions
        }
        let start = ContinuousClock.now
        let id = try read(Begun.self, of: try exchange("GetMySQLAllSessionAsync")).ResultId
        let body = try poll(every: 500) { try exchange("GetMySQLAllSessionAsync", [("ResultId", id)]) }
        let time = ContinuousClock.now - start
        guard try read(Listing.self, of: body).SessionData.TotalSessionCount >= count else {
            throw BenchmarkError("not all sessions are listed")
        }
        return time
    }

    /// Kills all sessions of the application.
    ///
    /// - Returns: the time from the sending of the first call to the end of the
    ///   answer that tells what became of each.
    func killAll(_ count: Int) throws -> Duration {
        struct Result: Decodable {
            let TaskState: String
            let KillSuccessCount: Int
        }
        let start = ContinuousClock.now
        let created = try exchange(
            "CreateKillInstanceSessionTask",
            [
                ("DbUser", TargetServer.killer), ("DbUserPassword", TargetServer.password), ("KillAllSessions", "true"),
                ("IgnoredUsers", "['\(Bystanders.user)','root']"),
            ])
        let id = try read(String.self, of: created)
        // Each poll takes time from killd on the same processors.
        let body = try poll(every: 2_000) { try exchange("GetKillInstanceSessionTaskResult", [("TaskId", id)]) }
        let time = ContinuousClock.now - start
        let result = try read(Result.self, of: body)
        guard result.TaskState == "SUCCESS", result.KillSuccessCount == count else {
            throw BenchmarkError("the task ended as \(result.TaskState) with \(result.KillSuccessCount) kills")
        }
        return time
    }

    /// Asks until the response is not that something is running.
    ///
    /// - Parameter pause: in microseconds.
    private func poll(every pause: UInt32, _ ask: () throws -> [UInt8]) throws -> [UInt8] {
        while true {
            let body = try ask()
            // Short: what is finished tells of sessions.
            let isRunning = body.count < 20_000 && String(decoding: body, as: UTF8.self).contains("\"RUNNING\"")
            if !isRunning { return body }
            usleep(pause)
        }
    }

    private func read<Content: Decodable>(_ type: Content.Type, of body: [UInt8]) throws -> Content {
        do {
            return try JSONDecoder().decode(Envelope<Content>.self, from: Data(body)).Data
        } catch {
            throw BenchmarkError("killd answered \(String(decoding: body.prefix(1_000), as: UTF8.self))")
        }
    }

    private func exchange(_ action: String, _ parameters: [(name: String, value: String)] = []) throws -> [UInt8] {
        var pairs =
            [
                ("Action", action), ("Version", "2020-01-16"), ("Format", "JSON"), ("AccessKeyId", "AKIDBENCH"),
                ("SignatureMethod", "HMAC-SHA1"), ("SignatureVersion", "1.0"), ("SignatureNonce", UUID().uuidString),
                ("Timestamp", Date().formatted(.iso8601)), ("InstanceId", "cdb-bench"),
            ] + parameters
        let signature = try RPCSignature.signature(
            of: RPCSignature.stringToSign(httpMethod: "POST", parameters: pairs), secretKey: Secret("SKBENCH"))
        pairs.append(("Signature", RPCSignature.base64(signature)))
        let query = pairs.map { "\($0.0)=\($0.1.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")" }
        return try conversation.exchange(
            Array(
                """
                POST /?\(query.joined(separator: "&")) HTTP/1.1\r\nHost: 127.0.0.1:\(server.dasPort)\r\n\
                Content-Length: 0\r\n\r\n
                """.utf8)
        ).body
    }
}
