import Foundation
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// Every request in `Clients/das-requests`, so the clients of Alibaba Cloud that do not run here.
final class DASRequestFileTests: XCTestCase {
    func testEveryFormOfEveryClientDoesWhatItAsksFor() async throws {
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        var configuration = KilldConfiguration(port: server.database.port)
        configuration.das = KilldConfiguration.DAS()
        try await withKilld(configuration, on: server) { scene in
            let requests = try ClientRequest.all(in: "das-requests")
            XCTAssertGreaterThanOrEqual(requests.count, 18)
            for request in requests {
                do {
                    try await serve(request, scene)
                } catch {
                    XCTFail("\(request.name): \(error)")
                }
            }
            let log = try await scene.killd.wholeLog()
            for trace in RealServer.passwordTraces { XCTAssertFalse(log.contains(trace), "\(trace) is in the log") }
        }
    }

    private func serve(_ request: ClientRequest, _ scene: Scene) async throws {
        let session = try await ClientSessions.open(1, on: scene.server, as: "app2")
        let threads = await session.threadIDs
        let key = scene.killd.configuration.accounts[0].secretKey
        guard request.answer == nil else {
            let answer = try send(try bytes(of: request, threads[0], key: key, scene), to: scene.killd)
            return XCTAssertEqual(answer.code, request.answer, "\(request.name): \(answer.text)")
        }
        let forged = try send(try bytes(of: request, threads[0], key: key + "x", scene), to: scene.killd)
        XCTAssertEqual(forged.status, 400, request.name)
        XCTAssertEqual(forged.code, "SignatureDoesNotMatch", "\(request.name): \(forged.text)")
        for trace in RealServer.passwordTraces { XCTAssertFalse(forged.text.contains(trace), request.name) }
        await session.assertAllAnswer()

        let bytes = try bytes(of: request, threads[0], key: key, scene)
        let answer = try send(bytes, to: scene.killd)
        XCTAssertEqual(answer.status, 200, "\(request.name): \(answer.text)")
        let success = answer.isXML ? "<Success>true</Success>" : #""Success":true"#
        XCTAssertTrue(answer.text.contains(success), "\(request.name): \(answer.text)")
        if request.names("ThreadId") {
            try await scene.assertGone(threads)
        } else {
            XCTAssertTrue(answer.text.contains("RUNNING"), "\(request.name): \(answer.text)")
            await session.assertAllAnswer()
        }
        let again = try send(bytes, to: scene.killd)
        XCTAssertEqual(again.code, "SignatureNonceUsed", "\(request.name): \(again.text)")
    }

    private func bytes(
        of request: ClientRequest, _ thread: ThreadID, key: String, _ scene: Scene
    ) throws -> String {
        let time = Date().formatted(.iso8601)
        return try request.bytes(
            [
                "Host": "127.0.0.1:\(scene.killd.dasPort)", "Date": time,
                "Timestamp": time.replacingOccurrences(of: ":", with: "%3A"), "Nonce": UUID().uuidString,
                "AccessKeyId": scene.killd.configuration.accounts[0].secretId,
                "InstanceId": scene.killd.configuration.instances[0].id, "ThreadId": "\(thread)",
            ], secretKey: key)
    }

    private func send(_ bytes: String, to killd: KilldProcess) throws -> DASResponseText {
        let connection = try TestClient(port: killd.dasPort)
        connection.send(bytes)
        return try DASResponseText(connection)
    }
}

/// A response of the DAS listener as it came over the wire.
struct DASResponseText {
    let status: Int
    let headers: [String: String]
    let text: String

    var isXML: Bool { headers["content-type"] == "text/xml;charset=utf-8" }

    /// Of an error.
    var code: String? {
        let pattern = isXML ? /<Code>([^<]*)<\/Code>/ : /"Code":"([^"]*)"/
        return text.firstMatch(of: pattern).map { String($0.1) }
    }

    /// Reads as many bytes as the head announces, as clients that keep the connection do.
    init(_ connection: TestClient) throws {
        var received: [UInt8] = []
        var head = ""
        let end = Array("\r\n\r\n".utf8)
        while true {
            let more = try XCTUnwrap(connection.receiveSome(), "no whole answer came")
            received += try XCTUnwrap(more.isEmpty ? nil : more, "cut off: \(head)")
            guard let place = Data(received).range(of: Data(end)) else { continue }
            head = String(decoding: received[..<place.lowerBound], as: UTF8.self)
            let length = head.firstMatch(of: /Content-Length: ([0-9]+)/).flatMap { Int($0.1) }
            guard let length, received.count >= place.upperBound + length else { continue }
            XCTAssertEqual(received.count, place.upperBound + length)
            text = String(decoding: received[place.upperBound...], as: UTF8.self)
            break
        }
        var lines = head.components(separatedBy: "\r\n")
        status = Int(lines.removeFirst().split(separator: " ")[1]) ?? 0
        headers = lines.reduce(into: [:]) { headers, line in
            let parts = line.components(separatedBy: ": ")
            headers[parts[0].lowercased()] = parts.dropFirst().joined(separator: ": ")
        }
        let types = ["application/json;charset=utf-8", "text/xml;charset=utf-8"]
        XCTAssertTrue(types.contains(headers["content-type"] ?? ""), head)
    }
}
