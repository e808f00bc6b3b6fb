import Foundation

/// Prepare and Commit, with all that killd checks and records, against
/// statements that are sent and believed.
func kills(_ killd: Killd, in folder: String) throws -> [Measurement] {
    let name = "Prepare and Commit of 1000 idle sessions"
    return try onEachServer(name, goal: "≤ 1.2") { server in
        [
            try againstLoop(killd, in: folder, on: server, port: server.port)
                .measurement("\(name), \(server.name)", peer: "bare loop of `KILL n`", goal: "≤ 1.2")
        ]
    }
}

/// The same where every round trip takes time: what is asked one by one adds up.
func killsFarAway(_ killd: Killd, in folder: String) throws -> [Measurement] {
    let name = "Prepare and Commit of 1000 idle sessions, 2 ms further away each way"
    return try onEachServer(name, goal: "≤ 0.10") { server in
        let proxy = try DelayingProxy(to: server.port, delay: .milliseconds(2))
        defer { proxy.stop() }
        return [
            try againstLoop(killd, in: folder, on: server, port: proxy.port)
                .measurement("\(name), \(server.name)", peer: "bare loop of `KILL n`", goal: "≤ 0.10")
        ]
    }
}

/// - Parameters:
///   - command: what the sessions have run before; nothing if nil.
///   - port: where both reach the server.
func againstLoop(
    _ killd: Killd, in folder: String, thatRan command: String? = nil, on server: TargetServer, port: UInt16
) throws -> KillTurns {
    let service = try Killd.Server(killd, configuration: try Killd.configuration(in: folder, databasePort: port))
    defer { service.stop() }
    let client = try KillClient(service)
    let loop = try server.connect(as: TargetServer.killer, port: port)
    return try KillTurns(
        11, of: 1_000, thatRan: command, on: server, killd: { try client.kill($0) },
        peer: { try killLoop($0, over: loop) })
}
