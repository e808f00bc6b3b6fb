import Foundation
import ODPDouble

/// The ends of sessions behind an OceanBase Database Proxy that is far away,
/// where every session takes a statement of its own.
///
/// The proxy is the tests' double, which ends a session at once: what a real
/// one takes for that, up to a second or so, comes on top for both.
func proxyKills(_ killd: Killd, in folder: String) throws -> [Measurement] {
    let odp = try ODPDouble()
    defer { odp.stop() }
    let way = try DelayingProxy(to: odp.port, delay: .milliseconds(2))
    defer { way.stop() }
    let configuration = try Killd.configuration(
        in: folder, databasePort: way.port, user: "root@sys", kind: "oceanbase-odp")
    let service = try Killd.Server(killd, configuration: configuration)
    defer { service.stop() }
    let client = try KillClient(service)
    let loop = try DatabaseConnection(.port(way.port), user: "root@sys", password: TargetServer.password)
    let bystanders = try (0..<10).map { _ in try session(of: "other@t2", on: odp) }

    var pairs: [(killd: Duration, peer: Duration)] = []
    func turn(_ kill: ([UInt]) throws -> Duration) throws -> Duration {
        let victims = try (0..<500).map { _ in try session(of: "app@t1", on: odp) }
        let time = try withExtendedLifetime(victims) { try kill(victims.map(\.threadID)) }
        for bystander in bystanders { try bystander.execute("DO 0") }
        guard odp.sessions(of: "app").isEmpty else { throw BenchmarkError("sessions outlived their KILL") }
        return time
    }
    for _ in 0..<11 {
        pairs.append(
            (
                try turn { try client.kill($0) },
                try turn { try killLoop($0, over: loop, statement: "KILL PROXYSESSION") }
            ))
    }
    return [
        Measurement(
            name:
                "Prepare and Commit of 500 sessions behind ODP (a double), 2 ms further away each way, median of 11 turns",
            killd: milliseconds(median(pairs.map(\.killd))),
            peer: "bare loop of `KILL PROXYSESSION n`: \(milliseconds(median(pairs.map(\.peer))))",
            ratio: decimal(median(pairs.map { $0.killd / $0.peer })), goal: "≤ 0.10")
    ]
}

private func session(of user: String, on odp: ODPDouble) throws -> DatabaseConnection {
    try DatabaseConnection(.port(odp.port), user: user, password: TargetServer.password)
}
