import Foundation
import MySQLSessions
import PrivateDatabase
import RequestSigning
import SessionKill
import TestSupport
import XCTest

/// Every request in `Clients/requests`, so every official client in every form that it has.
final class ClientRequestTests: XCTestCase {
    func testEveryFormOfEveryClientDoesWhatItAsksFor() async throws {
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        try await withKilld(KilldConfiguration(port: server.database.port), on: server) { scene in
            let sessions = try await ClientSessions.open(2, on: server)
            let sleeper = try await ClientSessions.open(1, on: server)
            try await sleeper.send("SELECT SLEEP(600) /* a+b~中文 */")
            let sleeping = await sleeper.threadIDs
            try await eventually("the statement to be found by its text") {
                let rows = try await scene.administrator.query(
                    "SELECT INFO FROM information_schema.PROCESSLIST WHERE ID = \(sleeping[0])"
                ).first?.rows
                return rows == [["SELECT SLEEP(600) /* a+b~中文 */"]]
            }
            let checker = Checker(scene: scene, threads: await sessions.threadIDs, sleeping: sleeping)
            let requests = try ClientRequest.all()
            XCTAssertGreaterThanOrEqual(requests.count, 100)
            for request in requests {
                do {
                    try checker.serve(request)
                } catch {
                    XCTFail("\(request.name): \(error)")
                }
            }
            await sessions.assertAllAnswer()
            let after = try await scene.sessions()
            XCTAssertTrue(sleeping.allSatisfy(after.keys.contains))
        }
    }
}

/// Sends requests to one killd and checks what comes of them.
private struct Checker {
    let scene: Scene
    let threads: [ThreadID]
    /// The session whose statement has the text that lists are filtered by.
    let sleeping: [ThreadID]

    func serve(_ request: ClientRequest) throws {
        let account = scene.killd.configuration.accounts[0]
        let traceID = UUID().uuidString.lowercased()
        let answer = try answer(to: request, secretKey: account.secretKey, traceID: traceID)
        if request.names("TraceId") {
            XCTAssertEqual(answer.headers["x-tc-traceid"], traceID, request.name)
        }
        XCTAssertEqual(answer.content.Error?.Code, request.answer, "\(request.name): \(answer.content)")
        guard request.answer == nil, answer.content.Error == nil else { return }
        try check(answer.content, of: request)

        let forged = try self.answer(to: request, secretKey: account.secretKey + "x", traceID: traceID).content
        XCTAssertEqual(forged.Error?.Code, "AuthFailure.SignatureFailure", "\(request.name): \(forged)")
        XCTAssertNil(forged.SqlExecId ?? forged.ProcessList?.first?.ID, request.name)
    }

    private func check(_ answer: Content, of request: ClientRequest) throws {
        if request.names("ThreadId") {
            XCTAssertEqual(answer.Threads, [], request.name)
            let plan = try scene.client.describe(ticket: XCTUnwrap(answer.SqlExecId, request.name))
            XCTAssertEqual(plan.Threads.map(\.Id), threads, request.name)
            XCTAssertTrue(plan.Threads.allSatisfy(\.Found), request.name)
            XCTAssertEqual(plan.RecordHistory, request.recordsHistory, request.name)
        } else if request.names("InstanceId"), answer.Statistics == nil {
            XCTAssertEqual(answer.ProcessList?.map(\.ID), sleeping.map(\.description), request.name)
        }
    }

    private func answer(to request: ClientRequest, secretKey: String, traceID: String) throws -> Answer {
        let timestamp = Int64(Date().timeIntervalSince1970)
        let values = [
            "Host": "127.0.0.1:\(scene.killd.port)", "HostWithoutPort": "127.0.0.1", "Port": "\(scene.killd.port)",
            "Timestamp": "\(timestamp)", "Date": try XCTUnwrap(TC3CredentialScope.date(of: timestamp)),
            "SecretId": scene.killd.configuration.accounts[0].secretId, "TraceId": traceID,
            "InstanceId": scene.killd.configuration.instances[0].id,
            "ThreadId": "\(threads[0])", "OtherThreadId": "\(threads[1])",
        ]
        let connection = try TestClient(port: scene.killd.port)
        connection.send(try request.bytes(values, secretKey: secretKey))
        // Every response ends so, and most clients keep the connection open.
        return try Answer(XCTUnwrap(connection.receive(until: "}}"), "no answer to \(request.name)"), request.name)
    }
}

/// A response as clients need it: 200 whatever it says, and the one content type with which all of them see errors.
private struct Answer {
    let headers: [String: String]
    let content: Content

    init(_ text: String, _ name: String) throws {
        let end = try XCTUnwrap(text.range(of: "\r\n\r\n"), "\(name): \(text)")
        var lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
        XCTAssertEqual(lines.removeFirst(), "HTTP/1.1 200 OK", name)
        headers = lines.reduce(into: [:]) { headers, line in
            let parts = line.components(separatedBy: ": ")
            headers[parts[0].lowercased()] = parts.dropFirst().joined(separator: ": ")
        }
        XCTAssertEqual(headers["content-type"], "application/json", name)
        content = try JSONDecoder().decode(Envelope.self, from: Data(text[end.upperBound...].utf8)).Response
    }
}

private struct Envelope: Decodable {
    let Response: Content
}

private struct Content: Decodable {
    struct Process: Decodable {
        let ID: String
    }

    struct Statistic: Decodable {
        let Dimension: String
    }

    let Error: APIResponse.Failure?
    let Threads: [ThreadID]?
    let SqlExecId: String?
    let ProcessList: [Process]?
    let Statistics: [Statistic]?
    let RequestId: String
}
