import Foundation
import XCTest

/// The page `Architecture` of killd.docc is true: its table and its picture show the targets of Package.swift.
final class ArchitecturePageTests: XCTestCase {
    /// What each target depends on, without those that only tests have.
    private func dependencies() throws -> [String: [String]] {
        let text = try Document("Package.swift").text
        let target = /(?:module|program|tests|\.target|\.systemLibrary)\(\s*(?:name: )?"([\w-]+)"/
        let starts = text.matches(of: target)
        let ends = starts.dropFirst().map(\.range.lowerBound) + [text.endIndex]
        var dependencies: [String: [String]] = [:]
        for (start, end) in zip(starts, ends) where !text[start.range].hasPrefix("tests") {
            let description = text[start.range.lowerBound..<end]
            guard !description.contains("path: \"Tests/") else { continue }
            let list = description.firstMatch(of: /(?:dependsOn|dependencies): \[([^\]]*)\]/)?.1 ?? ""
            dependencies[String(start.1)] = list.matches(of: /"([\w-]+)"/).map { String($0.1) }
        }
        return dependencies
    }

    func testItsTableHasEveryModuleWithWhatItDependsOn() throws {
        let rows = try Document.rows(in: Document.page("Architecture").section("The modules"))
        let listed = rows.flatMap { row in row[0].inCode.map { ($0, Set(row[2].inCode)) } }
        let expected = try dependencies().mapValues { Set($0) }
        XCTAssertGreaterThan(expected.count, 20)
        XCTAssertEqual(Set(listed.map(\.0)), Set(expected.keys))
        XCTAssertEqual(listed.count, expected.count)
        for (module, dependencies) in listed { XCTAssertEqual(dependencies, expected[module], module) }
    }

    func testItsPictureHasEveryModuleAboveThoseThatItDependsOn() throws {
        let (modules, dependencies) = (try modulesOfPicture(), try dependencies())
        XCTAssertEqual(Set(modules.keys), Set(dependencies.keys))
        for (module, lower) in dependencies {
            for other in lower {
                XCTAssertLessThan(
                    try XCTUnwrap(modules[module]).height, try XCTUnwrap(modules[other]).height, "\(module), \(other)")
            }
        }
    }

    /// Those that another arrow makes superfluous are not drawn.
    func testTheArrowsOfItsPictureAreTheDependenciesAmongThoseThatCarryRequests() throws {
        let modules = try modulesOfPicture().filter { $0.value.kind == "module" }.keys
        let direct = try dependencies().filter { modules.contains($0.key) }.mapValues { $0.filter(modules.contains) }
        func reached(from module: String) -> Set<String> {
            (direct[module] ?? []).reduce(into: []) { $0.formUnion(reached(from: $1).union([$1])) }
        }
        var expected: Set<[String]> = []
        for (module, lower) in direct {
            for other in lower where !lower.contains(where: { reached(from: $0).contains(other) }) {
                expected.insert([module, other])
            }
        }
        let arrows = try picture().matches(of: /data-from="([\w-]+)" data-to="([\w-]+)"/)
        XCTAssertEqual(Set(arrows.map { [String($0.1), String($0.2)] }), expected)
        XCTAssertEqual(arrows.count, expected.count)
    }

    func testTheTypesThatItNamesAreThere() throws {
        let page = try Document.page("Architecture")
        let values = Document.rows(in: page.section("Values that decide")).flatMap { ($0[0] + $0[2]).inCode }
        let callers = page.section("One way for three callers").prefix { !$0.hasPrefix("|") }.joined().inCode
        let names = Set(values + callers).subtracting(["KillMySqlThreads"])
        XCTAssertGreaterThan(names.count, 12)
        XCTAssertEqual(names.subtracting(try declaredTypes()), [])
    }

    private func declaredTypes() throws -> Set<String> {
        let folder = Document.root.appendingPathComponent("Sources").path
        var types: Set<String> = []
        for file in try FileManager.default.subpathsOfDirectory(atPath: folder) where file.hasSuffix(".swift") {
            for line in try Document("Sources/\(file)").text.split(separator: "\n") where line.first?.isLetter == true {
                let words = line.split(maxSplits: 4) { !$0.isLetter && !$0.isNumber }
                guard let kind = words.firstIndex(where: { ["struct", "class", "actor", "enum"].contains($0) }),
                    kind + 1 < words.count
                else { continue }
                types.insert(String(words[kind + 1]))
            }
        }
        return types
    }

    private func picture() throws -> String { try Document("Sources/killd/killd.docc/architecture.svg").text }

    /// - Returns: `height` grows from top to bottom.
    private func modulesOfPicture() throws -> [String: (kind: String, height: Int)] {
        let labels = try picture().matches(
            of: /<text class="(program|module|tool|library)" x="\d+" y="(\d+)"[^>]*>([\w-]+)</)
        return try labels.reduce(into: [:]) { modules, label in
            XCTAssertNil(modules[String(label.3)])
            modules[String(label.3)] = (String(label.1), try XCTUnwrap(Int(label.2)))
        }
    }
}
