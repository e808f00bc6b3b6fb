import RequestSigning
import SessionKill
import XCTest

@testable import Webhooks

/// What people and programs are told.
final class MessageTests: XCTestCase {
    private func body(
        _ format: WebhookFormat, _ notices: [Notice], _ language: NoticeLanguage = .english
    ) throws -> (bytes: [UInt8], object: [String: Any]) {
        let bytes = try format.body(of: notices, in: language)
        let object = try JSONSerialization.jsonObject(with: Data(bytes))
        return (bytes, try XCTUnwrap(object as? [String: Any]))
    }

    /// What who reads the chat sees, title and text.
    private func shown(_ format: WebhookFormat, _ notices: [Notice], _ language: NoticeLanguage = .english) throws
        -> String
    {
        let object = try body(format, notices, language).object
        switch format {
        case .standard: return ""
        case .slack:
            let blocks = try XCTUnwrap(object["blocks"] as? [[String: Any]])
            let texts = blocks.compactMap { ($0["text"] as? [String: Any])?["text"] as? String }
            return texts.joined(separator: "\n")
        case .feishu:
            let card = try XCTUnwrap(object["card"] as? [String: Any])
            let header = try XCTUnwrap((card["header"] as? [String: Any])?["title"] as? [String: Any])
            let element = try XCTUnwrap((card["elements"] as? [[String: Any]])?.first?["text"] as? [String: Any])
            XCTAssertEqual([header["tag"] as? String, element["tag"] as? String], ["plain_text", "plain_text"])
            return try XCTUnwrap(header["content"] as? String) + "\n" + XCTUnwrap(element["content"] as? String)
        case .wecom, .dingtalk:
            let markdown = try XCTUnwrap(object["markdown"] as? [String: String])
            return try XCTUnwrap(markdown["content"] ?? markdown["text"])
        }
    }

    private let chats: [WebhookFormat] = [.slack, .feishu, .wecom, .dingtalk]

    func testEveryChatIsToldWhatThereIsToDecideByWhenAndForWhom() throws {
        for format in chats {
            let english = try shown(format, [.asking(link: "https://killd.example/plan-abc")])
            for part in [
                "Approval needed to end 3 sessions on cdb-1 (risk: high)", "plan-abc", "2026-09-21 14:23:20 UTC",
                "high: 250,000 rows to undo; holds a lock of GET_LOCK", "app, report", "ci, for dan", "ticket 4711",
                "0 of 2", "https://killd.example/plan-abc", "killd show plan-abc", "7 hash ab12",
            ] { XCTAssertTrue(english.contains(part), "\(format): \(part) in \(english)") }
            let chinese = try shown(format, [.asking()], .chinese)
            for part in [
                "待审批：结束 3 个会话，实例 cdb-1（风险：高）", "北京时间 2026-09-21 22:23:20",
                "需回滚 250000 行；持有 GET_LOCK 锁", "ci，代 dan", "ticket 4711", "0/2",
            ] { XCTAssertTrue(chinese.contains(part), "\(format): \(part) in \(chinese)") }
        }
    }

    func testEveryKindHasATitleOfItsOwnInBothLanguages() throws {
        for language in NoticeLanguage.allCases {
            let titles = Notice.Kind.allCases.map { NoticeText(.ended($0), in: language).title }
            XCTAssertEqual(Set(titles).count, Notice.Kind.allCases.count, "\(titles)")
        }
    }

    func testEveryReasonIsWordedInBothLanguages() {
        for language in NoticeLanguage.allCases {
            let words = RiskReason.Kind.allCases.map { language.text(RiskReason($0, grade: .high, count: 3)) }
            XCTAssertEqual(Set(words).count, RiskReason.Kind.allCases.count, "\(words)")
        }
    }

    func testACommitIsToldByWhatWasSeenToDie() throws {
        let notice = Notice.ended(.committed, outcomes: [.killed: 2, .unknown: 1], killed: 2)
        for format in chats {
            let text = try shown(format, [notice])
            XCTAssertTrue(text.contains("2 of 3 (killed 2, unknown 1)"), text)
            XCTAssertFalse(text.contains("until"), text)
        }
    }

    func testTheStandardFormatTellsProgramsTheSame() throws {
        let object = try body(.standard, [.asking(link: "https://killd.example/x")]).object
        XCTAssertEqual(object["type"] as? String, "plan.prepared")
        XCTAssertEqual(object["timestamp"] as? String, "2026-09-21T14:13:20Z")
        let data = try XCTUnwrap(object["data"] as? [String: Any])
        XCTAssertEqual(data["plan"] as? String, "plan-abc")
        XCTAssertEqual(data["link"] as? String, "https://killd.example/x")
        XCTAssertEqual((data["Audit"] as? [String: Any])?["Hash"] as? String, Notice.sampleHash)
        let content = try XCTUnwrap(data["content"] as? [String: Any])
        XCTAssertEqual(content["deadline"] as? String, "2026-09-21T14:23:20Z")
        XCTAssertEqual(content["grade"] as? String, "high")
        XCTAssertEqual((content["reasons"] as? [[String: Any]])?.first?["kind"] as? String, "rows-to-undo")
        XCTAssertEqual(content["required"] as? Int, 2)
        XCTAssertEqual(content["users"] as? [String], ["app", "report"])
        let type = try body(.standard, [.ended(.brokeGlass)]).object["type"] as? String
        XCTAssertEqual(type, "plan.broke_glass")
    }

    func testNothingThatSomebodyWroteMentionsLinksOrForgesALine() throws {
        let evil =
            "<!channel> <at user_id=\"all\"></at> <@all> @all [pay](https://evil.example) ![](https://evil.example/x)\n"
            + "Approvals: 2 of 2\u{202E}\u{200B}`x`"
        let notice = Notice.asking(reason: evil, users: [evil], preparedBy: evil, requestedBy: evil)
        for format in chats {
            let text = try shown(format, [notice])
            XCTAssertFalse(text.contains("\nApprovals: 2 of 2"), text)
            XCTAssertFalse(text.unicodeScalars.contains("\u{202E}"), text)
            XCTAssertFalse(text.unicodeScalars.contains("\u{200B}"), text)
            switch format {
            case .slack: XCTAssertFalse(text.contains("<"), text)
            case .wecom, .dingtalk:
                for part in ["<", "@", "](", "`", "!["] { XCTAssertFalse(text.contains(part), "\(part) in \(text)") }
            // A plain_text element shows everything as it is.
            case .feishu, .standard: break
            }
        }
        let slackText = try XCTUnwrap(body(.slack, [notice]).object["text"] as? String)
        XCTAssertFalse(slackText.contains("<"), slackText)
    }

    func testNoMessageIsLongerThanItsReceiverTakesHoweverLongWhatItTellsOf() throws {
        for filling in ["x", "&", "é", "名", "\u{1}", "👩‍👩‍👧‍👧", "e\u{301}\u{301}\u{301}\u{301}", "\"", "\\"] {
            let long = String(repeating: filling, count: 3_000)
            var notice = Notice.asking(
                instance: String(long.prefix(120)), reason: long, users: (1...500).map { "\($0)\(long)" },
                preparedBy: long, requestedBy: long, link: "https://killd.example/console/plan-abc")
            notice.comment = long
            notice.content?.approvedBy = (1...200).map { PersonName(rawValue: "\($0)\(long)") }
            for language in NoticeLanguage.allCases {
                for notices in [[notice], Array(repeating: notice, count: 500)] {
                    let slack = try shown(.slack, notices, language)
                    XCTAssertTrue(slack.components(separatedBy: "\n").allSatisfy { $0.count <= 3_000 })
                    XCTAssertLessThanOrEqual(slack.count, 3_200, filling)
                    XCTAssertLessThan(try body(.feishu, notices, language).bytes.count, 20_000, filling)
                    XCTAssertLessThanOrEqual(try shown(.wecom, notices, language).utf8.count, 4_096, filling)
                    XCTAssertLessThan(try body(.dingtalk, notices, language).bytes.count, 20_000, filling)
                    for format in chats {
                        XCTAssertTrue(
                            try shown(format, notices, language).contains("7 hash \(Notice.sampleHash)"), filling)
                    }
                }
                XCTAssertLessThan(try body(.standard, [notice], language).bytes.count, 20_000, filling)
                for format in chats where filling == "x" {
                    XCTAssertTrue(
                        try shown(format, [notice], language).contains("https://killd.example/console/plan-abc"))
                }
            }
        }
    }

    func testATextIsCutBetweenCharactersAndNeverWithinAnEscape() {
        for limit in 0...40 {
            for text in ["a&b<c>d&&&&&&&", "名名名名名名", "👩‍👩‍👧‍👧👩‍👩‍👧‍👧", "e\u{301}e\u{301}e\u{301}"] {
                let cut = Markup.slack.escaped(text, bytes: limit)
                XCTAssertLessThanOrEqual(cut.utf8.count, limit)
                var rest = cut.hasSuffix("…") ? String(cut.dropLast()) : cut
                for (escape, character) in [("&amp;", "+"), ("&lt;", "+"), ("&gt;", "+")] {
                    rest = rest.replacingOccurrences(of: escape, with: character)
                }
                XCTAssertFalse(rest.contains("&"), cut)
                XCTAssertFalse(rest.unicodeScalars.first?.value == 0x301, cut)
            }
        }
        XCTAssertEqual(Markup.slack.escaped("a&b", bytes: 7), "a&amp;b")
        XCTAssertEqual(Markup.slack.escaped("a&bc", bytes: 7), "a…")
    }

    func testAnApprovalIsNotSaidToLackOthersOnceNobodyCanGiveThem() throws {
        var notice = Notice.asking()
        notice.kind = .approved
        XCTAssertTrue(try shown(.slack, [notice]).contains("2 more needed"))
        notice.content?.deadline = nil
        XCTAssertFalse(try shown(.slack, [notice]).contains("more needed"))
    }

    func testAnEntryThatIsNoLongerKeptIsToldOfWithoutWhoItWas() throws {
        let message = OutboxMessage(
            id: 1, entry: 7, hash: Notice.sampleHash, kind: .committed, time: UnixTime(milliseconds: 1_790_000_000_000),
            payload: nil, plan: PlanName(rawValue: "plan-abc"), attempts: 0, dueAt: UnixTime(milliseconds: 0))
        let notice = try XCTUnwrap(
            Notice(message, plan: nil, store: "st0re", publicURL: nil, at: UnixTime(milliseconds: 0)))
        for format in chats {
            let text = try shown(format, [notice])
            XCTAssertTrue(text.contains("plan-abc") && text.contains("7 hash \(Notice.sampleHash)"), text)
        }
    }

    func testASummaryNamesEveryPlanAndTheDeadlineOfWhatIsToBeDecided() throws {
        let text = try shown(.wecom, [.asking(), .ended(.committed), .ended(.brokeGlass)])
        XCTAssertTrue(text.contains("3 messages of killd"), text)
        XCTAssertTrue(text.contains("until 2026-09-21 14:23:20 UTC"), text)
        XCTAssertTrue(text.contains("GLASS BROKEN"), text)
    }

    func testAnAddressIsNeverShown() throws {
        let target = try WebhookTarget.sample(.slack)
        var shown = "\(target) \(target.address) \(String(reflecting: target.address))"
        dump(target, to: &shown)
        XCTAssertFalse(shown.contains("s3cr3t"), shown)
        XCTAssertFalse(shown.contains("T0"), shown)
    }

    func testOnlyPlainAddressesOfHTTPAreTaken() {
        for right in [
            "https://hooks.example/a?b=c", "http://127.0.0.1:80", "https://[::1]:8443/x?y", "https://h?key=1",
        ] { XCTAssertNotNil(WebhookAddress(Secret(right)), right) }
        for wrong in [
            "", "hooks.example/a", "ftp://h/", "file:///etc/passwd", "https://user:pass@h/", "https://h/#a",
            "https:///a",
            "https://h:0/", "https://h:99999/", "https://h/ä", "https://h/a b", "https://h/\r\nX: y", "HTTPS://h/",
        ] { XCTAssertNil(WebhookAddress(Secret(wrong)), wrong) }
    }
}
