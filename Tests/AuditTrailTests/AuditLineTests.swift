import AuditTrail
import XCTest

final class AuditLineTests: XCTestCase {
    func testAPayloadIsOneLineWithItsMembersInTheOrderOfTheirBytes() {
        let line = AuditLine([
            ("seq", .number(-7)), ("é", .flag(true)), ("reason", nil), ("Z", .flag(false)),
            (
                "threads",
                .list([.object(ofPresent: [("user", .text("a")), ("id", .number(12)), ("host", nil)]), .list([])])
            ),
        ])
        XCTAssertEqual(
            line.line(), #"{"Z":false,"seq":-7,"threads":[{"id":12,"user":"a"},[]],"é":true}"#)
    }

    func testAPayloadIsTheSameWhetherItsPlaceWasKnownOrCameLater() {
        let members: [(String, AuditValue?)] = [
            ("threads", .list([.number(1)])), ("kind", .text("prepared")), ("account", .text("ci")), ("reason", nil),
            ("seqs", .number(1)), ("as", .number(2)), ("plan", .text("p")), ("atom", .flag(true)), ("a", .number(3)),
        ]
        let placed = AuditLine(members + [("seq", .number(12)), ("at", .number(-7))])
        XCTAssertEqual(UnplacedLine(members).line(sequence: 12, time: -7), placed.line())
        XCTAssertEqual(UnplacedLine([]).line(sequence: 1, time: 2), #"{"at":2,"seq":1}"#)
    }

    func testNoMoreIsEscapedThanMustBe() {
        let text = "quote \" backslash \\ slash / line\nnul\u{0} delete\u{7F} 命\u{202E}\u{1F600}"
        XCTAssertEqual(
            AuditLine([("reason", .text(text))]).line(),
            "{\"reason\":\"quote \\\" backslash \\\\ slash / line\\u000anul\\u0000 delete\u{7F} 命\u{202E}\u{1F600}\"}")
    }
}
