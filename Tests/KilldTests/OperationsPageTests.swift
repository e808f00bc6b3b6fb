import Foundation
import XCTest

@testable import killd

/// The page `Operations` of killd.docc is true.
final class OperationsPageTests: XCTestCase {
    private func file(_ path: String) throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    private func page() throws -> String { try file("Sources/killd/killd.docc/Operations.md") }

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
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent(folder)
        let files = try FileManager.default.subpathsOfDirectory(atPath: root.path).filter { $0.hasSuffix(".swift") }
        var messages: Set<String> = []
        for name in files {
            let call = /(?:log\.|[ {])(?:debug|info|warning|error)\("([^"\\]+)"[,)]/
            for match in try file("\(folder)/\(name)").matches(of: call) { messages.insert(String(match.1)) }
        }
        XCTAssertGreaterThan(messages.count, 10, "\(messages)")
        for message in messages where !message.contains(".") {
            XCTAssertTrue(page.contains("`\(message)`"), "\(message) is not explained")
        }
    }
}
