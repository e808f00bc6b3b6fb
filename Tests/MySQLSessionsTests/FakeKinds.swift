import MySQLSessions
import SessionKill
import Synchronization
import TestSupport
import XCTest

/// The kinds of servers that a ``FakeMySQLServer`` is made to be, each asked for all that killd asks such servers.
enum FakeKind: String {
    case mysql, mariadb, oceanBase, odp

    var settings: FakeMySQLServer.Settings {
        var content: FakeServerContent = self == .mariadb ? .mariadb() : .mysql()
        content.hasPerformanceSchema = true
        content.sessions = Self.sessions
        content.status["Com_xa_prepare"] = "1"
        content.innoDBReport = "---TRANSACTION 421, ACTIVE (PREPARED) 7 sec\n"
        var settings = FakeMySQLServer.Settings(content)
        switch self {
        case .mysql, .mariadb: break
        case .oceanBase:
            settings.content.version = "5.7.25-OceanBase-v4.3.5.0"
            settings.content.grants = ["GRANT PROCESS, SUPER ON *.* TO `killd`@`%`"]
            settings.answer = { Self.oceanBaseAnswer($0) }
        case .odp: settings.answer = { Self.odpAnswer($0) }
        }
        return settings
    }

    /// One that waits for a row, one that waits for a table, and one that both wait for.
    static var sessions: [FakeSession] {
        var first = FakeSession(id: 11, host: "10.0.0.9:50011", command: "Query", state: "updating")
        first.statement = "UPDATE t SET v=1"
        first.transaction = FakeSession.FakeTransaction()
        first.transaction?.id = "422"
        first.transaction?.state = "LOCK WAIT"
        var second = FakeSession(
            id: 12, host: "10.0.0.9:50012", command: "Query", state: "Waiting for table metadata lock")
        second.statement = "ALTER TABLE t ADD x INT"
        var holder = FakeSession(id: 13, host: "10.0.0.9:50013")
        holder.transaction = FakeSession.FakeTransaction()
        // Of a prepared transaction that is nobody's, which makes killd ask whose it was.
        var nobody = FakeSession(id: 0)
        nobody.transaction = FakeSession.FakeTransaction()
        nobody.transaction?.id = "423"
        return [nobody, first, second, holder]
    }

    /// The first two of them, one under another name.
    var victims: [SessionIdentity] {
        [(11, "app"), (12, "somebody else")].compactMap { id, user in
            guard let thread = ThreadID(id) else { return nil }
            let host = "10.0.0.9:500\(id)"
            guard self == .odp else {
                return SessionIdentity(id: thread, user: user, host: host, performanceSchemaThreadID: UInt64(id) + 40)
            }
            return SessionIdentity(
                id: thread, user: user + "@shop", host: host,
                proxy: ProxySession(
                    id: Self.firstProxySession + UInt64(id), cluster: "c", tenant: "shop", transactionCount: 0))
        }
    }

    // MARK: OceanBase

    private static func oceanBaseAnswer(_ statement: String) -> FakeMySQLServer.Answer? {
        if statement.contains("IF(CAST(DB") {
            return .rows(
                ["id", "user", "host", "db", "command", "time", "state", "info", "length"],
                sessions.filter { $0.id > 0 }.map { session in
                    [
                        String(session.id), session.user, session.host, session.database, session.command, "7",
                        session.state, session.statement, session.statement.map { String($0.utf8.count) },
                    ]
                })
        }
        guard statement.contains("oceanbase."), !statement.hasPrefix("SELECT UNIX_TIMESTAMP()") else { return nil }
        let isProbe = statement.hasSuffix(" LIMIT 0")
        if statement.contains("V$OB_LOCKS") {
            return .rows(
                ["waiter", "holder", "object", "type"], isProbe ? [] : [["11", "13", #"200001-{"INT":1}"#, "TR"]])
        }
        return .rows(["id", "thread", "age", "state"], isProbe ? [] : [["41", "13", "3", "EXPLICIT_ACTIVE"]])
    }

    // MARK: ODP

    /// Of 10.0.0.1, port 2883.
    private static let firstProxySession: UInt64 = 0x0A00_0001 << 32 | 2_883 << 16

    private static func odpAnswer(_ statement: String) -> FakeMySQLServer.Answer? {
        let clients = sessions.filter { $0.id > 0 }
        if statement.hasPrefix("SHOW PROXYSESSION ATTRIBUTE") {
            let id = statement.split(separator: " ").dropFirst(3).first.flatMap { UInt64($0) } ?? 101
            return .rows(
                ["attribute_name", "value", "info"],
                [
                    ["proxy_sessid", String(firstProxySession + id), "cs common"], ["pid", "4711", "cs common"],
                    ["cluster", "c", "cs common"], ["tenant", "sys", "cs common"], ["user", "root", "cs common"],
                    ["server_ip", "10.0.0.2", "last used ss"], ["server_port", "2881", "last used ss"],
                    ["ss_id", "5", "last used ss"], ["server_sessid", "3221487617", "last used ss"],
                ])
        }
        switch statement {
        case "SHOW PROXYSESSION":
            let own = (101..<400).map { (UInt64($0), "root", "sys", "127.0.0.1:\($0)") }
            let all = clients.map { ($0.id, $0.user, "shop", $0.host) } + own
            return .rows(
                [
                    "proxy_sessid", "Id", "Cluster", "Tenant", "User", "Host", "db", "trans_count",
                    "svr_session_count", "state", "tid", "pid",
                ],
                all.map { id, user, tenant, host in
                    [
                        String(firstProxySession + id), String(id), "c", tenant, user, host, "NULL", "0", "1",
                        "MCS_ACTIVE_READER", "1", "4711",
                    ]
                })
        case "SELECT proxy_version() AS version": return .rows(["version"], [["4.3.1"]])
        case _ where statement.hasPrefix("KILL"): return .ok
        case _ where statement.hasPrefix("SELECT PROXY_SESSID"):
            return .rows(["proxy_sessid", "state"], clients.map { [String(firstProxySession + $0.id), "SLEEP"] })
        case _ where statement.contains("GV$OB_PROCESSLIST") && !statement.hasPrefix("SELECT 1 "):
            return .rows(
                ["id", "command", "time", "state", "info", "length", "proxy_sessid"],
                clients.map {
                    [
                        String(3_221_487_616 + $0.id), "Query", "7", "ACTIVE", $0.statement, "10",
                        String(firstProxySession + $0.id),
                    ]
                })
        default: return nil
        }
    }
}

/// A value that several threads change.
final class Locked<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    init(_ value: Value) { self.value = Mutex(value) }

    func withLock<Answer: Sendable>(_ body: (inout Value) -> Answer) -> Answer {
        value.withLock { value in body(&value) }
    }
}
