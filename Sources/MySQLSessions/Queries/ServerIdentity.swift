import SessionKill

// What tells a server process from every other.
extension MySQLConnection {
    /// The expression for `Uptime` in the statement that tells the time: counted from when that statement began, it
    /// gives the second of the start exactly. MySQL's table lacks `Com_xa_prepare`, which SHOW has.
    var uptimeExpression: String {
        guard rights.oceanBase == nil else { return "NULL" }
        let schema = rights.isMariaDB ? "information_schema" : "performance_schema"
        return "(SELECT VARIABLE_VALUE FROM \(schema).global_status WHERE VARIABLE_NAME='Uptime')"
    }

    static let statusVariables = [
        "Uptime", "Connections", "Performance_schema_thread_instances_lost", "Com_xa_prepare",
    ].map { "'\($0)'" }.joined(separator: ",")

    /// The statement for the variables that a fingerprint needs. SHOW leaves out a variable that this server does not
    /// have, where SELECT @@… fails; but it makes a table of a thousand rows first, half of what a snapshot costs. So
    /// it is only asked which of them there are.
    var variableQuery: String {
        guard let presentVariables else {
            let names = Self.fingerprintVariables.map { "'\($0)'" }.joined(separator: ",")
            return "SHOW GLOBAL VARIABLES WHERE Variable_name IN (\(names))"
        }
        return "SELECT " + presentVariables.map { "@@global.\($0) AS \($0)" }.joined(separator: ",")
    }

    func namedVariables(_ response: MySQLResult) throws(ServerError) -> Variables {
        if let presentVariables {
            return try Variables(presentVariables, try Rows(response, "the server's variables").only())
        }
        let variables = try Variables(response)
        presentVariables = Self.fingerprintVariables.filter { variables[$0] != nil }
        return variables
    }

    private static let fingerprintVariables = [
        "server_uuid", "server_uid", "hostname", "port", "server_id", "version", "performance_schema_show_processlist",
    ]

    /// When the server process started.
    struct Start {
        /// Unix time in seconds.
        let time: Int64
        /// Seconds since then.
        let uptime: Int64
        let mark: String?
    }

    /// When the server process started, by what it says now.
    ///
    /// - Parameter now: the time, and what ``ServerFingerprint/startMark`` is to be.
    func start(status: Variables, now: OnlyRow) throws(ServerError) -> Start {
        let mark = try now.text("started")
        guard mark?.utf8.count ?? 0 <= Self.longestStartMark else { throw .senseless("its start") }
        let start: Start
        if rights.oceanBase != nil, let microseconds: Int64 = try now.integerIfAny("started") {
            let time = microseconds / 1_000_000
            start = Start(time: time, uptime: try Self.difference(try now.integer("now"), time), mark: mark)
        } else {
            let (clock, told): (Int64, Int64?) = (try now.integer("now"), try now.integerIfAny("uptime"))
            let uptime = if let told { told } else { try status.integer("uptime") as Int64 }
            guard uptime >= 0 else { throw .senseless("Uptime", "\(uptime)") }
            start = Start(time: try Self.difference(clock, uptime), uptime: uptime, mark: mark)
        }
        guard UnixTime(seconds: start.time) != nil else { throw .senseless("its start", "\(start.time)") }
        return start
    }

    /// The most bytes of what a server draws or calls its start: a UUID() has 36, and microseconds 16.
    private static let longestStartMark = 64

    /// The expression for what the server drew for this session when it was set up.
    var drawExpression: String { rights.oceanBase == nil ? SessionVariables.draw : "NULL" }

    /// Which connection answers.
    ///
    /// - Parameter now: the answer to ``drawExpression``.
    func identity(_ now: OnlyRow) throws(ServerError) -> ConnectionIdentity? {
        guard let draw = try now.text("draw"), draw.utf8.count <= Self.longestStartMark else { return nil }
        return ConnectionIdentity(number: number, threadID: threadID, draw: draw)
    }

    private static func difference(_ time: Int64, _ other: Int64) throws(ServerError) -> Int64 {
        let (difference, isBeyond) = time.subtractingReportingOverflow(other)
        guard !isBeyond else { throw .senseless("its start") }
        return difference
    }

    func fingerprint(
        variables: Variables, status: Variables, _ start: Start
    ) throws(ServerError) -> ServerFingerprint {
        let uniqueID = ["server_uuid", "server_uid"].first { variables[$0] != nil }
        return ServerFingerprint(
            uniqueID: try uniqueID.map { name throws(ServerError) in try variables.name(name) },
            hostname: try variables.name("hostname"), port: try variables.integer("port"),
            serverID: try variables.integer("server_id"), version: try variables.name("version"),
            startedAt: start.time,
            connectionCount: rights.oceanBase == nil ? try status.integer("connections") : nil, startMark: start.mark)
    }
}
