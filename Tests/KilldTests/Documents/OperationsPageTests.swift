import Foundation
import XCTest

@testable import killd

/// The page `Operations` of killd.docc is true.
final class OperationsPageTests: XCTestCase {
    private func page() throws -> String { try Document.page("Operations").text }

    /// As they are before anything has happened.
    private func metrics() -> String {
        let report = Readiness.Report(isDraining: false, store: .init(.works), instances: [])
        let process = ProcessFigures(
            startTime: 0, processorTime: 0, residentBytes: 0, openDescriptors: 0, descriptorLimit: 1)
        return String(decoding: MetricsPage.text(of: .init(), report: report, process: process), as: UTF8.self)
    }

    func testItListsEveryMetricWithItsTypeAndNoOther() throws {
        let types = metrics().matches(of: /(?m)^# TYPE (\S+) (\S+)$/).map { (String($0.1), String($0.2)) }
        let rows = try page().split(separator: "\n").filter { $0.hasPrefix("| `killd_") || $0.hasPrefix("| `process_") }
        var listed: [String: String] = [:]
        for row in rows {
            let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            for name in cells[0].matches(of: /`(\w+)`/) { listed[String(name.1)] = cells[1] }
        }
        XCTAssertEqual(listed, Dictionary(uniqueKeysWithValues: types))
    }

    func testItListsEveryStateOfAPlanThatIsCounted() throws {
        let states = metrics().matches(of: /(?m)^killd_plans_total\{state="([a-z-]+)"\}/).map { String($0.1) }
        XCTAssertGreaterThan(states.count, 3)
        let row = try XCTUnwrap(page().split(separator: "\n").first { $0.hasPrefix("| `killd_plans_total`") })
        XCTAssertEqual(Set(states).subtracting(String(row).inCode), [])
        let rows = try Document.rows(in: Document.page("API").section("States of a plan"))
        XCTAssertEqual(Set(states).subtracting(rows.flatMap { $0[0].inCode }), [])
    }

    func testItListsEveryMessageOfTheLog() throws {
        let page = try page()
        let folder = "Sources/killd"
        let path = Document.root.appendingPathComponent(folder).path
        let files = try FileManager.default.subpathsOfDirectory(atPath: path).filter { $0.hasSuffix(".swift") }
        var messages: Set<String> = []
        for name in files {
            let call = /(?:log\.|[ {])(?:debug|info|warning|error)\("([^"\\]+)"[,)]/
            for match in try Document("\(folder)/\(name)").text.matches(of: call) { messages.insert(String(match.1)) }
        }
        XCTAssertGreaterThan(messages.count, 10, "\(messages)")
        for message in messages where !message.contains(".") {
            XCTAssertTrue(page.contains("`\(message)`"), "\(message) is not explained")
        }
    }
}
