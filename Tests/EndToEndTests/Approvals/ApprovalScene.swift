import Foundation
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

extension KilldConfiguration {
    /// An instance that asks for two approvals, whatever a plan would cost: of what ci prepares, alice, bob and carol may
    /// approve, and dan by two accounts. oncall may break glass.
    mutating func askForApprovals(_ count: Int = 2) {
        func account(_ name: String, _ person: String? = nil, may: [String]) -> Account {
            var account = Account(name: name)
            account.person = person
            account.may = ["list"] + may
            return account
        }
        accounts = [
            account("ci", may: ["prepare", "commit", "rule"]), account("alice", may: ["approve"]),
            account("bob", may: ["approve"]), account("carol", may: ["approve"]),
            account("dan", may: ["prepare", "approve", "commit"]),
            account("dan-admin", "dan", may: ["prepare", "approve", "commit"]),
            account("oncall", may: ["prepare", "commit", "break-glass"]),
        ]
        for index in instances.indices {
            instances[index].approvals = ["low": count, "medium": count, "high": count]
        }
    }

    /// Changes what is said of one account.
    mutating func change(_ account: String, _ change: (inout Account) -> Void) {
        for index in accounts.indices where accounts[index].name == account { change(&accounts[index]) }
    }
}

/// Runs `body` with a killd on MariaDB that asks for two approvals. What is asked of killd does not depend on the kind of
/// its server.
func withApprovals(
    configure: (inout KilldConfiguration) -> Void = { _ in }, file: StaticString = #filePath, line: UInt = #line,
    _ body: (Scene) async throws -> Void
) async throws {
    let server = try RealServer.shared(.mariadb)
    try await server.createAccounts()
    var configuration = KilldConfiguration(port: server.database.port)
    configuration.askForApprovals()
    configure(&configuration)
    try await withKilld(configuration, on: server, file: file, line: line, body)
}

/// A plan, and the sessions that it would end.
struct ReviewedPlan {
    let victims: ClientSessions
    let threads: [ThreadID]
    let ticket: String
    let name: String
    let digest: String
}

extension Scene {
    func client(_ account: String) throws -> SigningClient {
        try SigningClient(
            killd, as: XCTUnwrap(killd.configuration.accounts.first { $0.name == account }, account))
    }

    /// Opens sessions and prepares their end.
    func preparePlan(
        by account: String = "ci", of count: Int = 2, requestedBy: String? = nil, reason: String? = nil
    ) async throws -> ReviewedPlan {
        let victims = try await ClientSessions.open(count, on: server)
        let threads = await victims.threadIDs
        return try plan(victims, threads, prepare(threads, by: account, requestedBy: requestedBy, reason: reason))
    }

    func plan(_ victims: ClientSessions, _ threads: [ThreadID], _ prepared: APIResponse) throws -> ReviewedPlan {
        let ticket = try prepared.ticket()
        let described = try client.describe(ticket: ticket)
        return ReviewedPlan(
            victims: victims, threads: threads, ticket: ticket, name: described.PlanName, digest: described.Digest)
    }

    func prepare(
        _ threads: [ThreadID], by account: String = "ci", requestedBy: String? = nil, reason: String? = nil
    ) throws -> APIResponse {
        struct Request: Encodable {
            var InstanceId = "cdb-test"
            var Stage = "Prepare"
            var Threads: [ThreadID]
            var RequestedBy: String?
            var Reason: String?
        }
        return try client(account).call(
            "KillMySqlThreads", Request(Threads: threads, RequestedBy: requestedBy, Reason: reason))
    }

    func approve(
        _ plan: ReviewedPlan, by account: String, digest: String? = nil, comment: String? = nil
    ) throws -> APIResponse {
        var request = ["PlanName": plan.name, "Digest": digest ?? plan.digest]
        request["Comment"] = comment
        return try client(account).call("ApproveKillPlan", request)
    }

    func reject(_ plan: ReviewedPlan, by account: String, reason: String = "not now") throws -> APIResponse {
        try client(account).call(
            "RejectKillPlan", ["PlanName": plan.name, "Digest": plan.digest, "Reason": reason])
    }

    func cancel(_ plan: ReviewedPlan, by account: String = "ci", reason: String? = nil) throws -> APIResponse {
        var request = ["PlanName": plan.name]
        request["Reason"] = reason
        return try client(account).call("CancelKillPlan", request)
    }

    func commit(
        _ plan: ReviewedPlan, by account: String = "ci", breaking reason: String? = nil
    ) throws -> APIResponse {
        var request = ["InstanceId": "cdb-test", "Stage": "Commit", "SqlExecId": plan.ticket]
        request["BreakGlassReason"] = reason
        return try client(account).call("KillMySqlThreads", request)
    }

    func commitByName(
        _ plan: ReviewedPlan, by account: String = "ci", digest: String? = nil, breaking reason: String? = nil
    ) throws -> APIResponse {
        var request = ["PlanName": plan.name, "Digest": digest ?? plan.digest]
        request["BreakGlassReason"] = reason
        return try client(account).call("CommitKillPlan", request)
    }

    /// Checks that approvals are missing, that the answer says whose, and that nobody was killed.
    func assertNotApproved(
        _ plan: ReviewedPlan, by account: String = "ci", missing: Int, has approvers: String = "nobody",
        file: StaticString = #filePath, line: UInt = #line
    ) async throws {
        let before = try await killsRun()
        for answer in [try commit(plan, by: account), try commitByName(plan, by: account)] {
            assertRefused(
                answer, "OperationDenied", "needs `\(missing)` more of `2` approvals until `", file: file, line: line)
            assertRefused(answer, "OperationDenied", "Approved by: `\(approvers)`.", file: file, line: line)
            assertRefused(answer, "OperationDenied", "killd approve `\(plan.name)`", file: file, line: line)
        }
        try await assertKillsRun(0, since: before, file: file, line: line)
        await plan.victims.assertAllAnswer(file: file, line: line)
    }

    /// Checks that a plan can be committed as it is approved.
    func assertCommitted(
        _ plan: ReviewedPlan, by account: String = "ci", file: StaticString = #filePath, line: UInt = #line
    ) async throws {
        XCTAssertEqual(try commit(plan, by: account).Threads, plan.threads, file: file, line: line)
        await plan.victims.assertNoneAnswers(file: file, line: line)
    }

    func state(of plan: ReviewedPlan) throws -> String { try client.describe(ticket: plan.ticket).State }
}
