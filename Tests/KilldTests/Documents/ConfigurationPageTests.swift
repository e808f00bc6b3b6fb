import Foundation
import XCTest

@testable import killd

/// The page `Configuration` of killd.docc is true.
final class ConfigurationPageTests: XCTestCase {
    func testTheConfigurationThatItShowsIsAccepted() throws {
        setenv("KILLD_CI_KEY", "x", 1)
        setenv("ORDERS_PASSWORD", "y", 1)
        let block = try XCTUnwrap(
            Document.page("Configuration").blocks(of: "json").first { $0.contains("\"accounts\"") })
        let configuration = try Configuration(json: Array(block.utf8), folder: "/tmp")
        XCTAssertEqual(configuration.instances.map(\.id), ["cdb-8jawylhf"])
    }

    func testItListsEveryKeyThatIsKnownAndNoOther() throws {
        try assertLists("The keys of the file", keysKnownIn: configuration(key: #","wrong":1"#))
        try assertLists("Accounts", keysKnownIn: configuration(accountKey: #","wrong":1"#))
        try assertLists("Instances", keysKnownIn: configuration(instanceKey: #","wrong":1"#))
    }

    /// - Parameter json: a configuration with one key that there is not.
    private func assertLists(_ section: String, keysKnownIn json: String) throws {
        var words = ""
        XCTAssertThrowsError(try Configuration(json: Array(json.utf8), folder: "/tmp")) { words = "\($0)" }
        let known = try XCTUnwrap(words.components(separatedBy: "known here: ").last).components(separatedBy: ", ")
        XCTAssertGreaterThan(known.count, 6, words)
        let listed = try Document.rows(in: Document.page("Configuration").section(section)).flatMap { $0[0].inCode }
        XCTAssertEqual(listed.sorted(), known.sorted(), section)
    }

    private func configuration(key: String = "", accountKey: String = "", instanceKey: String = "") -> String {
        let account = #"{"name":"a","uin":"1","secretId":"b","secretKey":"c","may":["*"],"instances":["*"]"#
        let instance = #"{"id":"x","host":"h","user":"u""#
        return #"{"accounts":[\#(account)\#(accountKey)}],"instances":[\#(instance)\#(instanceKey)}]\#(key)}"#
    }

    func testNumbersOutsideTheRangesThatItListsAreRejected() throws {
        func read(_ key: String, _ value: Int) throws {
            let json = configuration(key: #","\#(key)":\#(value)"#)
            _ = try Configuration(json: Array(json.utf8), folder: "/tmp")
        }
        let rows = try Document.rows(in: Document.page("Configuration").section("The keys of the file"))
        let ranges = rows.compactMap { row -> (String, Int, Int)? in
            guard let match = row[2].wholeMatch(of: /(\d+) to (\d+)/), let least = Int(match.1), let most = Int(match.2)
            else { return nil }
            return (row[0].inCode.joined(), least, most)
        }
        XCTAssertEqual(ranges.count, 9)
        for (key, least, most) in ranges {
            XCTAssertNoThrow(try read(key, least), key)
            XCTAssertNoThrow(try read(key, most), key)
            XCTAssertThrowsError(try read(key, least - 1), key)
            XCTAssertThrowsError(try read(key, most + 1), key)
        }
    }
}
