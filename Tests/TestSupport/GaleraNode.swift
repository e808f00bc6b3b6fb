import Foundation
import MySQLSessions
import PrivateDatabase
import XCTest

/// A node of a Galera cluster, whose only other member is an arbitrator.
///
/// Of two members one alone has no quorum, so the node loses it when the arbitrator dies.
public struct GaleraNode: Sendable {
    public let server: RealServer
    private let address: String
    private static let provider = "/usr/lib/galera/libgalera_smm.so"
    private static let cluster = "killd-tests"

    /// Starts the node as a cluster of its own, which has the quorum.
    ///
    /// - Throws: `XCTSkip` in words if this machine lacks what the node needs.
    public static func start() async throws -> GaleraNode {
        guard FileManager.default.fileExists(atPath: provider) else {
            throw XCTSkip("Galera: \(provider) is missing (package galera-4)")
        }
        let address = "127.0.0.1:\(try PrivateDatabase.freePort())"
        let settings = [
            "gmcast.listen_addr=tcp://\(address)", "evs.keepalive_period=PT0.3S", "evs.inactive_check_period=PT0.3S",
            "evs.suspect_timeout=PT1S", "evs.inactive_timeout=PT2S",
        ]
        let node = GaleraNode(
            server: try RealServer.start(
                .mariadb,
                options: [
                    "--wsrep-on=ON", "--wsrep-provider=\(provider)", "--wsrep-cluster-address=gcomm://",
                    "--wsrep-cluster-name=\(cluster)", "--wsrep-node-address=\(address)", "--binlog-format=ROW",
                    "--innodb-autoinc-lock-mode=2", "--wsrep-provider-options=\(settings.joined(separator: ";"))",
                ]),
            address: address)
        try await node.waitForStatus("Primary")
        return node
    }

    /// Starts the arbitrator, waits until it belongs to the cluster, and kills it.
    public func loseQuorum() async throws {
        let program = "/usr/bin/garbd"
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw XCTSkip("Galera: \(program) is missing (package galera-arbitrator-4)")
        }
        let arbitrator = try RunningProgram(
            program,
            [
                "--address", "gcomm://\(address)", "--group", Self.cluster, "--workdir", server.database.folder,
                "--options", "gmcast.listen_addr=tcp://127.0.0.1:\(try PrivateDatabase.freePort())",
            ])
        try await wait(for: "wsrep_cluster_size", "2")
        arbitrator.send(SIGKILL)
        try await waitForStatus("non-Primary")
    }

    private func waitForStatus(_ status: String) async throws { try await wait(for: "wsrep_cluster_status", status) }

    private func wait(for variable: String, _ value: String) async throws {
        let root = try await server.administrator()
        try await eventually("\(variable) \(value)", within: .seconds(60)) {
            try await root.query("SHOW GLOBAL STATUS LIKE '\(variable)'").first?.rows.first?.last == value
        }
        await root.close()
    }
}
