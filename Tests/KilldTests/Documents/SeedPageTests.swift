import Foundation
import ScriptedServers
import XCTest

/// What the page `StandIn` says of seeds is true.
final class SeedPageTests: XCTestCase {
    private static func seed(_ instance: String = "", account: String = "", key: String = "") -> String {
        #"{"accounts":[{"name":"a","may":["list"]\#(account)}],"instances":[{"id":"x"\#(instance)}]\#(key)}"#
    }

    private func error(of json: String) throws -> SeedError {
        try XCTUnwrap(Result { try Seed(json: Array(json.utf8)) }.thrown as? SeedError, json)
    }

    /// - Parameter json: a seed with one key that there is not.
    private func keysKnown(in json: String) throws -> [String] {
        let words = try error(of: json).expected
        if words.hasSuffix("none is known here") { return [] }
        return try XCTUnwrap(words.components(separatedBy: "known here: ").dropFirst().first, words)
            .components(separatedBy: ", ").sorted()
    }

    private func rows(_ section: String) throws -> [[String]] {
        let rows = Document.rows(in: try Document.page("StandIn").section(section))
        XCTAssertGreaterThan(rows.count, 1, section)
        return rows
    }

    func testItListsEveryKeyThatIsKnownAndNoOther() throws {
        let session = #"{"id":1,"user":"u","wrong":1}"#
        for (section, json) in [
            ("The keys of a seed", Self.seed(key: #","wrong":1"#)),
            ("Accounts of a seed", Self.seed(account: #","wrong":1"#)),
            ("Instances of a seed", Self.seed(#","wrong":1"#)),
            ("Servers", Self.seed(#","server":{"wrong":1}"#)),
            ("Sessions", Self.seed(#","sessions":[\#(session)]"#)),
        ] {
            let listed = try rows(section).flatMap { $0[0].inCode }
            XCTAssertEqual(listed.sorted(), try keysKnown(in: json), section)
        }
    }

    /// The words that the parser offers in place of one that it does not know.
    private func words(offeredFor json: String) throws -> [String] {
        let offer = try error(of: json).expected.components(separatedBy: ", found")[0]
        return offer.matches(of: /"([A-Za-z]+)"/).map { String($0.1) }.sorted()
    }

    func testItListsEveryBehaviourFaultAndMomentAndNoOther() throws {
        func session(_ behaviour: String) -> String {
            Self.seed(#","sessions":[{"id":1,"user":"u","behaviour":\#(behaviour)}]"#)
        }
        XCTAssertEqual(
            try rows("Behaviours").flatMap { $0[0].inCode }.sorted(), try words(offeredFor: session(#""?""#)))
        XCTAssertEqual(
            try rows("Faults").flatMap { $0[0].inCode }.sorted(),
            try words(offeredFor: Self.seed(#","server":{"faults":["?"]}"#)))
        XCTAssertEqual(
            try rows("When something happens").flatMap { $0[0].matches(of: /[A-Za-z]+/).map { String($0.0) } }.sorted(),
            try words(offeredFor: session(#"{"vanishes":{"when":1}}"#)))
    }

    func testItListsWhatGoesWithEachBehaviourAndFault() throws {
        for row in try rows("Behaviours") where row[1] != "a list" {
            let json = Self.seed(
                #","sessions":[{"id":1,"user":"u","behaviour":{"\#(row[0].inCode[0])":\#(needed(row[0])) }}]"#)
            try assert(row, goesWith: json)
        }
        for row in try rows("Faults") {
            for fault in row[0].inCode {
                try assert(row, goesWith: Self.seed(#","server":{"faults":[{"\#(fault)":{"wrong":1}}]}"#))
            }
        }
    }

    /// What goes with a behaviour that is nothing without, and a key that there is not.
    private func needed(_ behaviour: String) -> String {
        switch behaviour.inCode[0] {
        case "rollsBack": #"{"seconds":1,"wrong":1}"#
        case "replaced": #"{"by":{"user":"v"},"wrong":1}"#
        case "changes": #"{"to":{},"wrong":1}"#
        default: #"{"wrong":1}"#
        }
    }

    private func assert(_ row: [String], goesWith json: String) throws {
        // In parentheses stand the defaults.
        let listed = row[1].replacing(/\([^)]*\)/, with: "").inCode.sorted()
        let known = try keysKnown(in: json)
        XCTAssertEqual(listed, known, row[0])
    }

    func testItsExamplesAreSeedsOfTheTests() throws {
        let folder = Document.root.appendingPathComponent("Tests/ScriptedServersTests/Seeds")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).map {
            try String(contentsOf: folder.appendingPathComponent($0), encoding: .utf8)
        }
        let examples = try Document.page("StandIn").blocks(of: "json").filter { $0.contains("\"instances\"") }
        XCTAssertGreaterThanOrEqual(examples.count, 4)
        for example in examples {
            XCTAssertTrue(files.contains(example), example)
            XCTAssertNoThrow(try Seed(json: Array(example.utf8)))
        }
    }

    func testItTellsTheStandardAccounts() throws {
        let row = try rows("The keys of a seed")[0][1]
        for account in try Seed.standard().accounts { XCTAssertTrue(row.contains("`\(account.name)`"), account.name) }
    }
}

extension Result {
    fileprivate var thrown: Failure? { if case .failure(let error) = self { error } else { nil } }
}
