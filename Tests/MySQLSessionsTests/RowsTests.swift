import SessionKill
import XCTest

@testable import MySQLSessions

/// Responses that make no sense, and what is made of them.
final class RowsTests: XCTestCase {
    private let columns = ["Id", "User", "Host", "db", "Command", "Time", "State", "Info"]

    private func sessions(_ columns: [String], _ rows: [[String?]]) throws -> [Session] {
        try MySQLConnection.sessions(MySQLResult(columns: columns, rows: rows), [:])
    }

    private func row(id: String? = "7", user: String? = "app", time: String? = "3") -> [String?] {
        [id, user, "10.0.0.9:5000", "d", "Query", time, "executing", "SELECT 1"]
    }

    private func assertRefused(
        _ columns: [String], _ rows: [[String?]], saying words: String, line: UInt = #line
    ) {
        XCTAssertThrowsError(try sessions(columns, rows), line: line) { error in
            guard let error = error as? ServerError else { return XCTFail("\(error)", line: line) }
            XCTAssertTrue(error.description.contains(words), error.description, line: line)
        }
    }

    func testColumnsAreFoundByTheirNamesInWhateverOrder() throws {
        let order = [7, 2, 0, 5, 1, 6, 3, 4]
        let found = try sessions(order.map { columns[$0] } + ["Progress"], [order.map { row()[$0] } + ["0.000"]])
        XCTAssertEqual(found, try sessions(columns, [row()]))
        XCTAssertEqual(found.map(\.identity.user), ["app"])
        XCTAssertEqual(found.map(\.details.statement), ["SELECT 1"])
    }

    func testAColumnThatLacksOrIsThereTwiceIsRefused() {
        for index in columns.indices {
            var fewer = columns
            let name = fewer.remove(at: index).lowercased()
            var values = row()
            values.remove(at: index)
            assertRefused(fewer, [values], saying: "it lacks the column \(name)")
            assertRefused(columns + [name], [row() + ["9"]], saying: "it has the column \(name) twice")
        }
        assertRefused([], [], saying: "it lacks the column id")
    }

    func testARowOfAnotherLengthIsRefused() {
        for count in 0..<columns.count {
            assertRefused(columns, [row(), Array(row().prefix(count))], saying: "as many values")
        }
        assertRefused(columns, [row() + [nil]], saying: "as many values")
    }

    func testAnIDThatIsNoneIsRefusedAndOneBeyondPlansLeftOut() throws {
        for id in [nil, "", "x", "-1", "7.5", " 7", "18446744073709551616", "\u{0667}", "7\u{301}"] {
            assertRefused(columns, [row(id: id)], saying: "in place of a number")
        }
        for id in ["0", "4294967296", "18446744073709551615"] {
            XCTAssertEqual(try sessions(columns, [row(id: id), row()]).map(\.id.rawValue), [7])
        }
        assertRefused(columns, [row(), row(id: "9"), row(user: "other")], saying: "7 is in it twice")
    }

    func testTimesAreReadWhateverTheyAre() throws {
        let times: [String?: Int64?] = [
            "3": 3, "-1": -1, "0": 0, "9223372036854775807": .max, "-9223372036854775808": .min,
            "4294967295": 4_294_967_295, "18446744073709551615": nil, "-9223372036854775809": .min, "2.9": 2,
            "-0.5": -1,
            nil: nil,
        ]
        for (text, seconds) in times {
            XCTAssertEqual(try sessions(columns, [row(time: text)]).map(\.details.seconds), [seconds], text ?? "NULL")
        }
        for text in ["", "soon", "nan", "inf", "1e999", "0x", "3 s"] {
            assertRefused(columns, [row(time: text)], saying: "in place of a time")
        }
    }

    func testANameLongerThanAnyIsRefused() throws {
        XCTAssertEqual(try sessions(columns, [row(user: String(repeating: "x", count: 1_024))]).count, 1)
        assertRefused(columns, [row(user: String(repeating: "x", count: 1_025))], saying: "a name of 1025 bytes")
    }

    func testOneAnswerOfOneRowIsNeitherNoneNorTwo() throws {
        let one = MySQLResult(columns: ["a"], rows: [["1"]])
        XCTAssertEqual(try Rows([one], "it").only().integer("a"), 1)
        XCTAssertThrowsError(try Rows([], "it"))
        XCTAssertThrowsError(try Rows([one, one], "it"))
        XCTAssertThrowsError(try Rows(MySQLResult(columns: ["a"]), "it").only())
        XCTAssertThrowsError(try Rows(MySQLResult(columns: ["a"], rows: [["1"], ["1"]]), "it").only())
    }

    func testAMessageShowsNothingOfAStrangersThatATerminalWouldObey() {
        assertRefused(columns, [row(id: "\u{1B}[2J\u{202E}7")], saying: "\"?[2J???7\" in place of a number")
    }
}
