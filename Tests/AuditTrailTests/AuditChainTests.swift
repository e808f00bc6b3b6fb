import AuditTrail
import Foundation
import XCTest

final class AuditChainTests: XCTestCase {
    func testALinkIsWhatPrintfAndSha256sumSay() throws {
        let payload = #"{"kind":"created","seq":1,"store":"é\\"}"#
        let payloadHash = try AuditChain.payloadHash(payload)
        XCTAssertEqual(payloadHash, try shell("printf '%s' \"$1\" | sha256sum", payload))
        let first = try AuditChain.hash(
            sequence: 1, previous: AuditChain.firstPrevious, payloadHash: payloadHash)
        let second = try AuditChain.hash(sequence: 4_711, previous: first, payloadHash: payloadHash)
        let link = #"printf 'killd-audit-1\n%s\n%s\n%s\n' "$@" | sha256sum"#
        XCTAssertEqual(first, try shell(link, "1", String(repeating: "0", count: 64), payloadHash))
        XCTAssertEqual(second, try shell(link, "4711", first, payloadHash))
    }

    private func shell(_ command: String, _ arguments: String...) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", command, "sh"] + arguments
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return String(text.prefix(64))
    }
}
