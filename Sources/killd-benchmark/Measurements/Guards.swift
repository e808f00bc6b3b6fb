/// Prepare and Commit in the conditions that decide by which guard a session is
/// killed.
func guards(_ killd: Killd, in folder: String) throws -> [Measurement] {
    let conditions = [
        Condition("query-id: MariaDB, sessions that ran a command", .mariadb, command: "DO 0"),
        Condition("list: MariaDB, sessions that never ran a command", .mariadb),
        Condition("thread-id: MySQL", .mysql),
        Condition("list: MySQL without performance_schema", .mysql, options: ["--performance-schema=OFF"]),
        Condition(
            "list-before: the same, and a session runs an emoji", .mysql, options: ["--performance-schema=OFF"],
            runsEmoji: true),
    ]
    return try conditions.map { condition in
        do {
            return try condition.measure(killd, in: folder)
        } catch let reason as NotMeasured {
            return Measurement(name: condition.name, killd: "\(reason)", goal: "≤ 1.2")
        }
    }
}

private struct Condition {
    let name: String
    private let kind: TargetServer.Kind
    private let options: [String]
    private let command: String?
    private let runsEmoji: Bool

    init(
        _ name: String, _ kind: TargetServer.Kind, options: [String] = [], command: String? = nil,
        runsEmoji: Bool = false
    ) {
        self.name = name
        self.kind = kind
        self.options = options
        self.command = command
        self.runsEmoji = runsEmoji
    }

    func measure(_ killd: Killd, in folder: String) throws -> Measurement {
        let server = try TargetServer(kind, options: options)
        defer { server.stop() }
        if runsEmoji { try server.runEmoji() }
        return try againstLoop(killd, in: folder, thatRan: command, on: server, port: server.port)
            .measurement(name, peer: "bare loop of `KILL n`", goal: "≤ 1.2")
    }
}
