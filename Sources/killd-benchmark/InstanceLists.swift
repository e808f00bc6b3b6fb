import Foundation

/// Lists of instances, which consoles ask for again and again, against nginx,
/// which answers with as many bytes and asks no server.
func instanceLists(_ killd: Killd, in folder: String) throws -> [Measurement] {
    let database = try TargetServer(.mariadb)
    defer { database.stop() }
    let server = try Killd.Server(
        killd, configuration: try Killd.configuration(in: folder, databasePort: database.port))
    defer { server.stop() }
    let request = try SignedRequest.instanceList(port: server.port)
    let answer = try answer(to: request, on: server.port)
    guard answer.contains("\"attached\"") else { throw BenchmarkError("the instance is not there: \(answer)") }
    let nginx = try Nginx(answerSize: answer.utf8.count, in: folder)
    defer { nginx.stop() }

    func rate(port: UInt16) throws -> Double { try load(request, on: port, seconds: 3, in: folder) }
    var turns: [(killd: Double, nginx: Double)] = []
    for _ in 0..<5 { turns.append((try rate(port: server.port), try rate(port: nginx.port))) }
    return [
        Measurement(
            name: "DescribeDiagDBInstances a second (wrk -t1 -c32), median of 5 turns",
            killd: whole(median(turns.map(\.killd))),
            peer: "nginx, one worker, `return 200` of the same size: \(whole(median(turns.map(\.nginx))))",
            ratio: decimal(median(turns.map { $0.killd / $0.nginx })), goal: "≥ 0.3")
    ]
}
