import SessionKill
import TestSupport
import XCTest

@testable import DBbrainAPI

final class SqlTagTests: XCTestCase {
    private func name(_ statement: String) -> String {
        String(decoding: SqlTag.name(of: SqlTag.tags(of: statement)), as: UTF8.self)
    }

    func testTagsAreNormalizedAndSorted() {
        XCTAssertEqual(name("/* p = 2342 , f=abd */  select sleep(1000)"), "f=abd,p=2342")
        XCTAssertEqual(name("SELECT 1 /*a=1*/"), "a=1")
        XCTAssertEqual(name("SELECT /*\ta=1\n*/ 1"), "a=1")
        XCTAssertEqual(name("/*p=a==b*/SELECT 1"), "p=a==b")
        XCTAssertEqual(name("/*服务=订单,a=é*/SELECT 1"), "a=é,服务=订单")
    }

    func testSeveralCommentsAddUpAndATagCountsOnce() {
        XCTAssertEqual(name("/*b=2*/ SELECT 1 /*a=1,b=2*/"), "a=1,b=2")
        XCTAssertEqual(name("/*a=2*/ SELECT 1 /*a=1*/"), "a=1,a=2")
        XCTAssertEqual(name("/*a=1*/ SELECT 1 /* a note, and more */"), "a=1")
    }

    func testACommentThatIsNoListOfTagsHoldsNone() {
        for comment in [
            "", " ", "*", "see ticket 12", "p", "p=", "=p", "p=1,", ",p=1", "p=1,q", "WHERE id = 5 AND x = 7", "a b=1",
            "p=1;q=2 3", "p=1\u{1}2",
        ] {
            XCTAssertEqual(name("/*\(comment)*/ SELECT 1"), "", comment)
        }
    }

    func testWhatServersDoNotTakeForACommentHoldsNone() {
        for statement in [
            "SELECT '/*a=1*/'", #"SELECT "/*a=1*/""#, "SELECT `/*a=1*/`", #"SELECT 'it\'s /*a=1*/'"#,
            "SELECT 'it''s /*a=1*/'", "SELECT 1 -- /*a=1*/", "SELECT 1 # /*a=1*/", "SELECT /*!40001 a=1 */ 1",
            "SELECT /*! a=1*/ 1", "SELECT /*M!100000 a=1*/ 1", "SELECT /*+ a=1 */ 1", "SELECT /*a=1", "/*a=1*",
            "/*/a=1", "SELECT 'unclosed /*a=1*/",
        ] {
            XCTAssertEqual(name(statement), "", statement)
        }
    }

    func testAfterWhatIsNoCommentACommentIsFoundAgain() {
        for beginning in [
            "SELECT 'it''s'", #"SELECT '\\'"#, #"SELECT "a\"b""#, "SELECT ```a`", "SELECT 1--1", "SELECT 1--\n",
            "SELECT 1 -- '\n", "SELECT 1 # '\n", "/*! SELECT */", "SELECT /*+ x */ 1", "/**/", "/***/", "SELECT 1/2",
            "SELECT 2*3", "/*!40001 SELECT 1 */",
        ] {
            XCTAssertEqual(name(beginning + "/*a=1*/"), "a=1", beginning)
        }
        XCTAssertEqual(name("/*!40001 SELECT /*a=1*/ 1 */"), "a=1")
    }

    func testMoreCommentThanMakesSenseDoesNotCount() {
        let long = "a=" + String(repeating: "x", count: 1_022)
        XCTAssertEqual(name("/*\(long)*/ SELECT 1"), long)
        XCTAssertEqual(name("/*\(long)x*/ SELECT 1"), "")
        XCTAssertEqual(name("/*\(long)*/ SELECT 1 /*b=1*/"), long)
    }

    func testNoStatementTakesLong() {
        let time = processorTime {
            for piece in [
                "/*", "/*a=1", "/*a=1*/", "/*!", "'", "''", "\\", "'\\", "`", "--", "-- ", "#", "(", "*/", "/*/",
                "a\u{301}", "\u{301}", "a=1,", "/*a\u{301}=1,",
            ] {
                let statement = String(repeating: piece, count: 65_536 / piece.utf8.count)
                for text in [statement, "/*" + statement, "'" + statement] {
                    XCTAssertLessThanOrEqual(SqlTag.name(of: SqlTag.tags(of: text)).count, 1_024)
                    _ = SqlType(of: text)
                }
            }
        }
        XCTAssertLessThan(time, .seconds(5) * slowdown)
    }

    func testSelectorsAreReadWithBracketsAndWithout() throws {
        let tags = SqlTag.tags(of: "/*p=position,c=idCard*/")
        for selector in [
            "[p=position]", "[p]", "[p=position, c=idCard]", " [ c , p = position ] ", "p=position", "p", "p,c",
        ] {
            XCTAssertTrue(try XCTUnwrap(SqlTagSelector(rawValue: selector), selector).selects(tags), selector)
        }
        for selector in ["[p=other]", "[q]", "[p=position, c=other]", "[p, q]", "P", "p=Position", "position"] {
            XCTAssertFalse(try XCTUnwrap(SqlTagSelector(rawValue: selector), selector).selects(tags), selector)
        }
        for selector in [
            "", " ", "[", "]", "[]", "[ ]", "[p", "p=", "=p", "[p=]", "[p,]", "a b", "[p=a b]", "[p],[q]",
            String(repeating: "p", count: 1_025),
        ] {
            XCTAssertNil(SqlTagSelector(rawValue: selector), selector)
        }
    }
}
