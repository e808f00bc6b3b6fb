import DBbrainAPI
import Foundation
import Synchronization
import Text
import TestSupport
import XCTest

@testable import killd

/// What people are shown of strangers' texts.
final class VisibleTextTests: XCTestCase {
    func testWhatHasNoShapeIsShownAsAMark() {
        let cases = [
            ("", ""), ("SELECT 'é', \"日本\" -- 😀", "SELECT 'é', \"日本\" -- 😀"), ("cafe\u{301}", "cafe\u{301}"),
            ("a\nb\r\tc", #"a\nb\r\tc"#), ("\u{1B}[2J\u{7}\u{0}\u{7F}", #"\u{1B}[2J\u{7}\u{0}\u{7F}"#),
            ("\u{9B}31m\u{85}", #"\u{9B}31m\u{85}"#), ("user\u{202E}nimda", #"user\u{202E}nimda"#),
            (
                "\u{202A}\u{202B}\u{202C}\u{202D}\u{2066}\u{2067}\u{2068}\u{2069}\u{200E}\u{200F}\u{61C}",
                #"\u{202A}\u{202B}\u{202C}\u{202D}\u{2066}\u{2067}\u{2068}\u{2069}\u{200E}\u{200F}\u{61C}"#
            ),
            (
                "ro\u{200B}ot\u{200C}\u{200D}\u{2060}\u{FEFF}\u{AD}",
                #"ro\u{200B}ot\u{200C}\u{200D}\u{2060}\u{FEFF}\u{AD}"#
            ),
            ("a\u{2028}b\u{2029}c", #"a\u{2028}b\u{2029}c"#),
            ("\u{3164}\u{115F}\u{FFA0}\u{34F}", #"\u{3164}\u{115F}\u{FFA0}\u{34F}"#),
            ("x\u{FE0F}\u{E0101}\u{E0041}", #"x\u{FE0F}\u{E0101}\u{E0041}"#),
        ]
        for (text, visible) in cases { XCTAssertEqual(Array(text.visible.utf8), Array(visible.utf8), visible) }
    }

    /// Of all that Unicode has, so that nothing of a later version is forgotten.
    func testNoScalarWithoutWidthOrWithDirectionIsShown() {
        for value in UInt32(0)...0x10FFFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let properties = scalar.properties
            let isHidden =
                properties.isDefaultIgnorableCodePoint || properties.isBidiControl
                || [.control, .format, .lineSeparator, .paragraphSeparator].contains(properties.generalCategory)
            guard isHidden else { continue }
            XCTAssertFalse(String(scalar).visible.unicodeScalars.contains(scalar), String(value, radix: 16))
        }
    }

    func testWhatIsInterpolatedIsMadeVisibleAndOurOwnTextIsNot() {
        let stranger = "x\u{202E}\ny"
        let text: VisibleText = "one: \(stranger)\n\(VisibleText(lines: "two\nthree\u{200B}"))\n"
        XCTAssertEqual(text.text, "one: x\\u{202E}\\ny\ntwo\nthree\\u{200B}\n")
        XCTAssertEqual(CommandFailure("\(stranger)").description, #"x\u{202E}\ny"#)
        XCTAssertEqual(UsageError("there is no option \(stranger)").description, #"there is no option x\u{202E}\ny"#)
    }

    func testTablesShowNothingHiddenAndKeepTheirColumns() {
        var table = Table("ID", "USER", "INFO")
        table.rows = [
            ["1", "ro\u{200B}ot", "SELECT '\u{1B}[2J\r\n'"], ["12345", "cafe\u{301}", "ü"], ["2", "a", "\u{202E}"],
        ]
        XCTAssertEqual(
            table.text.text,
            #"""
            ID     USER          INFO
            1      ro\u{200B}ot  SELECT '\u{1B}[2J\r\n'
            12345  café          ü
            2      a             \u{202E}

            """#.replacingOccurrences(of: "café", with: "cafe\u{301}"))
    }

    func testColumnsAreCountedAsTerminalsShowThem() {
        let cases = [
            ("", 0), ("app", 3), ("café", 4), ("cafe\u{301}", 4), ("日本語", 6), ("订单 orders", 11), ("한글", 4),
            ("\u{1112}\u{1161}\u{11AB}", 2), ("ｆｕｌｌ", 8), ("ﾊﾝ", 2), ("😀", 2), ("🇨🇳", 2), ("《订单》", 8), ("𠀀", 2),
            ("Ω→±", 3), ("नि", 2),
        ]
        for (text, width) in cases { XCTAssertEqual(text.width, width, text) }
        var table = Table("USER", "DB")
        table.rows = [["app", "shop"], ["订单", "shop"]]
        XCTAssertEqual(table.text.text, "USER  DB\napp   shop\n订单  shop\n")
    }

    func testEveryViewOfAPlanOrSessionIsMadeVisible() throws {
        let hidden = "x\u{202E}y\u{200B}\u{2028}\u{1B}"
        let decision = ["Kind": hidden, "Account": hidden, "Person": hidden, "At": hidden, "Reason": hidden]
        let plan = try JSONDecoder().decode(
            KillPlanDescription.self,
            from: try JSONSerialization.data(withJSONObject: [
                "PlanName": hidden, "InstanceId": hidden, "Account": hidden, "Task": hidden, "State": hidden,
                "Digest": hidden, "PreparedAt": hidden, "ExpiresAt": hidden, "EndedAt": hidden, "RecordHistory": true,
                "Server": ["Version": hidden, "Hostname": hidden, "Port": 1, "ServerId": 1],
                "RequestedBy": hidden, "Reason": hidden, "Risk": ["Grade": hidden, "Reasons": [hidden]], "Required": 1,
                "Approvals": [
                    [
                        "Person": hidden, "Account": hidden, "At": hidden, "Address": hidden, "Comment": hidden,
                        "Valid": true,
                    ] as [String: Any]
                ], "CouldApprove": [hidden], "ApprovableUntil": hidden, "CommittableUntil": hidden,
                "Decision": decision, "BreakGlass": decision, "Reviews": [decision],
                "You": [
                    "MayApprove": false, "MayReject": false, "MayCancel": false, "MayCommit": false, "Why": [hidden],
                ] as [String: Any],
                "WaitEdges": [
                    [
                        "Waiter": 2, "User": hidden, "Host": hidden, "Holder": 1, "Kind": hidden, "Object": hidden,
                        "Index": hidden, "Mode": hidden,
                    ] as [String: Any]
                ],
                "Threads": [
                    [
                        "Id": 1, "Found": true, "User": hidden, "Host": hidden, "Program": hidden, "DB": hidden,
                        "Command": hidden, "State": hidden, "Info": hidden, "Outcome": hidden, "OutcomeDetail": hidden,
                        "WantedLocks": [["Kind": hidden, "Object": hidden, "Waiters": 1]], "ServerSessionId": 1,
                        "ServerAddress": hidden,
                    ] as [String: Any]
                ],
            ]))
        let process = try JSONDecoder().decode(
            MySqlProcess.self,
            from: try JSONSerialization.data(
                withJSONObject: Dictionary(
                    uniqueKeysWithValues: ["ID", "User", "Host", "DB", "State", "Command", "Time", "Info", "SqlType"]
                        .map { ($0, hidden) })))
        for text in [ShowCommand.text(plan).text, SessionsCommand.table([process]).text.text] {
            XCTAssertTrue(text.contains(#"x\u{202E}y\u{200B}\u{2028}\u{1B}"#))
            for scalar in hidden.unicodeScalars where scalar != "x" && scalar != "y" {
                XCTAssertFalse(text.unicodeScalars.contains(scalar), text)
            }
        }
    }

    func testAReadableLogLineStaysOneLine() {
        let lines = Mutex<[String]>([])
        let log = Log(format: .text) { line in lines.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
        log.warning("odd", [("cause", "a\nb\u{2028}c\u{202E}d\u{1B}[2J")])
        XCTAssertTrue(lines.withLock { $0[0] }.hasSuffix(#" odd cause=a\nb\u{2028}c\u{202E}d\u{1B}[2J"# + "\n"))
    }

    func testCombiningMarksByTheMegabyteAreShownInBoundedTime() throws {
        let marks = "e" + String(repeating: "\u{301}\u{316}", count: 2_000_000)
        let time = processorTime {
            var table = Table("USER", "INFO")
            table.rows = [[marks, marks.beginning(scalars: 60)], ["app", "SELECT 1"]]
            XCTAssertLessThan(table.text.text.utf8.count, 4_096)
            let log = Log(format: .text) { _ in }
            log.error("request failed", [("cause", marks)])
            Log(format: .json) { _ in }.error("request failed", [("cause", marks)])
        }
        XCTAssertLessThan(time, .seconds(20) * slowdown, "by characters it took over a minute")
    }
}
