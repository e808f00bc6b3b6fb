import Foundation

/// The content that a ``FakeMySQLServer`` is taken to hold: variables, sessions, transactions, and what it says of them.
///
/// It knows as much SQL as killd's statements need. A statement that it does not understand is error 1064 and names
/// what was not understood.
public struct FakeServerContent: Sendable {
    public var isMariaDB: Bool
    public var version: String
    public var variables: [String: String]
    public var status: [String: String]
    /// Of other clients than killd.
    public var sessions: [FakeSession]
    public var grants: [String]
    public var hasPerformanceSchema: Bool
    /// Seconds since 1970.
    public var now: Int64 = 1_790_000_000
    public var innoDBReport = "\n=====================================\nTRANSACTIONS\n------------\n"

    private var own: [UInt32: FakeSession] = [:]
    private var guarded: [UInt32: UInt64] = [:]

    public static func mysql(sessions: [FakeSession] = FakeSession.some) -> FakeServerContent {
        FakeServerContent(
            isMariaDB: false, version: "9.7.0",
            variables: [
                "server_uuid": "3e11fa47-71ca-11e1-9e33-c80aa9429562", "hostname": "db1", "port": "3306",
                "server_id": "1", "version": "9.7.0", "performance_schema_show_processlist": "0",
                "performance_schema": "1",
            ],
            status: [
                "Uptime": "86400", "Connections": "200", "Performance_schema_thread_instances_lost": "0",
                "Com_xa_prepare": "0",
            ],
            sessions: sessions, grants: ["GRANT PROCESS,CONNECTION_ADMIN ON *.* TO `killd`@`%`"],
            hasPerformanceSchema: true)
    }

    /// With performance_schema off, as is MariaDB's default.
    public static func mariadb(sessions: [FakeSession] = FakeSession.some) -> FakeServerContent {
        FakeServerContent(
            isMariaDB: true, version: "10.11.19-MariaDB",
            variables: [
                "server_uid": "z0ZSpN4cP0cG1P6o0gYlfqbdjF4=", "hostname": "db1", "port": "3306", "server_id": "1",
                "version": "10.11.19-MariaDB", "performance_schema": "0",
            ],
            status: [
                "Uptime": "86400", "Connections": "200", "Performance_schema_thread_instances_lost": "0",
                "Com_xa_prepare": "0",
            ],
            sessions: sessions, grants: ["GRANT PROCESS, CONNECTION ADMIN ON *.* TO `killd`@`%`"],
            hasPerformanceSchema: false)
    }

    private var everySession: [FakeSession] { (sessions + own.values).sorted { $0.id < $1.id } }

    mutating func logIn(_ threadID: UInt32, _ peer: String) {
        own[threadID] = FakeSession(id: UInt64(threadID), user: "killd", host: peer, command: "Query")
    }

    mutating func logOut(_ threadID: UInt32) { own[threadID] = nil }

    static func statements(in text: String) -> [String] {
        // A block of MariaDB's is one statement.
        guard !text.hasPrefix("BEGIN NOT ATOMIC") else { return [text] }
        return parts(of: text, separator: ";").filter { !$0.isEmpty }
    }

    mutating func answer(_ statement: String, _ threadID: UInt32) -> FakeMySQLServer.Answer {
        let words = statement.uppercased().split(separator: " ", omittingEmptySubsequences: true)
        switch words.first.map(String.init) ?? "" {
        case "SET" where words.count > 1 && words[1].hasPrefix("@"):
            guarded[threadID] = guardedSession(statement)
            return .ok
        case "SET" where words.count > 1 && words[1] == "STATEMENT":
            guard let start = statement.range(of: " FOR ") else { return .ok }
            return answer(String(statement[start.upperBound...]), threadID)
        case "SET", "DO": return .ok
        case "KILL": return kill(words.last == "@K" ? guarded[threadID] : words.last.flatMap { UInt64($0) })
        case "BEGIN": return killBlock(statement)
        case "SHOW": return show(statement, words.dropFirst())
        case "ROLLBACK", "UNLOCK": return .ok
        case "SELECT": return select(statement, threadID)
        default: return Self.unknown(statement)
        }
    }

    private static func unknown(_ what: some StringProtocol) -> FakeMySQLServer.Answer {
        .error(1_064, "You have an error in your SQL syntax: the fake server does not know: \(what)")
    }

    // MARK: KILL

    private func guardedSession(_ statement: String) -> UInt64? {
        let literals = Self.hexadecimalLiterals(in: statement)
        guard literals.count == 2, let id = Self.number(after: "WHERE ID=", in: statement),
            let session = sessions.first(where: { $0.id == id }), session.user == literals[0],
            session.host == literals[1]
        else { return nil }
        let thread = Self.number(after: "THREAD_ID=", in: statement)
        return thread == nil || thread == session.threadID ? id : nil
    }

    private mutating func kill(_ id: UInt64?) -> FakeMySQLServer.Answer {
        guard let id, sessions.contains(where: { $0.id == id }) else {
            return .error(1_094, "Unknown thread id: \(id ?? 0)")
        }
        sessions.removeAll { $0.id == id }
        return .ok
    }

    private mutating func killBlock(_ statement: String) -> FakeMySQLServer.Answer {
        let wanted = Set(Self.hexadecimalLiterals(in: statement))
        let victims = sessions.filter { wanted.contains("\($0.id) \($0.user.utf8.count) \($0.user)\($0.host)") }
        sessions.removeAll { session in victims.contains { $0.id == session.id } }
        return .rows(["answers", "failure", "reason"], [[victims.map { "\($0.id) 0 \n" }.joined(), "0", ""]])
    }

    // MARK: SHOW

    private func show(_ statement: String, _ words: ArraySlice<Substring>) -> FakeMySQLServer.Answer {
        let names = Set(Self.quotedTexts(in: statement).map { $0.lowercased() })
        func table(_ values: [String: String]) -> FakeMySQLServer.Answer {
            let wanted = values.filter { names.isEmpty || names.contains($0.key.lowercased()) }
            return .rows(
                ["Variable_name", "Value"],
                wanted.sorted { $0.key < $1.key }.map { [$0.key, Self.shown($0.key, $0.value)] })
        }
        if words.contains("PROCESSLIST") {
            return .rows(
                ["Id", "User", "Host", "db", "Command", "Time", "State", "Info"],
                everySession.map {
                    [String($0.id), $0.user, $0.host, $0.database, $0.command, $0.seconds, $0.state, $0.statement]
                })
        }
        if words.contains("VARIABLES") { return table(variables) }
        if words.contains("STATUS"), !words.contains("ENGINE") { return table(status) }
        if words.contains("STATUS") { return .rows(["Type", "Name", "Status"], [["InnoDB", "", innoDBReport]]) }
        if words.contains("GRANTS") { return .rows(["Grants"], grants.map { [$0] }) }
        return Self.unknown(statement)
    }

    /// SHOW writes of a switch whether it is on.
    private static func shown(_ name: String, _ value: String) -> String {
        guard name.hasPrefix("performance_schema") else { return value }
        return value == "1" ? "ON" : "OFF"
    }

    // MARK: SELECT

    private typealias TableRow = [String: String?]

    private func select(_ statement: String, _ threadID: UInt32) -> FakeMySQLServer.Answer {
        var text = statement.dropFirst("SELECT ".count)
        if text.hasPrefix("/*"), let end = text.range(of: "*/") { text = text[end.upperBound...].drop { $0 == " " } }
        let halves = Self.parts(of: String(text), separator: " FROM ")
        let expressions = Self.parts(of: halves[0], separator: ",")
        let source = halves.dropFirst().joined(separator: " FROM ")
        var rows: [TableRow] = [[:]]
        if !source.isEmpty {
            switch table(String(source.prefix { $0 != " " })) {
            case .success(let found): rows = found.filter { matches($0, source, threadID) }
            case .failure(let missing): return missing.answer
            }
        }
        // What joins tables shows nothing, unless a test says what.
        if source.contains(" JOIN ") || source.hasPrefix("(") { rows = [] }
        let columns = expressions.map { Self.parts(of: $0, separator: " AS ") }
        var values: [[String?]] = []
        for row in rows {
            var line: [String?] = []
            for column in columns {
                guard let value = value(of: column[0], row, threadID) else { return Self.unknown(column[0]) }
                line.append(value)
            }
            values.append(line)
        }
        return .rows(columns.map { $0.last ?? "" }, values)
    }

    /// `nil` for what is not known, in place of NULL.
    private func value(of expression: String, _ row: TableRow, _ threadID: UInt32) -> String?? {
        let name = expression.uppercased()
        if let value = row[name.split(separator: ".").last.map(String.init) ?? name] { return .some(value) }
        if name.hasPrefix("@@") {
            let variable = expression.split(separator: ".").last.map { $0.drop { $0 == "@" }.lowercased() } ?? ""
            return variables[variable].map { .some($0) }
        }
        if name.hasPrefix("LEFT("), let inner = Self.parts(of: String(expression.dropFirst(5)), separator: ",").first {
            return value(of: inner, row, threadID)
        }
        if name.hasPrefix("LENGTH("), name.hasSuffix(")") {
            guard let text = value(of: String(expression.dropFirst(7).dropLast()), row, threadID) else { return nil }
            return .some(text.map { String($0.utf8.count) })
        }
        if name.hasPrefix("(SELECT "), name.hasSuffix(")") {
            guard case .rows(_, let rows) = select(String(expression.dropFirst().dropLast()), threadID) else {
                return nil
            }
            return .some(rows.first?.first ?? nil)
        }
        switch name {
        case "NULL": return .some(nil)
        case "CONNECTION_ID()", "CONNECTION_ID()+0": return String(threadID)
        case "VERSION()": return version
        case "0/*M!+1*/": return isMariaDB ? "1" : "0"
        case "UNIX_TIMESTAMP()", "UNIX_TIMESTAMP(SYSDATE())": return String(now)
        case "SUBSTRING(UUID(),20)": return "88cf-02fc00000001"
        case "@KILLD_DRAW": return "0f3c1e52-ce01-11f1-88cf-02fc0000\(threadID)"
        case "CURRENT_ROLE()": return "NONE"
        case "CURRENT_USER()": return "killd@%"
        case _ where name.allSatisfy(\.isNumber): return name
        default: return nil
        }
    }

    private struct MissingTable: Error {
        let answer: FakeMySQLServer.Answer
    }

    private func table(_ name: String) -> Result<[TableRow], MissingTable> {
        let table = name.uppercased()
        let isEmpty = table.hasPrefix("PERFORMANCE_SCHEMA.") && !hasPerformanceSchema
        switch table.split(separator: ".").last.map(String.init) ?? "" {
        case "PROCESSLIST":
            guard !isEmpty else {
                return .failure(MissingTable(answer: .error(1_146, "Table '\(name)' doesn't exist")))
            }
            return .success(everySession.map(\.processListRow))
        case "THREADS": return .success(isEmpty ? [] : everySession.map(\.threadRow))
        case "SESSION_CONNECT_ATTRS": return .success(isEmpty ? [] : everySession.flatMap(\.attributeRows))
        case "INNODB_METRICS": return .success([[:]])
        case "INNODB_TRX": return .success(sessions.compactMap(\.transactionRow))
        case "GLOBAL_STATUS": return .success(status.map { Self.variableRow($0.key, $0.value) })
        case "GLOBAL_VARIABLES": return .success(variables.map { Self.variableRow($0.key, $0.value) })
        default: return .success([])
        }
    }

    private static func variableRow(_ name: String, _ value: String) -> TableRow {
        ["VARIABLE_NAME": name, "VARIABLE_VALUE": value]
    }

    /// By the conditions on these columns; every other is taken to hold.
    private func matches(_ row: TableRow, _ source: String, _ threadID: UInt32) -> Bool {
        ["ID", "PROCESSLIST_ID", "VARIABLE_NAME", "ATTR_NAME"].allSatisfy { column in
            guard case let value?? = row[column] else { return true }
            for (start, ends) in [(" \(column)=", " "), (" \(column) IN (", ")")] {
                guard let range = source.range(of: start) else { continue }
                let list = source[range.upperBound...].prefix { String($0) != ends }
                let wanted = list.split(separator: ",").map { item in
                    item == "CONNECTION_ID()" ? String(threadID) : item.filter { $0 != "'" && $0 != " " }
                }
                return wanted.contains { $0.lowercased() == value.lowercased() }
            }
            return true
        }
    }
}
