import Foundation
import XCTest

@testable import killd

/// The page `Operations` of killd.docc is true.
final class OperationsPageTests: XCTestCase {
    private func page() throws -> String { try Document.page("Operations").text }

    func testItListsEveryMetricWithItsTypeAndNoOther() throws {
        let report = Readiness.Report(isDraining: false, store: .init(.works), instances: [])
        let process = ProcessFigures(
            startTime: 0, processorTime: 0, residentBytes: 0, openDescriptors: 0, descriptorLimit: 1)
        let text = String(
            decoding: MetricsPage.text(of: .init(), report: report, process: process), as: UTF8.self)
        let types = text.matches(of: /(?m)^# TYPE (\S+) (\S+)$/).map { (String($0.1), String($0.2)) }
        let rows = try page().split(separator: "\n").filter { $0.hasPrefix("| `killd_") || $0.hasPrefix("| `process_") }
        var listed: [String: String] = [:]
        for row in rows {
            let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            for name in cells[0].matches(of: /`(\w+)`/) { listed[String(name.1)] = cells[1] }
        }
        XCTAssertEqual(listed, Dictionary(uniqueKeysWithValues: types))
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
