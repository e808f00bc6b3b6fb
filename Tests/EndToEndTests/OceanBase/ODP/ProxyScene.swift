import Foundation
import ODPDouble
import SessionKill
import TestSupport
import XCTest

/// A killd that serves one double of ODP.
struct ProxyScene {
    let odp: ODPDouble
    let killd: KilldProcess
    /// Between killd and the double.
    let way: TCPProxy

    var client: SigningClient { get throws { try SigningClient(killd) } }

    func check() async throws -> FinishedProgram {
        try await KilldProcess.run(["check", "--config", killd.configurationFile])
    }

    /// Prepares and commits.
    ///
    /// - Returns: what Commit's `Threads` lists, and the outcomes by id.
    func kill(_ threads: [ThreadID]) throws -> (killed: [ThreadID]?, outcomes: [ThreadID: String]) {
        try commit(client.prepare(threads).ticket())
    }

    func commit(_ ticket: String) throws -> (killed: [ThreadID]?, outcomes: [ThreadID: String]) {
        let answer = try client.commit(ticket)
        XCTAssertNil(answer.Error, "\(answer)")
        let threads = try client.describe(ticket: ticket).Threads
        return (answer.Threads, threads.reduce(into: [:]) { $0[$1.Id] = $1.Outcome })
    }
}

/// Runs `body` with a killd on a double of ODP.
///
/// Sessions of two tenants that no test means to kill must answer afterwards, and killd must end with status 0.
func withProxy(
    _ change: (inout ODPDouble.Settings) -> Void = { _ in },
    configure: (inout KilldConfiguration) -> Void = { _ in }, file: StaticString = #filePath, line: UInt = #line,
    _ body: (ProxyScene) async throws -> Void
) async throws {
    var settings = ODPDouble.Settings()
    change(&settings)
    let odp = try ODPDouble(settings)
    let way = try TCPProxy(to: odp.port)
    var configuration = KilldConfiguration(port: way.port)
    configuration.instances[0].kind = "oceanbase-odp"
    configuration.instances[0].user = "root@sys#obdemo"
    configure(&configuration)
    let bystanders = [
        try await ProxyClients.open(3, on: odp, as: "app@t1"), try await ProxyClients.open(2, on: odp, as: "app@t2"),
    ]
    let killd = try await KilldProcess.start(configuration)
    try await body(ProxyScene(odp: odp, killd: killd, way: way))
    for each in bystanders { await each.assertAllAnswer(file: file, line: line) }
    try await killd.stop(file: file, line: line)
    way.stop()
}
