import Foundation
import XCTest

/// What the documents point at is there.
final class LinkTests: XCTestCase {
    func testEveryLinkToAFileOrHeadingLeadsSomewhere() throws {
        var count = 0
        for document in try Document.everything() {
            for match in document.prose.matches(of: /\]\(([^)\s]+)\)/) where !match.1.contains(":") {
                count += 1
                let parts = match.1.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
                let folder = Document.root.appendingPathComponent(document.path).deletingLastPathComponent()
                let file = parts[0].isEmpty ? document.path : folder.appendingPathComponent(String(parts[0])).path
                XCTAssertTrue(exists(file), "\(document.path): \(match.1)")
                guard parts.count == 2 else { continue }
                let path = URL(fileURLWithPath: file, relativeTo: Document.root).standardizedFileURL.path
                let target = try Document(String(path.dropFirst(Document.root.standardizedFileURL.path.count + 1)))
                XCTAssertTrue(target.headings.map(anchor).contains(String(parts[1])), "\(document.path): \(match.1)")
            }
        }
        XCTAssertGreaterThan(count, 15)
    }

    func testEveryLinkOfAPageToAnotherLeadsThere() throws {
        let pages = try Document.pages()
        var count = 0
        for page in pages {
            for match in page.prose.matches(of: /[<(]doc:([A-Za-z]+)(?:#([^>)\s]+))?[>)]/) {
                count += 1
                let place = "\(page.name): \(match.0)"
                let target = try XCTUnwrap(pages.first { $0.name == match.1 }, place)
                guard let heading = match.2 else { continue }
                let anchors = target.headings.map { $0.replacingOccurrences(of: " ", with: "-") }
                XCTAssertTrue(anchors.contains(String(heading)), place)
            }
        }
        XCTAssertGreaterThan(count, 25)
    }

    func testThePageOfTheModuleListsEveryOther() throws {
        let listed = try Document.page("killd").section("Topics").joined().matches(of: /<doc:([A-Za-z]+)>/)
            .map { String($0.1) }
        XCTAssertEqual(listed.sorted(), try Document.pages().map(\.name).filter { $0 != "killd" }.sorted())
    }

    func testEveryPathThatTheyNameIsThere() throws {
        var count = 0
        for document in try Document.everything() {
            for path in document.prose.inCode
            where path.contains(/^(Sources|Tests|Migrations|\.github|\.ci)\/[A-Za-z0-9._+\/-]+( |$)/) {
                count += 1
                XCTAssertTrue(exists(String(path.prefix { $0 != " " })), "\(document.path): \(path)")
            }
        }
        XCTAssertGreaterThan(count, 10)
    }

    /// - Parameter path: absolute, or from the root.
    private func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: URL(fileURLWithPath: path, relativeTo: Document.root).path)
    }

    /// As those who show Markdown files name a heading.
    private func anchor(_ heading: String) -> String {
        heading.lowercased().filter { $0.isLetter || $0.isNumber || " -_".contains($0) }
            .replacingOccurrences(of: " ", with: "-")
    }
}

extension Document {
    fileprivate var headings: [String] { prose.matches(of: /(?m)^#+ (.+)$/).map { String($0.1) } }
}
