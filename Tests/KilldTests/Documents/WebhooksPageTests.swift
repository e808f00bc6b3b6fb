import Foundation
import XCTest

@testable import Webhooks
@testable import killd

/// The page `Webhooks` of killd.docc is true.
final class WebhooksPageTests: XCTestCase {
    private func read(_ members: String) throws -> Configuration {
        let account = #"{"name":"a","uin":"1","secretId":"b","secretKey":"c","may":["*"],"instances":["*"]}"#
        let json = #"{"accounts":[\#(account)],"instances":[{"id":"x","host":"h","user":"u"}],\#(members)}"#
        return try Configuration(json: Array(json.utf8), folder: "/nowhere")
    }

    func testItListsEveryKeyOfAWebhookAndNoOther() throws {
        var words = ""
        XCTAssertThrowsError(try read(#""webhooks":[{"format":"slack","url":"https://h/","wrong":1}]"#)) {
            words = "\($0)"
        }
        let known = try XCTUnwrap(words.components(separatedBy: "known here: ").last).components(separatedBy: ", ")
        XCTAssertGreaterThan(known.count, 6, words)
        let rows = try Document.rows(in: Document.page("Webhooks").section("The keys of a webhook"))
        XCTAssertEqual(rows.flatMap { $0[0].inCode }.sorted(), known.sorted())
    }

    func testItListsEveryFormatEventAndLanguage() throws {
        let rows = try Document.rows(in: Document.page("Webhooks").section("The keys of a webhook"))
        func words(of key: String) throws -> Set<String> {
            Set(try XCTUnwrap(rows.first { $0[0].inCode == [key] })[1].inCode)
        }
        XCTAssertEqual(try words(of: "format"), Set(WebhookFormat.allCases.map(\.rawValue)))
        XCTAssertEqual(try words(of: "events"), Set(Notice.Kind.allCases.map(\.rawValue)))
        XCTAssertEqual(try words(of: "language"), Set(NoticeLanguage.allCases.map(\.rawValue)))
    }

    func testTheConfigurationThatItShowsIsTaken() throws {
        let block = try XCTUnwrap(Document.page("Webhooks").blocks(of: "json").first)
        setenv("KILLD_FEISHU_URL", "https://open.feishu.cn/open-apis/bot/v2/hook/x", 1)
        setenv("KILLD_FEISHU_SECRET", "demo", 1)
        let mirror = #"{ "env": "KILLD_MIRROR" }"#
        setenv("KILLD_MIRROR", "https://mirror.example/", 1)
        setenv("KILLD_MIRROR_KEY", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1)
        let shown = block.replacingOccurrences(of: #"{ "file": "mirror.url" }"#, with: mirror)
            .replacingOccurrences(of: #"{ "file": "mirror.secret" }"#, with: #"{ "env": "KILLD_MIRROR_KEY" }"#)
        let webhooks = try read(shown).webhooks
        XCTAssertEqual(webhooks.targets.map(\.name), ["feishu", "audit-mirror"])
        XCTAssertEqual(webhooks.publicURL, "https://killd.example")
    }

    func testThePausesBetweenAttemptsAreThoseThatItTells() throws {
        let text = try Document.page("Webhooks").text
        XCTAssertTrue(text.contains("after 5 s, 30 s, 2, 10 and 30 min, 2, 6 and 15 h"))
        XCTAssertEqual(RetrySchedule.delays, [0, 5, 30, 120, 600, 1_800, 7_200, 21_600, 54_000])
    }
}
