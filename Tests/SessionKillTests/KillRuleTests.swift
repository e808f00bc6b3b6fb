import SessionKill
import TestSupport
import XCTest

final class KillRuleTests: XCTestCase {
    private struct Row {
        let rule: KillRule
        let matches: Bool
        let session: Session
        let line: UInt

        init(_ rule: KillRule, _ matches: Bool, _ session: Session, line: UInt = #line) {
            self.rule = rule
            self.matches = matches
            self.session = session
            self.line = line
        }
    }

    private func session(
        user: String = "app", host: String = "10.0.0.7:51444", database: String? = "shop", command: String = "Query",
        seconds: Int64? = 12, statement: String? = "SELECT * FROM orders"
    ) -> Session {
        Session(
            identity: SessionIdentity(id: 7, user: user, host: host),
            details: SessionDetails(database: database, command: command, seconds: seconds, statement: statement))
    }

    private func rule(
        host: String? = nil, user: String? = nil, databases: [String]? = nil, commands: [String]? = nil,
        longerThan: Int64? = nil, prefix: String? = nil, keywords: [String]? = nil
    ) throws -> KillRule {
        try KillRule(
            host: host, user: user, databases: databases, commands: commands, longerThan: longerThan,
            statement: prefix.map { .beginsWith($0) } ?? keywords.map { .containsAll($0) })
    }

    func testMatchesWhatTheConditionsSayAndNothingMore() throws {
        let rows: [Row] = [
            Row(try rule(), true, session()),
            Row(try rule(), true, session(database: nil, command: "Sleep", seconds: nil, statement: nil)),

            Row(try rule(user: "app"), true, session()),
            Row(try rule(user: "app"), false, session(user: "APP")),
            Row(try rule(user: "app"), false, session(user: "app2")),
            Row(try rule(user: "app"), false, session(user: "ap")),
            // One letter to a reader, and to Swift's comparison.
            Row(try rule(user: "caf\u{E9}"), false, session(user: "cafe\u{301}")),

            Row(try rule(host: "10.0.0.7"), true, session()),
            Row(try rule(host: "10.0.0.7:51444"), true, session()),
            Row(try rule(host: "10.0.0.7:5144"), false, session()),
            Row(try rule(host: "10.0.0.7"), false, session(host: "10.0.0.77:51444")),
            Row(try rule(host: "10.0.0.77"), false, session()),
            Row(try rule(host: "0.0.7"), false, session()),
            Row(try rule(host: "localhost"), true, session(host: "localhost")),
            Row(try rule(host: "10.0.0.7"), false, session(host: "localhost")),
            Row(try rule(host: "10.0.0.7"), false, session(host: "")),
            Row(try rule(host: "fe80::1"), true, session(host: "fe80::1:51444")),
            Row(try rule(host: "fe80::1"), false, session(host: "fe80::1:2:51444")),
            Row(try rule(host: "fe80::1:2"), true, session(host: "fe80::1:2:51444")),
            // No address has a group of five digits, but fe80::1:5144 is one.
            Row(try rule(host: "fe80::1:51444"), true, session(host: "fe80::1:51444")),
            Row(try rule(host: "fe80::1:5144"), false, session(host: "fe80::1:5144")),
            Row(try rule(host: "fe80::1:5144"), true, session(host: "fe80::1:5144:306")),
            Row(try rule(host: "fe80::1"), false, session(host: "fe80::1:ab")),

            Row(try rule(databases: ["shop"]), true, session()),
            Row(try rule(databases: ["other", "shop"]), true, session()),
            Row(try rule(databases: ["Shop"]), false, session()),
            Row(try rule(databases: ["shop2", "sho"]), false, session()),
            Row(try rule(databases: ["shop"]), false, session(database: nil)),

            Row(try rule(commands: ["Query"]), true, session()),
            Row(try rule(commands: ["sleep", "QUERY"]), true, session()),
            Row(try rule(commands: ["Sleep"]), false, session()),
            Row(try rule(commands: ["Quer"]), false, session()),
            // ſ is no s, and the Kelvin sign no k, though Unicode folds them so.
            Row(try rule(commands: ["\u{17F}leep"]), false, session(command: "Sleep")),
            Row(try rule(commands: ["binlog dump"]), true, session(command: "Binlog Dump")),
            Row(try rule(commands: ["binlog dump"]), false, session(command: "Binlog Dump GTID")),

            Row(try rule(longerThan: 11), true, session()),
            Row(try rule(longerThan: 12), false, session()),
            Row(try rule(longerThan: 0), false, session(seconds: 0)),
            Row(try rule(longerThan: 0), true, session(seconds: 1)),
            Row(try rule(longerThan: 0), false, session(seconds: nil)),
            Row(try rule(longerThan: 0), false, session(seconds: -1)),
            Row(try rule(longerThan: 0), true, session(seconds: 2_147_483_647)),
            Row(try rule(longerThan: 0), false, session(seconds: 4_294_967_295)),
            Row(try rule(longerThan: 0), false, session(seconds: .max)),

            Row(try rule(prefix: "SELECT"), true, session()),
            Row(try rule(prefix: "SELECT * FROM orders"), true, session()),
            Row(try rule(prefix: "SELECT * FROM orders "), false, session()),
            Row(try rule(prefix: "select"), false, session()),
            Row(try rule(prefix: "SELECT"), false, session(statement: " SELECT 1")),
            Row(try rule(prefix: "SELECT"), false, session(statement: nil)),
            Row(try rule(prefix: "SELECT"), true, session(statement: "SELECT\u{301}")),

            Row(try rule(keywords: ["orders"]), true, session()),
            Row(try rule(keywords: ["orders", "SELECT"]), true, session()),
            Row(try rule(keywords: ["orders", "UPDATE"]), false, session()),
            Row(try rule(keywords: ["Orders"]), false, session()),
            Row(try rule(keywords: ["orders"]), false, session(statement: nil)),
            Row(try rule(keywords: ["orders"]), false, session(statement: "")),
            Row(try rule(keywords: ["aab"]), true, session(statement: "aaab")),
            Row(try rule(keywords: ["abcabd"]), true, session(statement: "xabcabcabd")),
            Row(try rule(keywords: ["abcabd"]), false, session(statement: "abcabcab")),
            Row(try rule(keywords: ["日本"]), true, session(statement: "SELECT '日本語'")),
        ]
        for row in rows {
            XCTAssertEqual(row.rule.matches(row.session), row.matches, "\(row.rule)", line: row.line)
        }
    }

    func testEveryConditionMustHold() throws {
        let all = try rule(
            host: "10.0.0.7", user: "app", databases: ["shop"], commands: ["query"], longerThan: 11, prefix: "SELECT")
        XCTAssertTrue(all.matches(session()))
        let others = [
            session(host: "10.0.0.8:51444"), session(user: "app2"), session(database: "shop2"),
            session(command: "Sleep"), session(seconds: 11), session(statement: "UPDATE orders SET a = 1"),
        ]
        for other in others { XCTAssertFalse(all.matches(other), "\(other)") }
    }

    func testAnEmptyConditionIsNone() {
        let attempts: [(KillRule.Condition, () throws -> KillRule)] = [
            (.host, { try self.rule(host: "") }), (.host, { try self.rule(host: " ") }),
            (.user, { try self.rule(user: "") }), (.user, { try self.rule(user: "\t\u{3000}") }),
            (.databases, { try self.rule(databases: []) }), (.databases, { try self.rule(databases: ["a", ""]) }),
            (.commands, { try self.rule(commands: []) }), (.commands, { try self.rule(commands: ["", "Sleep"]) }),
            (.longerThan, { try self.rule(longerThan: -1) }),
            (.statement, { try self.rule(prefix: "") }), (.statement, { try self.rule(prefix: "\n") }),
            (.statement, { try self.rule(keywords: []) }), (.statement, { try self.rule(keywords: ["a", " "]) }),
            (.user, { try self.rule(user: String(repeating: "é", count: 2_049)) }),
            (.databases, { try self.rule(databases: Array(repeating: "a", count: 101)) }),
        ]
        for (condition, attempt) in attempts {
            XCTAssertThrowsError(try attempt(), "\(condition)") { error in
                XCTAssertEqual(error as? KillRule.InvalidCondition, .init(condition: condition))
            }
        }
        XCTAssertNoThrow(try rule(user: String(repeating: "é", count: 2_048)))
        XCTAssertNoThrow(try rule(databases: Array(repeating: "a", count: 100)))
    }

    func testAStatementMadeToBeSlowIsSearchedQuickly() throws {
        let statement = String(repeating: "a", count: 4_000_000)
        let rule = try rule(keywords: [String(repeating: "a", count: 4_095) + "b"])
        let time = processorTime { XCTAssertFalse(rule.matches(session(statement: statement))) }
        // Compared at every place, it would be 16 billion steps.
        XCTAssertLessThan(time, .seconds(10) * slowdown)
    }
}
