import Foundation
import TencentCloudErrors
import XCTest

@testable import killd

/// What the README shows is true.
final class ReadmeTests: XCTestCase {
    private func readme() throws -> String { try text(of: "README.md") }

    private func text(of file: String) throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appendingPathComponent(file), encoding: .utf8)
    }

    func testTheConfigurationThatItShowsIsAccepted() throws {
        setenv("KILLD_CI_KEY", "x", 1)
        setenv("ORDERS_PASSWORD", "y", 1)
        let blocks = try readme().components(separatedBy: "```").filter { $0.hasPrefix("json\n") }
        let block = try XCTUnwrap(blocks.first { $0.contains("\"accounts\"") })
        let configuration = try Configuration(json: Array(block.dropFirst(5).utf8), folder: "/tmp")
        XCTAssertEqual(configuration.instances.map(\.id), ["cdb-8jawylhf"])
    }

    func testEveryKeyThatItListsIsKnownAndEveryKnownKeyIsListed() throws {
        let text = try readme()
        let error = textOfError {
            try Configuration(
                json: Array(
                    #"{"accounts":[{"name":"a","uin":"1","secretId":"b","secretKey":"c","may":["*"],"instances":["*"]}],"instances":[{"id":"x","host":"h","user":"u"}],"wrong":1}"#
                        .utf8), folder: "/tmp")
        }
        let known = try XCTUnwrap(error.components(separatedBy: "known here: ").last).components(separatedBy: ", ")
        XCTAssertGreaterThan(known.count, 8)
        for key in known where key != "accounts" && key != "instances" {
            XCTAssertTrue(text.contains("`\(key)`"), key)
        }
    }

    func testEveryCommandThatItShowsExists() async throws {
        let shell = try readme().components(separatedBy: "```").filter { $0.hasPrefix("sh\n") }.joined()
        let names = Set(shell.matches(of: /(?m)^killd ([a-z]+)/).map { String($0.1) })
        XCTAssertTrue(
            names.isSuperset(of: ["init", "check", "serve", "sessions", "prepare", "show", "commit", "history"]))
        for name in names {
            let status = await Program.run([name, "--help"])
            XCTAssertEqual(status, .done, name)
        }
    }

    func testTheFileOfTextsThatItPointsToHasAllOfOursAndNoOther() throws {
        let page = "Sources/killd/killd.docc/Messages.md"
        XCTAssertTrue(try readme().contains("(\(page))"))
        let block = try XCTUnwrap(
            text(of: page).components(separatedBy: "```").first { $0.hasPrefix("json\n") }
        ).dropFirst(5)
        let texts = try XCTUnwrap(JSONSerialization.jsonObject(with: Data(block.utf8)) as? [String: String])
        XCTAssertEqual(
            Set(MessageOverrides.textsOfOurs.map(\.template)).symmetricDifference(texts.keys), [])
        for (text, replacement) in texts { XCTAssertEqual(text, replacement) }
        XCTAssertNoThrow(try MessageOverrides(texts.map { ($0.key, $0.value) }))
    }

    private func textOfError(_ body: () throws -> some Any) -> String {
        do {
            _ = try body()
        } catch {
            return "\(error)"
        }
        XCTFail("nothing was thrown")
        return ""
    }
}
