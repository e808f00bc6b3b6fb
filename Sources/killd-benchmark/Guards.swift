import Foundation

/// Prepare and Commit in the conditions that decide by which guard a session is
/// killed.
///
/// Not measured: `list-before` on MariaDB, which takes a server that has no room
/// for temporary tables.
func guards(_ killd: Killd, in folder: String) throws -> [Measurement] {
    let conditions = [
        Condition("query-id: MariaDB, sessions that ran a command", .mariadb, command: "DO 0"),
        Condition("list: MariaDB, sessions that never ran a command", .mariadb),
        Condition("thread-id: MySQL", .mysql),
        Condition("list: MySQL without performance_schema", .mysql, options: withoutPerformanceSchema),
        Condition(
            "list-before: MySQL without performance_schema, and somebody runs an emoji", .mysql,
            options: withoutPerformanceSchema, runningBeside: "SELECT SLEEP(600) /* \u{1F600} */"),
    ]
    return try conditions.map { condition in
        do {
            return try condition.measure(killd, in: folder)
        } catch let reason as NotMeasured {
            return Measurement(name: condition.name, killd: "\(reason)", goal: "≤ 1.2")
        }
    }
}

private let withoutPerformanceSchema = ["--performance-schema=OFF"]

private struct Condition {
    let name: String
    private let kind: TargetServer.Kind
    private let options: [String]
    private let command: String?
    private let foreignStatement: String?

    init(
        _ name: String, _ kind: TargetServer.Kind, options: [String] = [], command: String? = nil,
        runningBeside foreignStatement: String? = nil
    ) {
        self.name = name
        self.kind = kind
        self.options = options
        self.command = command
        self.foreignStatement = foreignStatement
    }

    func measure(_ killd: Killd, in folder: String) throws -> Measurement {
        let server = try TargetServer(kind, options: options)
        defer { server.stop() }
        if let foreignStatement {
            // It ends with the server.
            Thread.detachNewThread {
                guard let connection = try? server.connect(as: Bystanders.user) else { return }
                try? connection.execute("SET NAMES utf8mb4")
                try? connection.execute(foreignStatement)
            }
        }
        return try againstLoop(killd, in: folder, thatRan: command, on: server, port: server.port)
            .measurement(name, peer: "bare loop of `KILL n`", goal: "≤ 1.2")
    }
}
