import APIClient
import Foundation
import RequestSigning
import SessionKill
import XCTest

/// A client of killd's API as one of the accounts.
public struct SigningClient: Sendable {
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

    public func prepare(_ threads: [ThreadID], recordHistory: Bool? = nil) throws -> APIResponse {
        try prepare(threads.map { UInt64($0.rawValue) }, recordHistory: recordHistory)
    }

    /// Also with ids that no session can have.
    public func prepare(_ threads: [UInt64], recordHistory: Bool? = nil) throws -> APIResponse {
        try call(
            KillRequest(InstanceId: instance, Stage: "Prepare", Threads: threads, RecordHistory: recordHistory))
    }

    public func commit(_ sqlExecID: String) throws -> APIResponse { try sendCommit(sqlExecID).wait() }

    /// Sends a Commit without waiting for its response.
    public func sendCommit(_ sqlExecID: String) throws -> SentRequest {
        try send(KillRequest(InstanceId: instance, Stage: "Commit", SqlExecId: sqlExecID))
    }

    /// What the history says of a plan.
    public func describe(ticket: String) throws -> PlanDescription {
        try describe(["SqlExecId": ticket])
    }

    public func describe(name: String) throws -> PlanDescription {
        try describe(["PlanName": name])
    }

    private func describe(_ request: [String: String]) throws -> PlanDescription {
        let answer = try call("DescribeKillPlan", request)
        guard let plan = answer.Plan else { throw ProgramError("\(answer)") }
        return plan
    }

    /// Calls any action.
    public func call(_ action: String, _ request: some Encodable) throws -> APIResponse {
        try send(action, Array(try JSONEncoder().encode(request))).wait()
    }

    /// Calls any action without waiting for its response.
    public func begin(_ action: String, _ request: some Encodable) throws -> SentRequest {
        try send(action, Array(try JSONEncoder().encode(request)), version: "2021-05-27")
    }

    /// The response to any action, byte for byte.
    public func raw(
        _ action: String, _ request: some Encodable, version: String = "2021-05-27", language: String? = nil
    ) throws -> String {
        try send(action, Array(try JSONEncoder().encode(request)), version: version, language: language).body()
    }

    /// Calls any action with a signature that does not cover what it asks for.
    public func callWithUnsignedPayload(_ action: String, _ request: some Encodable) throws -> APIResponse {
        let body = Array(try JSONEncoder().encode(request))
        let signed = try signed(action, Array("UNSIGNED-PAYLOAD".utf8), isUnique: true)
        let call = SignedCall(
            host: signed.host, headers: signed.headers + [("X-TC-Content-SHA256", "UNSIGNED-PAYLOAD")], body: body)
        let connection = try TestClient(port: port)
        connection.send(call.message(keepsConnection: false))
        return try SentRequest(connection: connection).wait()
    }

    /// Calls any action with this JSON object, but for `InstanceId`, which is added.
    ///
    /// - Parameter members: such as `"Duration":-1,"User":"app"`.
    public func call(_ action: String, members: String) throws -> APIResponse {
        try send(action, members: members).wait()
    }

    /// Sends the same without waiting for its response.
    public func send(_ action: String, members: String) throws -> SentRequest {
        let body = #"{"InstanceId":"\#(instance)"\#(members.isEmpty ? "" : "," + members)}"#
        return try send(action, Array(body.utf8))
    }

    /// A Prepare whose `Threads` is this JSON text, whatever it may be.
    public func prepare(threadsText: String) throws -> APIResponse {
        let body = #"{"InstanceId":"\#(instance)","Stage":"Prepare","Threads":\#(threadsText)}"#
        return try send("KillMySqlThreads", Array(body.utf8)).wait()
    }

    private func call(_ request: KillRequest) throws -> APIResponse { try send(request).wait() }

    private func send(_ request: KillRequest) throws -> SentRequest {
        try send("KillMySqlThreads", Array(try JSONEncoder().encode(request)))
    }

    /// The same call, signed once and as SDKs do it, to be made many times on one connection.
    public func repeatedCall(_ action: String, _ request: some Encodable) throws -> RepeatedCall {
        try repeatedCalls(1, action, request)[0]
    }

    /// The same on several connections, signed once for all.
    public func repeatedCalls(
        _ count: Int, _ action: String, _ request: some Encodable
    ) throws -> [RepeatedCall] {
        let body = Array(try JSONEncoder().encode(request))
        let signed = try signed(action, body, isUnique: false).message(keepsConnection: true)
        return try (0..<count).map { _ in RepeatedCall(connection: try TestClient(port: port), request: signed) }
    }

    private func send(
        _ action: String, _ body: [UInt8], version: String = "2021-05-27", language: String? = nil
    ) throws -> SentRequest {
        let signed = try signed(
            action, body, version: version, others: language.map { [("X-TC-Language", $0)] } ?? [], isUnique: true)
        let connection = try TestClient(port: port)
        connection.send(signed.message(keepsConnection: false))
        return SentRequest(connection: connection)
    }

    /// - Parameter isUnique: whether it has a trace id, so that two equal calls of one second have two signatures.
    private func signed(
        _ action: String, _ body: [UInt8], version: String = "2021-05-27", others: [SignedCall.Header] = [],
        isUnique: Bool
    ) throws -> SignedCall {
        try SignedCall(
            action, version: version, body: body,
            by: APICredentials(secretID: account.secretId, secretKey: Secret(account.secretKey)),
            to: "127.0.0.1:\(port)", traceID: isUnique ? UUID().uuidString : nil, others: others,
            timestamp: Int64(Date().timeIntervalSince1970))
    }
}

/// A call on a connection of its own; for one thread at a time.
public struct RepeatedCall: Sendable {
    fileprivate let connection: TestClient
    fileprivate let request: [UInt8]

    /// - Returns: the response, or what is wrong with it.
    public func send() -> String {
        connection.send(request)
        return connection.receive(until: "}}") ?? "no answer came"
    }

    /// The call as somebody sends it who has seen it, with its signature, but as another action.
    public func resent(as action: String) -> RepeatedCall {
        let lines = String(decoding: request, as: UTF8.self).components(separatedBy: "\r\n")
            .map { $0.hasPrefix("X-TC-Action: ") ? "X-TC-Action: \(action)" : $0 }
        return RepeatedCall(connection: connection, request: Array(lines.joined(separator: "\r\n").utf8))
    }
}

private struct KillRequest: Encodable {
    var InstanceId: String
    var Stage: String
    var Threads: [UInt64]?
    var SqlExecId: String?
    var RecordHistory: Bool?
}

/// A request that was sent.
public struct SentRequest {
    fileprivate let connection: TestClient

    /// Waits for the whole response.
    ///
    /// - Throws: ``ProgramError`` if the connection ends without one, and after ten seconds.
    public func wait() throws -> APIResponse {
        try JSONDecoder().decode(Envelope.self, from: Data(body().utf8)).Response
    }

    /// Whether something of it has come, after so many milliseconds at most.
    public func hasCome(within milliseconds: Int32) -> Bool { connection.hasInput(within: milliseconds) }

    fileprivate func body() throws -> String {
        // The server keeps a connection that it has closed until the client closes it too.
        defer { connection.endSending() }
        guard let response = connection.receive(), let headEnd = response.range(of: "\r\n\r\n") else {
            throw ProgramError("no answer came")
        }
        XCTAssertTrue(response.hasPrefix("HTTP/1.1 200 "), response)
        return String(response[headEnd.upperBound...])
    }
}

private struct Envelope: Decodable {
    let Response: APIResponse
}

/// The object `Response`.
public struct APIResponse: Decodable {
    public struct Failure: Decodable {
        public let Code: String
        public let Message: String
    }

    public let Error: Failure?
    public let Threads: [ThreadID]?
    public let SqlExecId: String?
    public let Plan: PlanDescription?
    public let Plans: [PlanSummary]?
    public let Revision: Int64?
    public let Status: Int?
    public let Tasks: [TaskDescription]?
    public let PlanName: String?
    public let State: String?
    public let Required: Int?
    public let Approvals: [String]?
    public let CommittableUntil: String?
    public let Audit: AuditEntry?
    public let RequestId: String

    public struct AuditEntry: Decodable, Hashable {
        public let Entry: Int64
        public let Hash: String
    }

    /// The `SqlExecId` of a Prepare that went well.
    public func ticket(file: StaticString = #filePath, line: UInt = #line) throws -> String {
        try XCTUnwrap(SqlExecId, "\(self)", file: file, line: line)
    }
}

/// The plan of a DescribeKillPlan, as far as tests read it.
public struct PlanDescription: Decodable {
    public struct Thread: Decodable {
        public struct Transaction: Decodable {
            public let Age: Int
            public let RowsModified: UInt64?
            public let State: String
        }
        public struct WantedLock: Decodable {
            public let Kind: String
            public let Object: String
            public let Index: String?
            public let Mode: String?
            public let Waiters: Int
        }
        public let Id: ThreadID
        public let Found: Bool
        public let User: String?
        public let Host: String?
        public let Program: String?
        public let ProxySessId: String?
        public let Cluster: String?
        public let Tenant: String?
        public let ServerSessionId: UInt64?
        public let DB: String?
        public let Command: String?
        public let Info: String?
        public let InfoLength: Int?
        public let InfoSha256: String?
        public let Transaction: Transaction?
        public let XaPrepared: Bool?
        public let XaUnknown: Bool?
        public let AwaitsReplica: Bool?
        public let Protection: String?
        public let WantedLocks: [WantedLock]?
        public let FreedSessions: Int?
        public let Outcome: String?
        public let OutcomeDetail: String?
        public let Guard: String?
    }
    public let PlanName: String
    public let InstanceId: String
    public let Account: String
    public let Task: String?
    public let State: String
    public let StateReason: String?
    public let Digest: String
    public let RecordHistory: Bool
    public let FreedSessions: Int?
    public let UnexplainedWaiters: Int?
    public let Threads: [Thread]
}

/// A row of a DescribeKillPlans.
public struct PlanSummary: Decodable {
    public let PlanName: String
    public let InstanceId: String
    public let Task: String?
    public let State: String
    public let ThreadCount: Int
    public let Outcomes: [String: Int]
}

/// A row of a DescribeKillTasks.
public struct TaskDescription: Decodable {
    public let TaskName: String
    public let InstanceId: String
    public let Account: String
    public let State: String
    public let CreatedAt: String
    public let EndsAt: String?
    public let EndedAt: String?
    public let CancelledBy: String?
    public let SessionsKilled: Int
    public let Host: String?
    public let DB: String?
    public let Command: String?
    public let Info: String?
    public let Infos: [String]?
    public let User: String?
    public let Time: Int?
}
