import XCTest

@testable import AuditTrail

final class HeadSearchTests: XCTestCase {
    private let hash = String(repeating: "0123456789abcdef", count: 4)

    private func found(_ text: String) -> [Int64] {
        var search = HeadSearch(file: "text")
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            search.take(Array(line.utf8)[...])
        }
        XCTAssertTrue(search.heads.allSatisfy { $0.hash == hash })
        return search.heads.map(\.sequence)
    }

    func testHeadsAreFoundInEveryTextThatKilldWritesAndInWhatCollectorsMakeOfIt() {
        let log =
            #"{"time":"2026-11-30T00:00:00Z","level":"info","message":"audit entry","audit":"12","hash":"\#(hash)"}"#
        for text in [
            log, "Nov 30 00:00:00 db killd[12]: \(log)",
            #"{"MESSAGE":"\#(log.replacing("\"", with: #"\""#))","_PID":"12"}"#,
            #"{"log":"\#(log.replacing("\"", with: #"\""#))\n","stream":"stderr"}"#,
            "2026-11-30T00:00:00Z info    audit entry audit=12 hash=\(hash) kind=approved",
            #"{"Response":{"PlanName":"plan-1","Audit":{"Entry":12,"Hash":"\#(hash)"},"RequestId":"1"}}"#,
            "{'PlanName': 'plan-1', 'Audit': {'Entry': 12, 'Hash': '\(hash)'}}",
            #"{"audit":12,"hash":"\#(hash)","store":"5ea1"}"#,
        ] { XCTAssertEqual(found(text), [12], text) }
        XCTAssertEqual(
            HeadSearch.heads(
                inDocument: Array("{\n \"Audit\": {\n  \"Entry\": 12,\n  \"Hash\": \"\(hash)\"\n }\n}\n".utf8),
                file: "x"
            ).map(\.sequence), [12])
    }

    func testWhatAStrangerCanHaveWrittenIntoAStringIsNoHead() {
        let inner = #"{\"audit\":\"99\",\"hash\":\"\#(hash)\"}"#
        for text in [
            #"{"kind":"rejected","reason":"\#(inner)","seq":3}"#, #"{"Reason":"audit=99 hash=\#(hash)"}"#,
            #"{"audit":"12","hash":"\#(hash)0"}"#, #"{"audit":"12","hash":"abc"}"#, #"{"hash":"\#(hash)"}"#,
            "digest=12 hash=\(hash)", #"{"audit":12,"hash":"\#(hash.uppercased())"}"#,
        ] { XCTAssertEqual(found(text), [], text) }
    }

    func testAnyTextIsReadWithoutTrouble() {
        for text in [
            "{", #"{"hash":"#, "hash", "hash=", #"{"a":{"hash""#, #"{"hash":"\"#,
            String(repeating: "{\"hash\":[", count: 99),
        ] {
            XCTAssertEqual(found(text), [], text)
        }
    }
}
