import MySQLWire

enum Columns {
    static let list = [
        Column("proxy_sessid", .longLong), Column("Id", .longLong), Column("Cluster"), Column("Tenant"),
        Column("User"), Column("Host"), Column("db"), Column("trans_count", .longLong),
        Column("svr_session_count", .longLong), Column("state"), Column("tid", .longLong), Column("pid", .long),
        Column("using_ssl", .long),
    ]
    static let processList = [
        Column("Id", .longLong), Column("Tenant"), Column("User"), Column("Host"), Column("db"),
        Column("trans_count", .longLong), Column("svr_session_count", .longLong), Column("state"),
        Column("tid", .longLong), Column("pid", .long),
    ]
    static let serverProcessList = [
        Column("Id", .longLong), Column("User"), Column("Host"), Column("db"), Column("Command"),
        Column("Time", .longLong), Column("State"), Column("Info"),
    ]
    static let attributes = [Column("attribute_name"), Column("value"), Column("info")]
}

extension ODPDouble.Session {
    /// A text, not NULL.
    private var databaseText: String { database ?? "NULL" }
    private var state: String { "MCS_ACTIVE_READER" }

    func listRow(process: Int, withSSL: Bool) -> [String?] {
        let row = [
            String(proxySessionID), String(id), cluster, tenant, user, host, databaseText, String(transactionCount),
            String(connections.count), state, String(process), String(process),
        ]
        return withSSL ? row + ["0"] : row
    }

    var processListRow: [String?] {
        [
            String(id), tenant, user, host, databaseText, String(transactionCount), String(connections.count), state,
            "1", "1",
        ]
    }

    var serverProcessListRows: [[String?]] {
        connections.map {
            [String($0.serverID), user, "10.0.0.9:1", databaseText, $0.command, "0", $0.state, $0.statement]
        }
    }

    /// In the order of the manual's example; here proxy_sessid is signed.
    func attributes(process: Int) -> Answer {
        func group(_ info: String, _ values: KeyValuePairs<String, String>) -> [[String?]] {
            values.map { [$0.key, $0.value, info] }
        }
        let (ip, port) =
            host.split(separator: ":").count == 2
            ? (String(host.split(separator: ":")[0]), String(host.split(separator: ":")[1])) : (host, "0")
        var rows = group(
            "cs common",
            [
                "proxy_sessid": String(Int64(bitPattern: proxySessionID)), "cs_id": String(id), "cluster": cluster,
                "tenant": tenant, "user": user, "host_ip": ip, "host_port": port, "db": databaseText,
                "total_trans_cnt": String(transactionCount), "svr_session_cnt": String(connections.count),
                "active": "true", "read_state": state, "tid": String(process), "pid": String(process), "idc_name": "",
            ])
        rows += group("cs stat", ["modified_time": "0", "reported_time": "0"])
        rows += group(
            "cs var version",
            [
                "hot_sys_var_version": "0", "sys_var_version": "2", "user_var_version": "0",
                "last_insert_id_version": "0", "db_name_version": "0",
            ])
        for (index, connection) in connections.enumerated() {
            rows += group(
                index == 0 ? "last used ss" : "ss pool [\(index - 1)]",
                [
                    "server_ip": connection.address.0, "server_port": String(connection.address.1),
                    "server_sessid": String(connection.serverID), "ss_id": String(connection.id),
                    "state": "MSS_KA_CLIENT_SLAVE", "transact_count": "2", "server_trans_stat": "0",
                    "hot_sys_var_version": "0", "sys_var_version": "2", "user_var_version": "0",
                    "last_insert_id_version": "0", "db_name_version": "0", "is_checksum_supported": "1",
                    "is_safe_read_weak_supported": "0", "is_checksum_switch_supported": "1", "checksum_switch": "1",
                    "enable_extra_ok_packet_for_stats": "1",
                ])
        }
        return .rows(Columns.attributes, rows)
    }
}

extension ODPDouble.Connection {
    func value(of column: String, proxySessionID: UInt64) -> String? {
        switch column {
        case "id": String(serverID)
        case "command": command
        case "time": String(seconds)
        case "state": state
        case "info": statement
        case "proxy_sessid": String(proxySessionID)
        default: "1"
        }
    }
}
