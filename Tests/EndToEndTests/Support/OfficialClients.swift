import Foundation
import TestSupport
import XCTest

/// Runs the programs in `Clients`.
enum OfficialClients {
    private static let python = ProcessInfo.processInfo.environment["KILLD_PYTHON"]

    static func require() throws {
        try XCTSkipIf(python == nil, "needs KILLD_PYTHON: a Python with the packages of Clients/requirements.txt")
    }

    /// The Python that has the clients.
    static func interpreter() throws -> String { try XCTUnwrap(python) }

    /// - Returns: what the program printed.
    @discardableResult
    static func run(
        _ program: String, _ arguments: [String], _ scene: Scene, trusting ca: String? = nil
    ) async throws -> String {
        try await run(program, arguments, scene.killd, trusting: ca)
    }

    /// - Parameter ca: the PEM file of who certifies killd, if it serves HTTPS.
    @discardableResult
    static func run(
        _ program: String, _ arguments: [String], _ killd: KilldProcess, trusting ca: String? = nil
    ) async throws -> String {
        var environment = try killd.credentials()
        environment["KILLD_DATABASE_PASSWORD"] = RealServer.password
        environment["KILLD_CA"] = ca
        environment["SSL_CERT_FILE"] = ca
        if let reader = killd.configuration.accounts.last {
            environment["KILLD_UNAUTHORIZED_SECRET_ID"] = reader.secretId
            environment["KILLD_UNAUTHORIZED_SECRET_KEY"] = reader.secretKey
        }
        return try await run(
            program, ["--endpoint", killd.endpoint, "--instance", "cdb-test"] + arguments, environment)
    }

    /// - Returns: what the program printed.
    @discardableResult
    static func run(
        _ program: String, _ arguments: [String], _ environment: [String: String]
    ) async throws -> String {
        let path = try XCTUnwrap(Bundle.module.path(forResource: program, ofType: nil, inDirectory: "Clients"))
        let client = try await FinishedProgram.run(
            interpreter(), [path] + arguments, environment: environment, within: .seconds(180))
        XCTAssertEqual(client.status, 0, "\(program): \(client.error)")
        return client.output
    }
}

/// Runs `body` on every kind of server with a killd that has a second account, which may only list.
func withOfficialClients(_ body: (Scene) async throws -> Void) async throws {
    try OfficialClients.require()
    let configure = { (configuration: inout KilldConfiguration) in
        configuration.requestsPerSecond = nil
        configuration.accounts.append(.init(name: "reader"))
        configuration.accounts[1].may = ["list"]
    }
    try await withKilld(configure: configure, body)
}
