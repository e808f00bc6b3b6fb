import Foundation
import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// A client of DAS, as one of killd's accounts.
struct DASClient {
    let killd: KilldProcess
    var account = KilldConfiguration.Account(name: "ci")
    var instance = "cdb-test"

    struct Answer {
        let status: Int
        let body: [String: Any]

        var data: [String: Any] { body["Data"] as? [String: Any] ?? [:] }
        var text: String { body["Data"] as? String ?? "" }
        var code: String { body["Code"] as? String ?? "" }
    }

    /// - Parameter parameters: besides `InstanceId`.
    func call(_ action: String, _ parameters: [DASRequest.Pair] = []) throws -> Answer {
        let request = DASRequest(
            action, [("InstanceId", instance)] + parameters, timestamp: Int64(Date().timeIntervalSince1970)
        ).with {
            $0.host = "127.0.0.1:\(killd.dasPort)"
            $0.accessKeyID = account.secretId
            $0.accessKeySecret = account.secretKey
        }
        let connection = try TestClient(port: killd.dasPort)
        connection.send(try request.signedV3().message)
        let answer = try XCTUnwrap(connection.receive())
        let parts = answer.components(separatedBy: "\r\n\r\n")
        let body = try JSONSerialization.jsonObject(with: Data(parts.dropFirst().joined(separator: "\r\n\r\n").utf8))
        return Answer(
            status: Int(parts[0].split(separator: " ")[1]) ?? 0, body: try XCTUnwrap(body as? [String: Any], answer))
    }

    /// Creates a task that kills as `user`.
    func create(
        _ parameters: [DASRequest.Pair], as user: String = DASScene.killer,
        password: String = DASScene.killersPassword
    ) throws -> Answer {
        try call("CreateKillInstanceSessionTask", [("DbUser", user), ("DbUserPassword", password)] + parameters)
    }

    func result(_ task: String, node: String? = nil) throws -> Answer {
        try call(
            "GetKillInstanceSessionTaskResult", [("TaskId", task)] + (node.map { [("NodeId", $0)] } ?? []))
    }

    /// Waits for the end of a task.
    func ended(_ task: String, node: String? = nil) async throws -> TaskResult {
        var result: TaskResult?
        try await eventually("the end of the task") {
            let answer = try self.result(task, node: node)
            guard answer.status == 200 else { throw DASFailure("\(answer)") }
            result = try TaskResult(answer.data)
            return result?.state != "RUNNING"
        }
        return try XCTUnwrap(result)
    }
}

struct DASFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// What GetKillInstanceSessionTaskResult tells.
struct TaskResult {
    let state: String
    let sessions: [Int]
    let counts: [Int]
    let rows: [[String: Any]]

    init(_ data: [String: Any]) throws {
        state = try XCTUnwrap(data["TaskState"] as? String)
        sessions = try XCTUnwrap(data["Sessions"] as? [Int])
        counts = try ["KillSuccessCount", "KillFailCount", "IgnoredUserSessionCount"].map {
            try XCTUnwrap(data[$0] as? Int)
        }
        rows = try XCTUnwrap(data["Result"] as? [[String: Any]])
    }

    var reasons: [ThreadID: String] {
        rows.reduce(into: [:]) { reasons, row in
            guard let id = (row["Id"] as? Int).flatMap({ ThreadID($0) }) else { return }
            reasons[id] = row["Reason"] as? String
        }
    }
}

enum DASScene {
    /// An account that may kill anybody, with a password that stands nowhere else.
    static let killer = "dba"
    static let killersPassword = "s3cret ~*+/%&='\"é"
}

/// Runs `body` on every kind of server with a killd that has a listener for clients of DAS.
func withDAS(
    configure: (inout KilldConfiguration) -> Void = { _ in }, file: StaticString = #filePath, line: UInt = #line,
    _ body: (Scene, DASClient) async throws -> Void
) async throws {
    try await onEveryServer { server in
        try await withDAS(on: server, configure: configure, file: file, line: line, body)
    }
}

func withDAS(
    on server: RealServer, configure: (inout KilldConfiguration) -> Void = { _ in }, file: StaticString = #filePath,
    line: UInt = #line, _ body: (Scene, DASClient) async throws -> Void
) async throws {
    var configuration = KilldConfiguration(port: server.database.port)
    configuration.das = .init()
    configure(&configuration)
    try await server.createKiller()
    try await withKilld(configuration, on: server, file: file, line: line) { scene in
        try await body(scene, DASClient(killd: scene.killd))
    }
}

extension RealServer {
    fileprivate func createKiller() async throws {
        let root = try await administrator()
        let password = DASScene.killersPassword.replacingOccurrences(of: "'", with: "''")
        let privilege = kind == .mariadb ? "CONNECTION ADMIN" : "CONNECTION_ADMIN"
        try await root.query("CREATE USER IF NOT EXISTS \(DASScene.killer)@'%' IDENTIFIED BY '\(password)'")
        try await root.query("GRANT PROCESS, \(privilege) ON *.* TO \(DASScene.killer)@'%'")
        await root.close()
        try await remember(DASScene.killer, password: DASScene.killersPassword)
    }
}

extension Scene {
    /// The client's address and port as the server shows them. MySQL's information_schema.PROCESSLIST would fail while
    /// any session runs a statement beyond utf8mb3.
    func shownHost(of id: ThreadID) async throws -> String {
        let rows = try await administrator.query("SHOW PROCESSLIST").first?.rows ?? []
        return try XCTUnwrap(rows.first { $0[0] == id.description }?[2])
    }
}

/// As `SessionIds` and its like are written.
func list(_ ids: [ThreadID]) -> String { "[" + ids.map(\.description).joined(separator: ",") + "]" }
