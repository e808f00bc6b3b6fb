import XCTest

@testable import DBbrainAPI

final class SqlTypeTests: XCTestCase {
    func testAStatementIsOfTheKindThatItsFirstKeywordSays() {
        let statements: [(String, String)] = [
            ("select sleep(1000)", "SQLSelectStatement"),
            ("/* p = 2342 , f=abd */  select sleep(1000)", "SQLSelectStatement"),
            ("-- a remark\n# another\nSELECT 1", "SQLSelectStatement"),
            ("(SELECT 1) UNION (SELECT 2)", "SQLSelectStatement"),
            ("( /* x */ (SELECT 1))", "SQLSelectStatement"),
            ("SELECT(1)", "SQLSelectStatement"),
            ("SELECT/**/1", "SQLSelectStatement"),
            ("SELECT", "SQLSelectStatement"),
            ("/*!40001 SELECT 1 */", "SQLSelectStatement"),
            ("/*+ a hint */ SELECT 1", "SQLSelectStatement"),
            ("DELETE FROM `test` WHERE time<=1", "MySqlDeleteStatement"),
            ("insert INTO t VALUES (1)", "MySqlInsertStatement"),
            ("\n\tUPDATE t SET a=1", "MySqlUpdateStatement"),
            ("REPLACE t VALUES (1)", "MySqlReplaceStatement"),
            ("START TRANSACTION", "StartTransaction"),
            ("start /* x */ transaction READ ONLY", "StartTransaction"),
            ("BEGIN", "StartTransaction"),
            ("begin work;", "StartTransaction"),
            ("BEGIN;", "StartTransaction"),
        ]
        for (statement, type) in statements { XCTAssertEqual(SqlType(of: statement).rawValue, type, statement) }
    }

    func testEverythingElseHasNoKind() {
        XCTAssertEqual(SqlType(of: nil).rawValue, "")
        for statement in [
            "", " ", "/* SELECT", "/* x */", "-- SELECT", "'SELECT'", "`SELECT`", "SELECTED", "SELECT1", "_SELECT",
            "ſELECT 1", "SET NAMES utf8", "WITH x AS (SELECT 1) DELETE FROM t", "START REPLICA", "START 'TRANSACTION'",
            "START", "BEGIN NOT ATOMIC SELECT 1; END", "COMMIT", ";SELECT 1", "\0", "((((", "KILL 5",
        ] {
            XCTAssertEqual(SqlType(of: statement).rawValue, "", statement)
        }
    }
}
