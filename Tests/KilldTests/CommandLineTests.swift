import Foundation
import Synchronization
import XCTest

@testable import killd

final class CommandLineTests: XCTestCase {
    func testOptionsAndWordsMayStandInAnyOrder() throws {
        var arguments = Arguments(["12", "--instance", "cdb-1", "--json", "--limit=5", "13"])
        XCTAssertEqual(try arguments.option("--instance"), "cdb-1")
        XCTAssertEqual(try arguments.option("--limit"), "5")
        XCTAssertTrue(arguments.flag("--json"))
        XCTAssertFalse(arguments.flag("--json"))
        XCTAssertNil(try arguments.option("--region"))
        XCTAssertEqual(try arguments.positional(), ["12", "13"])
        XCTAssertNoThrow(try arguments.refuseTheRest())
    }

    func testWhatNobodyKnowsIsWrongUsage() {
        for words in [["--wrong"], ["-x", "1"], ["12", "--wrong=1"]] {
            var arguments = Arguments(words)
            XCTAssertThrowsError(try arguments.positional()) { XCTAssertTrue("\($0)".contains("there is no option")) }
        }
        var twice = Arguments(["--instance", "a", "--instance=b"])
        XCTAssertThrowsError(try twice.option("--instance"))
        var missing = Arguments(["--instance"])
        XCTAssertThrowsError(try missing.option("--instance"))
        var word = Arguments(["word"])
        XCTAssertThrowsError(try word.refuseTheRest())
    }

    func testAfterTwoDashesEverythingIsAWord() throws {
        var arguments = Arguments(["--", "--json"])
        XCTAssertFalse(arguments.flag("--json"))
        XCTAssertEqual(try arguments.positional(), ["--json"])
    }

    func testExitStatusTellsWrongUsageFromFailure() async {
        let usage: [[String]] = [
            [], ["nonsense"], ["serve"], ["serve", "--config"], ["check"], ["prepare", "--instance", "x"],
            ["prepare", "--secret-id", "a", "--secret-key", "b", "--instance", "x"],
            ["prepare", "--secret-id", "a", "--secret-key", "b", "--instance", "x", "4294967296"],
            ["prepare", "--secret-id", "a", "--secret-key", "b", "--instance", "x", "0"],
            ["commit", "--secret-id", "a", "--secret-key", "b", "--instance", "x"],
            ["sessions", "--secret-id", "a", "--secret-key", "b"], ["version", "--wrong"],
            ["history", "--secret-id", "a", "--secret-key", "b", "--ca", "ca.pem"],
            [
                "history", "--secret-id", "a", "--secret-key", "b", "--endpoint", "https://h", "--certificate", "c.pem",
            ],
        ]
        for words in usage {
            let status = await Program.run(words)
            XCTAssertEqual(status, .wrongUsage, "\(words)")
        }
        let failed = await Program.run(["serve", "--config", "/nonexistent/killd.json"])
        XCTAssertEqual(failed, .failed)
        for words in [["--help"], ["version"], ["serve", "--help"], ["commit", "--help"]] {
            let status = await Program.run(words)
            XCTAssertEqual(status, .done, "\(words)")
        }
    }

    func testALogLineIsOneJSONObjectWhateverItsFieldsHold() throws {
        let lines = LineCollector()
        let log = Log(format: .json, write: lines.append)
        log.warning("odd", [("reason", "a\"b\\c\nd\u{1}\u{1F}é")])
        let object =
            try JSONSerialization.jsonObject(with: Data(try XCTUnwrap(lines.all.first).utf8)) as? [String: String]
        XCTAssertEqual(object?["reason"], "a\"b\\c\nd\u{1}\u{1F}é")
        XCTAssertEqual(object?["level"], "warning")
        XCTAssertEqual(object?["message"], "odd")
        XCTAssertNotNil(object?["time"])
        XCTAssertEqual(lines.all.first?.filter { $0 == "\n" }.count, 1)
    }

    func testALogHasTheLinesOfItsLevelAndOfGraverOnes() {
        let lines = LineCollector()
        let log = Log(format: .text, write: lines.append)
        for (level, count) in [(Log.Level.info, 3), (.error, 1), (.debug, 4), (.warning, 2)] {
            log.level = level
            let before = lines.all.count
            log.debug("a")
            log.info("b")
            log.warning("c")
            log.error("d")
            XCTAssertEqual(lines.all.count - before, count, "\(level)")
            XCTAssertTrue(log.writes(level))
        }
    }
}

private final class LineCollector: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    var append: @Sendable ([UInt8]) -> Void {
        { line in self.lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
    }
}
