@testable import SessionKill
import TestSupport
import XCTest

final class StatementKindTests: XCTestCase {
    private func assert(
        _ kind: StatementKind, _ statements: String..., file: StaticString = #filePath, line: UInt = #line
    ) {
        for statement in statements {
            XCTAssertEqual(StatementKind(of: statement), kind, statement, file: file, line: line)
        }
    }

    func testPlainReads() {
        assert(
            .plainRead, "SELECT 1", "select * from t where a = 'x; drop table t'", "((SELECT 1) UNION (SELECT 2))",
            "/* report 7 */ SELECT 1", "-- INTO\nSELECT 1", "# FOR UPDATE\n SELECT `into` FROM `for update`",
            "SELECT /*+ SET_VAR(a=b) */ 1;", "SHOW ENGINE INNODB STATUS", "EXPLAIN DELETE FROM t", "USE d",
            "SELECT a FROM t USE INDEX FOR ORDER BY (a) ORDER BY a", "SELECT 'it\\'s' FROM t", "TABLE t", "desc t")
    }

    func testWhatLocksOrWritesIsNoPlainRead() {
        assert(
            .other, "SELECT * FROM t FOR UPDATE", "SELECT 1 FROM t FOR SHARE", "SELECT 1 FROM t LOCK IN SHARE MODE",
            "SELECT * INTO OUTFILE '/tmp/x' FROM t", "SELECT a INTO @a FROM t", "SELECT NEXT VALUE FOR s",
            "TABLE t INTO OUTFILE '/tmp/x'", "WITH a AS (SELECT 1) SELECT * FROM a",
            "WITH a AS (SELECT 1) DELETE FROM t",
            "INSERT INTO t VALUES (1)", "update t set a = 1", "REPLACE INTO t VALUES (1)", "CALL p()", "DO SLEEP(9)",
            "XA PREPARE 'a'", "COMMIT", "LOCK TABLES t WRITE", "FLUSH TABLES WITH READ LOCK",
            "ANALYZE UPDATE t SET a=1",
            "EXPLAIN ANALYZE UPDATE t, u SET t.a = 1", "SET a = 1", "EXECUTE s", "", "'", "7",
            "SELECT 1; DELETE FROM t", "BEGIN NOT ATOMIC DELETE FROM t; END")
    }

    func testWhatTheTextDoesNotTellIsNoPlainRead() {
        // What a server runs of these depends on its version.
        assert(.other, "SELECT 1 /*!80000 FOR UPDATE */", "SELECT 1 /*M! INTO OUTFILE '/x' */")
        // Where backslashes stand for themselves, the text ends before INTO.
        assert(.other, #"SELECT '\' INTO OUTFILE "/tmp/x' FROM t -- ""#)
        XCTAssertEqual(StatementKind(of: "SELECT 1", isWhole: false), .other)
    }

    func testDefinitionChanges() {
        assert(
            .definitionChange, "ALTER TABLE t ENGINE=InnoDB", "create unique index i on t (a)", "DROP TABLE t",
            "TRUNCATE t", "RENAME TABLE t TO u", "OPTIMIZE TABLE t", "REPAIR TABLE t",
            "LOAD DATA INFILE '/x' INTO TABLE t",
            "IMPORT TABLE FROM '/x'", "/*!40000 ALTER TABLE t DISABLE KEYS */", "/* c */ Alter TABLE t ADD b INT",
            "SET STATEMENT max_statement_time=1 FOR ALTER TABLE t ADD b INT", "SELECT 1; DROP TABLE t",
            "BEGIN NOT ATOMIC ALTER TABLE t ADD b INT; END", "CREATE TABLE u AS SELECT * FROM t")
        XCTAssertEqual(StatementKind(of: "CREATE TABLE t (a", isWhole: false), .definitionChange)
    }

    func testALongStatementIsReadInLinearTime() {
        let time = processorTime {
            for hostile in ["SELECT (((((", "SELECT '\\", "/*!", "a\u{301}", ";;;;", "/* */"] {
                _ = StatementKind(of: String(repeating: hostile, count: 65_535 / hostile.utf8.count))
            }
        }
        XCTAssertLessThan(time, .seconds(2) * slowdown)
    }
}
