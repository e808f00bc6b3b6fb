import Foundation
import PrivateDatabase

/// The front of the house against nginx: the same load generator sends both the
/// same signed request, and both answer with as many bytes.
func signedRequests(_ killd: Killd, in folder: String) throws -> [Measurement] {
    let server = try Killd.Server(killd, configuration: try Killd.configuration(in: folder, databasePort: 1))
    defer { server.stop() }
    let nginx = try Nginx(answerSize: 170, in: folder)
    defer { nginx.stop() }

    let request = try SignedRequest.missingParameter(port: server.port)
    func rate(port: UInt16) throws -> Double { try load(request, on: port, seconds: 3, in: folder) }
    // In turns, so that a change of the machine's speed meets both.
    var pairs: [(killd: Double, nginx: Double)] = []
    for _ in 0..<5 { pairs.append((try rate(port: server.port), try rate(port: nginx.port))) }
    return [
        Measurement(
            name: "signed requests a second (wrk -t1 -c32), median of 5 turns",
            killd: whole(median(pairs.map(\.killd))),
            peer: "nginx, one worker, `return 200`: \(whole(median(pairs.map(\.nginx))))",
            ratio: decimal(median(pairs.map { $0.killd / $0.nginx })), goal: "≥ 0.35")
    ]
}

/// Both versions of the signature, over one connection and over 64.
func signatureVersions(_ killd: Killd, in folder: String) throws -> [Measurement] {
    let server = try Killd.Server(killd, configuration: try Killd.configuration(in: folder, databasePort: 1))
    defer { server.stop() }
    let nginx = try Nginx(answerSize: 170, in: folder)
    defer { nginx.stop() }

    let requests = [
        ("TC3", try SignedRequest.missingParameter(port: server.port)),
        ("V1 (HmacSHA256, form)", try SignedRequest.missingParameterAsForm(port: server.port)),
    ]
    var measurements: [Measurement] = []
    for connections in [1, 64] {
        for (version, request) in requests {
            func rate(port: UInt16) throws -> Double {
                try load(request, on: port, connections: connections, seconds: 2, in: folder)
            }
            var pairs: [(killd: Double, nginx: Double)] = []
            for _ in 0..<5 { pairs.append((try rate(port: server.port), try rate(port: nginx.port))) }
            measurements.append(
                Measurement(
                    name: "requests a second signed with \(version), \(connections) connection(s), median of 5 turns",
                    killd: whole(median(pairs.map(\.killd))),
                    peer: "nginx, one worker, `return 200`: \(whole(median(pairs.map(\.nginx))))",
                    ratio: decimal(median(pairs.map { $0.killd / $0.nginx })), goal: "–"))
        }
    }
    return measurements
}
