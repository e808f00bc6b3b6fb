import APIClient
import Foundation
import PrivateDatabase

/// killd up to the reading of parameters against nginx, which answers with as many bytes and
/// does nothing else, and against Node.js doing the same work. The same load
/// generator sends all of them the same signed request.
func signedRequests(_ killd: Killd, in folder: String) throws -> [Measurement] {
    let server = try Killd.Server(killd, configuration: try Killd.configuration(in: folder, databasePort: 1))
    defer { server.stop() }
    let nginx = try Nginx(answerSize: 170, in: folder)
    defer { nginx.stop() }

    let request = try SignedCall.missingParameter(port: server.port)
    let node = try NodePeer(answer: try answer(to: request, on: server.port))
    defer { node?.stop() }
    func measure(port: UInt16) throws -> LoadFigures { try measureLoad(request, on: port, seconds: 3, in: folder) }
    // In turns, so that a change of the machine's speed meets all.
    var turns: [(killd: LoadFigures, nginx: LoadFigures, node: LoadFigures?)] = []
    for _ in 0..<5 {
        turns.append(
            (
                try measure(port: server.port), try measure(port: nginx.port),
                try node.map { try measure(port: $0.port) }
            ))
    }
    let (rate, latency) = (median(turns.map(\.killd.rate)), median(turns.map(\.killd.p99)))
    let withNode = turns.compactMap { turn in turn.node.map { (killd: turn.killd, node: $0) } }
    return [
        Measurement(
            name: "signed requests a second (wrk -t1 -c32), median of 5 turns", killd: whole(rate),
            peer: "nginx, one worker, `return 200`: \(whole(median(turns.map(\.nginx.rate))))",
            ratio: decimal(median(turns.map { $0.killd.rate / $0.nginx.rate })), goal: "≥ 0.5"),
        Measurement(
            name: "p99 latency of the same", killd: "\(decimal(latency)) ms",
            peer: "nginx: \(decimal(median(turns.map(\.nginx.p99)))) ms",
            ratio: decimal(median(turns.map { $0.killd.p99 / $0.nginx.p99 })), goal: "≤ 3"),
        Measurement(
            name: "the same requests a second against Node.js", killd: whole(rate),
            peer: withNode.isEmpty
                ? "no Node.js on this machine"
                : "Node.js's http, the same work: \(whole(median(withNode.map(\.node.rate))))",
            ratio: withNode.isEmpty ? "–" : decimal(median(withNode.map { $0.killd.rate / $0.node.rate })),
            goal: "≥ 1.5"),
    ]
}

func answer(to request: SignedCall, on port: UInt16) throws -> String {
    let client = try LoopbackSocket.connected(to: port)
    client.setDeadline(seconds: 10)
    try client.send(request.message)
    let answer = String(decoding: client.receive() ?? [], as: UTF8.self)
    guard let end = answer.firstRange(of: "\r\n\r\n") else { throw BenchmarkError("no answer") }
    return String(answer[end.upperBound...])
}

/// Both versions of the signature, over one connection and over 64.
func signatureVersions(_ killd: Killd, in folder: String) throws -> [Measurement] {
    let server = try Killd.Server(killd, configuration: try Killd.configuration(in: folder, databasePort: 1))
    defer { server.stop() }
    let nginx = try Nginx(answerSize: 170, in: folder)
    defer { nginx.stop() }

    let requests = [
        ("TC3", try SignedCall.missingParameter(port: server.port)),
        ("V1 (HmacSHA256, form)", try SignedCall.missingParameterAsForm(port: server.port)),
    ]
    var measurements: [Measurement] = []
    for connections in [1, 64] {
        for (version, request) in requests {
            measurements.append(
                try rate(
                    "requests a second signed with \(version), \(connections) connection(s)",
                    againstNginxWith: "`return 200`", goal: "–"
                ) { isKilld in
                    try load(
                        request, on: isKilld ? server.port : nginx.port, connections: connections, seconds: 2,
                        in: folder)
                })
        }
    }
    return measurements
}

/// Requests a second of killd and of nginx in turns.
///
/// - Parameter load: measures killd's rate if it is given `true`, and nginx's otherwise.
func rate(
    _ name: String, againstNginxWith answer: String, goal: String, _ load: (_ isKilld: Bool) throws -> Double
) throws -> Measurement {
    var turns: [(killd: Double, nginx: Double)] = []
    for _ in 0..<5 { turns.append((try load(true), try load(false))) }
    return Measurement(
        name: "\(name), median of 5 turns", killd: whole(median(turns.map(\.killd))),
        peer: "nginx, one worker, \(answer): \(whole(median(turns.map(\.nginx))))",
        ratio: decimal(median(turns.map { $0.killd / $0.nginx })), goal: goal)
}
