import Foundation
import XCTest

/// The end-to-end tests, as their sources tell.
struct SourceTests {
    struct Function {
        let name: String
        /// Of whose file it is.
        let className: String?
        let path: String
        let body: Substring
    }

    let files: [(path: String, text: String)]
    private let functions: [Function]
    private let bodies: [String: [Substring]]

    init() throws {
        files = try ServedAPI.sources(below: "Tests/EndToEndTests")
        functions = files.flatMap(Self.functions)
        let helpers = try ServedAPI.sources(below: "Tests/TestSupport").flatMap(Self.functions)
        bodies = Dictionary(grouping: functions + helpers, by: \.name).mapValues { $0.map(\.body) }
        XCTAssertGreaterThan(functions.count, 300)
    }

    private static func functions(_ file: (path: String, text: String)) -> [Function] {
        let className = file.text.firstMatch(of: /final class (\w+Tests): XCTestCase/).map { String($0.1) }
        let starts = file.text.matches(
            of: /(?m)^ *(?:@discardableResult\n *)?(?:public |private |fileprivate |static |@\w+ )*func (\w+)/)
        return starts.enumerated().map { index, start in
            let end = index + 1 < starts.count ? starts[index + 1].range.lowerBound : file.text.endIndex
            return Function(
                name: String(start.1), className: className, path: file.path,
                body: file.text[start.range.lowerBound..<end])
        }
    }

    /// The test classes in whose tests a text stands.
    func classes(with text: String) -> [String] {
        Array(Set(functions.filter { $0.body.contains(text) }.compactMap(\.className))).sorted()
    }

    struct Law {
        let number: Int
        let className: String
        let tests: [String]
        let servers: [String]
    }

    /// The classes whose comment says which law they are of.
    func laws() -> [Law] {
        files.flatMap { file -> [Law] in
            file.text.matches(of: /(?m)^\/\/\/ Law (\d+)\b[^\n]*\n(?:\/\/\/[^\n]*\n)*final class (\w+): XCTestCase/).map
            { match in
                let tests = functions.filter { $0.path == file.path && $0.name.hasPrefix("test") }
                return Law(
                    number: Int(match.1) ?? 0, className: String(match.2), tests: tests.map(\.name),
                    servers: Set(tests.flatMap(servers)).sorted())
            }
        }.sorted { ($0.number, $0.className) < ($1.number, $1.className) }
    }

    /// The kinds of server on which a test runs: those that it names, or every kind.
    private func servers(of test: Function) -> [String] {
        var seen: Set<String> = []
        var waiting: [Substring] = [test.body]
        while let body = waiting.popLast() {
            var named: [String] = []
            if body.contains(/RealServer\.(shared|start)\(\.mariadb/) { named.append("MariaDB") }
            if body.contains(/RealServer\.(shared|start)\(\.mysql/) { named.append("MySQL") }
            if !named.isEmpty { return named }
            if body.contains("onEveryServer(") || body.contains("onEveryServer {") { return ["MariaDB", "MySQL"] }
            for call in body.matches(of: /\b([a-z]\w+)(?:\(| \{)/) where seen.insert(String(call.1)).inserted {
                waiting += bodies[String(call.1)] ?? []
            }
        }
        return []
    }
}
