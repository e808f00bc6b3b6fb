import ActionDispatch
import DBbrainAPI
import Foundation
import XCTest

/// What writes its JSON itself, so that no encoder has to.
final class PreparedResponsesTests: XCTestCase {
    private func written(_ response: some PreparedResponse) throws -> String {
        var json: [UInt8] = []
        try response.appendMembers(to: &json)
        return "{" + String(decoding: json, as: UTF8.self) + "}"
    }

    private func encoded(_ response: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(response), as: UTF8.self)
    }

    func testAListOfPlansIsWrittenAsAnEncoderWritesIt() throws {
        let rights = """
            {"MayApprove": false, "MayCancel": true, "MayCommit": false, "MayReject": true, "Why": ["own-plan", "too-late"]}
            """
        let full = """
            {"PlanName": "plan-1", "InstanceId": "cdb-1", "Account": "ci", "Task": "task-1", "State": "prepared",
            "PreparedAt": "2026-11-30T12:00:00Z", "EndedAt": "2026-11-30T12:01:00Z", "ThreadCount": 3,
            "Outcomes": {"rolling-back": 2, "gone": 1}, "Risk": "high", "Required": 2, "Approvals": ["alice", "bob"],
            "ApprovableUntil": "2026-11-30T12:10:00Z", "CommittableUntil": "2026-11-30T12:05:00Z", "RequestedBy": "dan",
            "Reason": "a \\"quoted\\" text of 命/", "BrokeGlass": true, "Reviewed": false, "You": \(rights)}
            """
        let bare = """
            {"PlanName": "plan-2", "InstanceId": "cdb-1", "Account": "ci", "State": "expired",
            "PreparedAt": "2026-11-30T12:00:00Z", "ThreadCount": 0, "Outcomes": {}, "Required": 0, "Approvals": [],
            "BrokeGlass": false, "Reviewed": true, "You": \(rights)}
            """
        for plans in ["[]", "[\(bare)]", "[\(full), \(bare)]"] {
            let response = try JSONDecoder().decode(
                DescribeKillPlansResponse.self, from: Data(#"{"Plans": \#(plans), "Revision": 7}"#.utf8))
            XCTAssertEqual(try written(response), try encoded(response))
        }
        // Every member that there is stands in the first.
        let summary = try JSONDecoder().decode(KillPlanSummary.self, from: Data(full.utf8))
        for (name, value) in Mirror(reflecting: summary).children {
            XCTAssertNotEqual("\(value)", "nil", name ?? "")
        }
    }

    func testTheThreadsOfACommitAreWrittenAsAnEncoderWritesThem() throws {
        for threads in ["[]", "[1]", "[7, 4294967295]"] {
            let response = try JSONDecoder().decode(
                KillMySqlThreadsResponse.self, from: Data(#"{"SqlExecId": "a\"b", "Threads": \#(threads)}"#.utf8))
            XCTAssertEqual(try written(response), try encoded(response))
        }
    }
}
