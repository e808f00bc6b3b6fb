import APIClient
import Foundation

/// Lists of instances, which consoles ask for again and again, against nginx,
/// which answers with as many bytes and asks no server.
func instanceLists(_ killd: Killd, in folder: String) throws -> [Measurement] {
    let database = try TargetServer(.mariadb)
    defer { database.stop() }
    let server = try Killd.Server(
        killd, configuration: try Killd.configuration(in: folder, databasePort: database.port))
    defer { server.stop() }
    let request = try SignedCall.instanceList(port: server.port)
    let answer = try answer(to: request, on: server.port)
    guard answer.contains("\"attached\"") else { throw BenchmarkError("the instance is not there: \(answer)") }
    let nginx = try Nginx(answerSize: answer.utf8.count, in: folder)
    defer { nginx.stop() }

    return [
        try rate(
            "DescribeDiagDBInstances a second (wrk -t1 -c32)", againstNginxWith: "`return 200` of the same size",
            goal: "≥ 0.3"
        ) { isKilld in try load(request, on: isKilld ? server.port : nginx.port, seconds: 3, in: folder) }
    ]
}
