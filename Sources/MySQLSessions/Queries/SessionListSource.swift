import SessionKill
import Text

/// Where a session list is read, and how much of its statements.
struct SessionListSource {
    let query: String
    /// What has more of the statements than ``query``, of some sessions.
    var statements: String?
    /// Where the server itself cuts statements, in bytes; `nil` where it does not.
    var cut: Int?

    /// The most bytes of a statement that are kept: what rules and filters compare, and what plans record, is within.
    ///
    /// Nor has MariaDB's or MySQL's information_schema.PROCESSLIST more, and performance_schema's has 1,024 bytes.
    static let longestStatement = 65_535

    /// The list with whole statements, which nobody can limit: MySQL and MariaDB cut them to 100 characters or not at
    /// all.
    static let whole = SessionListSource(query: "SHOW FULL PROCESSLIST")

    /// The list with no more of each statement than is kept.
    ///
    /// - Parameter info: the column that has the statements.
    static func beginnings(of info: String, from table: String) -> SessionListSource {
        SessionListSource(
            query: """
                SELECT ID AS id,USER AS user,HOST AS host,DB AS db,COMMAND AS command,TIME AS time,STATE AS state,\
                \(beginning(of: info)) FROM \(table)
                """,
            cut: longestStatement)
    }

    /// The list with the first 100 bytes of each statement, and from performance_schema, if that may be read, more of
    /// those that it knows: the sessions themselves must always be named by the same list, since each names some
    /// differently.
    static func shown(withStatementsOf performanceSchema: PerformanceSchemaTables) -> SessionListSource {
        SessionListSource(
            query: "SHOW PROCESSLIST",
            statements: performanceSchema.processlist
                ? """
                SELECT ID AS id,\(beginning(of: "INFO")) FROM performance_schema.processlist WHERE INFO IS NOT NULL
                """ : nil,
            cut: 100)
    }

    /// Where performance_schema cuts statements, in bytes.
    static let performanceSchemaCut = 1_024

    private static func beginning(of info: String) -> String {
        "LEFT(\(info),\(longestStatement)) AS info,LENGTH(\(info)) AS length"
    }
}

extension Row {
    /// What is kept of a statement and, if that is not all, its length or the least that it can be.
    ///
    /// - Parameters:
    ///   - length: the column with what the server says of that.
    ///   - cut: where the server has cut it, in bytes or more.
    func statement(
        _ info: Rows.Column, length: Rows.Column? = nil, cut: Int? = nil
    ) throws(ServerError) -> (text: String?, length: Int?) {
        guard let whole = text(info) else { return (nil, nil) }
        let text = whole.beginning(bytes: SessionListSource.longestStatement)
        var least = self.length(info)
        if let length { least = max(least, try integerIfAny(length) ?? 0) }
        // A character has up to four bytes, of which none is there if the last is not.
        if let cut, least > cut - 4 { least = max(least, text.utf8.count + 1) }
        return (text, least > text.utf8.count ? least : nil)
    }
}

extension MySQLConnection {
    /// Where the session list is to be read now.
    ///
    /// The tables that could cut statements take twice as long as SHOW FULL PROCESSLIST (10,000 sessions on MariaDB
    /// 10.11: 58 ms, not 29; on MySQL 9.7: 73, not 37), and on MySQL every SELECT on information_schema.PROCESSLIST
    /// fails with error 3854 as soon as any session's statement holds a character beyond utf8mb3, an emoji say; its
    /// performance_schema.processlist is quick, but has 1,024 bytes of a statement, ends before the first byte that is
    /// no UTF-8, lists sessions that are gone but for their rollback, and names some differently (all measured). So
    /// they are read only while statements are so large that they must not travel.
    func listSource(_ readings: ServerReadings, at time: ContinuousClock.Instant) -> SessionListSource {
        if rights.oceanBase != nil { return SessionListSource(query: OceanBaseViews.sessionQuery) }
        if readings.readsWholeStatements(at: time) { return .whole }
        guard rights.isMariaDB else { return .shown(withStatementsOf: performanceSchema) }
        // Its INFO has question marks in place of characters beyond utf8mb3.
        return .beginnings(of: "INFO_BINARY", from: "information_schema.PROCESSLIST")
    }

    /// Sends statements of which one asks for the session list.
    func query(
        _ statements: [String], listing source: SessionListSource?, _ readings: ServerReadings
    ) throws(ServerError) -> [MySQLResult] {
        do throws(ServerError) {
            return try query(statements.joined(separator: ";"))
        } catch {
            // The next snapshot asks for the beginnings.
            if source != nil, error.reason == .resultTooLarge { readings.noteLargeStatements(at: .now) }
            throw error
        }
    }
}
