import XCTest

@testable import killd

/// What the README shows is true, and it is short.
final class ReadmeTests: XCTestCase {
    func testItIsShortEnoughToBeRead() throws {
        XCTAssertLessThanOrEqual(try Document.readme().text.utf8.count, 12_288)
    }

    func testItNamesEveryPage() throws {
        let readme = try Document.readme()
        let pages = try Document.pages()
        XCTAssertGreaterThan(pages.count, 10)
        for page in pages { XCTAssertTrue(readme.text.contains("(\(page.path))"), page.path) }
    }

    func testEveryCommandThatItAndThePageOfClientsShowExists() async throws {
        let shell = try [Document.readme(), Document.page("Clients")].flatMap { $0.blocks(of: "sh") }.joined()
        let names = Set(shell.matches(of: /(?m)^killd ([a-z-]+)/).map { String($0.1) })
        XCTAssertTrue(
            names.isSuperset(of: ["init", "check", "serve", "sessions", "prepare", "show", "commit", "history"]))
        for name in names {
            let status = await Program.run([name, "--help"])
            XCTAssertEqual(status, .done, name)
        }
    }
}
