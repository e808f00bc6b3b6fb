import Foundation
import RequestSigning
import SessionKill
import XCTest

/// Calls killd's API as one of the accounts.
public struct SigningClient {
    private let port: UInt16
    private let account: KilldConfiguration.Account
    private let instance: String

    /// - Parameters:
    ///   - account: the first of the configuration, if not given.
    ///   - instance: what requests are about; the first of the configuration, if not given.
    public init(
        _ killd: KilldProcess, as account: KilldConfiguration.Account? = nil, instance: String? = nil
    ) throws {
        port = killd.port
        self.account = try XCTUnwrap(account ?? killd.configuration.accounts.first)
        self.instance = try XCTUnwrap(instance ?? killd.configuration.instances.first?.id)
    }

    public func prepare(_ threads: [ThreadID]) throws -> APIAnswer {
        try prepare(threads.map { UInt64($0.rawValue) })
    }

    /// Also with ids that no session can have.
    public func prepare(_ threads: [UInt64]) throws -> APIAnswer {
        try call(KillRequest(InstanceId: instance, Stage: "Prepare", Threads: threads))
    }

    public func commit(_ sqlExecID: String) throws -> APIAnswer { try sendCommit(sqlExecID).wait() }

    /// Sends a Commit without waiting for its answer.
    public func sendCommit(_ sqlExecID: String) throws -> PendingAnswer {
        try send(KillRequest(InstanceId: instance, Stage: "Commit", SqlExecId: sqlExecID))
    }

    private func call(_ request: KillRequest) throws -> APIAnswer { try send(request).wait() }

    private func send(_ request: KillRequest) throws -> PendingAnswer {
        let body = Array(try JSONEncoder().encode(request))
        let host = "127.0.0.1:\(port)"
        let timestamp = Int64(Date().timeIntervalSince1970)
        let authorization = try TC3Signer(
            secretID: account.secretId, secretKey: Secret(account.secretKey), host: host, service: "dbbrain"
        ).authorization(method: "POST", query: "", contentType: "application/json", payload: body, timestamp: timestamp)
        let connection = try TestClient(port: port)
        connection.send(
            """
            POST / HTTP/1.1\r\nHost: \(host)\r\nContent-Type: application/json\r\nContent-Length: \(body.count)\r\n\
            Connection: close\r\nAuthorization: \(authorization.headerValue)\r\nX-TC-Action: KillMySqlThreads\r\n\
            X-TC-Version: 2021-05-27\r\nX-TC-Timestamp: \(timestamp)\r\n\r\n
            """)
        connection.send(body)
        return PendingAnswer(connection: connection)
    }
}

private struct KillRequest: Encodable {
    var InstanceId: String
    var Stage: String
    var Threads: [UInt64]?
    var SqlExecId: String?
}

/// A request that was sent.
public struct PendingAnswer {
    fileprivate let connection: TestClient

    /// Waits for the whole answer.
    ///
    /// - Throws: ``ProgramError`` if the connection ends without one, and after ten seconds.
    public func wait() throws -> APIAnswer {
        // The server keeps a connection that it has closed until the client closes it too.
        defer { connection.endSending() }
        guard let response = connection.receive(), let headEnd = response.range(of: "\r\n\r\n") else {
            throw ProgramError("no answer came")
        }
        XCTAssertTrue(response.hasPrefix("HTTP/1.1 200 "), response)
        return try JSONDecoder().decode(Envelope.self, from: Data(response[headEnd.upperBound...].utf8)).Response
    }
}

private struct Envelope: Decodable {
    let Response: APIAnswer
}

/// What stands in `Response`.
public struct APIAnswer: Decodable {
    public struct Failure: Decodable {
        public let Code: String
        public let Message: String
    }

    public let Error: Failure?
    public let Threads: [ThreadID]?
    public let SqlExecId: String?
    public let RequestId: String

    /// The `SqlExecId` of a Prepare that went well.
    public func ticket(file: StaticString = #filePath, line: UInt = #line) throws -> String {
        try XCTUnwrap(SqlExecId, "\(self)", file: file, line: line)
    }
}
