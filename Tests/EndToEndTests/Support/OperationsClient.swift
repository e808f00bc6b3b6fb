import Foundation
import TestSupport
import XCTest

/// What the operations listener answered.
struct OperationsResponse {
    let status: Int
    let head: String
    let body: String

    /// What `/readyz` says, as far as tests look at it.
    struct Report: Decodable {
        struct Part: Decodable {
            let id: String?
            let works: Bool
            let problem: String?
        }
        let status: String
        let store: Part
        let instances: [Part]
    }

    func report() throws -> Report { try JSONDecoder().decode(Report.self, from: Data(body.utf8)) }
}

extension KilldProcess {
    func operations(_ path: String, method: String = "GET") throws -> OperationsResponse {
        let connection = try TestClient(port: operationsPort)
        connection.send("\(method) \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        defer { connection.endSending() }
        let answer = try XCTUnwrap(connection.receive(), "no answer to \(method) \(path)")
        let parts = answer.components(separatedBy: "\r\n\r\n")
        let status = try XCTUnwrap(answer.split(separator: " ").dropFirst().first.flatMap { Int($0) }, answer)
        return OperationsResponse(status: status, head: parts[0], body: parts.dropFirst().joined(separator: "\r\n\r\n"))
    }

    /// Every sample by its name and labels as written. The test fails if a line is not in the text format.
    func metrics(file: StaticString = #filePath, line: UInt = #line) throws -> [String: Double] {
        let answer = try operations("/metrics")
        XCTAssertEqual(answer.status, 200, file: file, line: line)
        XCTAssertTrue(answer.head.contains("Content-Type: text/plain; version=0.0.4"), answer.head)
        var samples: [String: Double] = [:]
        var announced: Set<Substring> = []
        let name = "[a-zA-Z_:][a-zA-Z0-9_:]*"
        let label = #"[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*""#
        let sample = try Regex(
            "(\(name))(\\{\(label)(?:,\(label))*\\})? (\\S+)",
            as: (Substring, Substring, Substring?, Substring).self)
        for text in answer.body.split(separator: "\n") {
            if text.hasPrefix("# TYPE ") {
                let words = text.split(separator: " ")
                XCTAssertTrue(announced.insert(words[2]).inserted, "\(text) stands twice", file: file, line: line)
            } else if !text.hasPrefix("# HELP ") {
                let match = try XCTUnwrap(text.wholeMatch(of: sample)?.output, String(text), file: file, line: line)
                let family = match.1.replacing(/_(bucket|sum|count)$/, with: "")
                XCTAssertTrue(announced.contains(match.1) || announced.contains(family[...]), "\(text) has no type")
                let value = try XCTUnwrap(Double(match.3), String(text), file: file, line: line)
                let key = String(match.1) + (match.2 ?? "")
                XCTAssertNil(samples.updateValue(value, forKey: key), "\(text) stands twice", file: file, line: line)
            }
        }
        return samples
    }
}

/// A port that takes connections and never says a word.
final class SilentPort {
    let number: UInt16
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) | listen(descriptor, 64) | getsockname(descriptor, $0, &length)
            }
        }
        guard result == 0 else { throw POSIXError(.EADDRNOTAVAIL) }
        number = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(descriptor) }
}
