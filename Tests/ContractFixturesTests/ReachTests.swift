import XCTest

@testable import ContractFixtures

/// What may end somebody is not sent to where it could.
final class ReachTests: XCTestCase {
    private func fixture(_ steps: String, api: String = "dbbrain") throws -> Fixture {
        let text = #"{"name":"n","evidence":"ours","source":"s","api":"\#(api)","action":"A","steps":[\#(steps)]}"#
        return try Fixture(json: Array(text.utf8), file: "f")
    }

    private func step(_ action: String, _ parameters: String, more: String = "") -> String {
        #"{"request":{"action":"\#(action)","parameters":{\#(parameters)}},"expect":{}\#(more)}"#
    }

    private let prepare = #""Stage":"Prepare","Threads":[{"number":"{{a}}"}]"#
    private let commit = #""Stage":"Commit","SqlExecId":"{{t}}""#

    func testReadingAndPlanningEndNobody() throws {
        let steps = [
            step("DescribeKillPlan", ""), step("VerifyUserAccount", ""), step("KillMySqlThreads", prepare),
            step("ApproveKillPlan", ""), step("KillMySqlThreads", #""Stage":"Prepare""#),
        ]
        XCTAssertEqual(try fixture(steps.joined(separator: ",")).reach, .nobody)
        XCTAssertEqual(try fixture(step("GetMySQLAllSessionAsync", ""), api: "das").reach, .nobody)
    }

    func testACommitOfWhatWasNamedByValuesEndsVictims() throws {
        let prepared = step("KillMySqlThreads", prepare)
        XCTAssertEqual(try fixture("\(prepared),\(step("KillMySqlThreads", commit))").reaches, [.nobody, .victims])
        XCTAssertEqual(
            try fixture("\(prepared),\(step("CommitKillPlan", #""PlanName":"{{p}}""#))").reach, .victims)
    }

    /// Numbers of another day are somebody else's now.
    func testACommitOfWhatWasNamedByNumbersGoesToAStandInOnly() throws {
        let prepared = step("KillMySqlThreads", #""Stage":"Prepare","Threads":[12,{"number":"{{a}}"}]"#)
        XCTAssertEqual(try fixture("\(prepared),\(step("KillMySqlThreads", commit))").reach, .anybody)
        XCTAssertEqual(try fixture(step("KillMySqlThreads", #""Stage":"Commit","SqlExecId":"x""#)).reach, .anybody)
        XCTAssertEqual(try fixture(step("KillMySqlThreads", "")).reach, .anybody)
    }

    func testWhatIsNotKnownGoesToAStandInOnly() throws {
        for action in ["CreateProxySessionKillTask", "CloseAuditService", "killMySqlThreads", "CreateKillTask"] {
            XCTAssertEqual(try fixture(step(action, "")).reach, .anybody, action)
        }
        let raw = #"{"request":{"action":"KillMySqlThreads","body":"{\"Stage\":\"Prepare\"}"},"expect":{}}"#
        XCTAssertEqual(try fixture(raw).reach, .anybody)
    }

    func testAKillTaskReachesVictimsOnlyIfItIsAboutThem() throws {
        XCTAssertEqual(try fixture(step("CreateKillTask", #""User":"{{victims}}""#)).reach, .victims)
        XCTAssertEqual(try fixture(step("CreateKillTask", #""User":"app""#)).reach, .anybody)
    }

    func testATaskOfDASReachesVictimsOnlyIfItNamesThem() throws {
        let action = "CreateKillInstanceSessionTaskWithMaintainUser"
        func reach(_ parameters: String) throws -> Reach { try fixture(step(action, parameters), api: "das").reach }
        XCTAssertEqual(try reach(#""KillAllSessions":"false","SessionIds":"[{{a}}, {{b}}]""#), .victims)
        XCTAssertEqual(try reach(#""KillAllSessions":"false","SessionIds":"[12,{{b}}]""#), .anybody)
        XCTAssertEqual(try reach(#""KillAllSessions":"True","SessionIds":"[{{a}}]""#), .anybody)
        XCTAssertEqual(try reach(#""SessionIds":"[{{a}}]""#), .anybody)
        XCTAssertEqual(try fixture(step("KillInstanceAllSession", ""), api: "das").reach, .anybody)
    }

    func testAReasonSaysWhyAStepEndsNobody() throws {
        let step = step(
            "KillMySqlThreads", #""Stage":"Commit","SqlExecId":"x""#, more: #","endsNobody":"there is none""#)
        XCTAssertEqual(try fixture(step).reach, .nobody)
    }
}
