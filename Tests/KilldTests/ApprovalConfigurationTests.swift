import Accounts
import ServedAPIs
import SessionKill
import XCTest

@testable import killd

/// Who is whom, and how many have to agree.
final class ApprovalConfigurationTests: XCTestCase {
    private func account(_ name: String, _ may: String = #"["*"]"#, _ more: String = "") -> String {
        #"{"name":"\#(name)","uin":"1","secretId":"AKID\#(name)","secretKey":"SK","may":\#(may),"instances":["*"]\#(more)}"#
    }

    private func person(_ name: String) -> String { #","person":"\#(name)""# }

    private func read(_ accounts: [String], _ keys: String) throws -> Configuration {
        try Configuration(
            json: Array(
                """
                {"accounts":[\(accounts.joined(separator: ","))],
                 "instances":[{"id":"cdb-1","host":"h","user":"killd"\(keys.isEmpty ? "" : ",\(keys)")}]}
                """.utf8), folder: "/nowhere")
    }

    private func assertRefused(
        _ words: String, _ accounts: [String], _ keys: String, file: StaticString = #filePath, line: UInt = #line
    ) {
        XCTAssertThrowsError(try read(accounts, keys), file: file, line: line) { error in
            XCTAssertTrue("\(error)".contains(words), "\(error)", file: file, line: line)
        }
    }

    private lazy var three = [account("ci"), account("alice"), account("bob")]

    func testAnInstanceAsksForNoneUnlessItIsToldTo() throws {
        for keys in ["", #""approvals":0"#, #""approvals":{}"#, #""approvals":{"low":0,"medium":0,"high":0}"#] {
            let policy = try read([account("ci")], keys).instances[0].approvals
            XCTAssertFalse(policy.asks, keys)
            XCTAssertEqual(policy.approvableFor, 600)
            XCTAssertEqual(policy.commitWithin, 300)
            XCTAssertEqual(policy.thresholds, RiskThresholds(rows: 100_000, sessions: 50))
        }
    }

    func testOneNumberIsForEveryGradeAndAnObjectForEachItsOwn() throws {
        let one = try read(three, #""approvals":1"#).instances[0].approvals
        XCTAssertEqual(RiskGrade.allCases.map { one.required(for: $0) }, [1, 1, 1])
        let graded = try read(
            three,
            #"""
            "approvals":{"medium":1,"high":2},"riskRows":7,"riskSessions":8,"approvableSeconds":9,"commitWithinSeconds":10
            """#
        ).instances[0].approvals
        XCTAssertEqual(RiskGrade.allCases.map { graded.required(for: $0) }, [0, 1, 2])
        XCTAssertEqual(graded.required(for: nil), 2, "what nobody could grade is taken for the gravest")
        XCTAssertEqual(graded.thresholds, RiskThresholds(rows: 7, sessions: 8))
        XCTAssertEqual(graded.approvableFor, 9)
        XCTAssertEqual(graded.commitWithin, 10)
    }

    func testMistakesInApprovalsAreRefused() {
        assertRefused("instances.0.approvals", three, #""approvals":-1"#)
        assertRefused("instances.0.approvals", three, #""approvals":"1""#)
        assertRefused("instances.0.approvals.mid", three, #""approvals":{"mid":1}"#)
        assertRefused("low asks for more approvals than medium", three, #""approvals":{"low":1}"#)
        for key in ["riskRows", "riskSessions", "approvableSeconds", "commitWithinSeconds"] {
            assertRefused("instances.0.\(key)", three, #""\#(key)":0"#)
        }
    }

    func testAnAccountIsItsOwnPersonUnlessItIsToldWhose() throws {
        let accounts = try read([account("ci"), account("dan-admin", #"["*"]"#, person("dan"))], "").accounts
        XCTAssertEqual(accounts.map(\.person), ["ci", "dan"])
        assertRefused("accounts.0.person", [account("ci", #"["*"]"#, person(""))], "")
        assertRefused(
            "accounts.0.person", [account("ci", #"["*"]"#, person(String(repeating: "x", count: 257)))], "")
    }

    func testTheStarGivesNobodyTheRightToBreakGlass() throws {
        let accounts = try read(
            [account("ci"), account("oncall", #"["*","break-glass"]"#), account("only", #"["break-glass"]"#)], ""
        ).accounts
        XCTAssertEqual(accounts[0].permissions, Set(Permission.allCases).subtracting([.breakGlass]))
        XCTAssertEqual(accounts[1].permissions, Set(Permission.allCases))
        XCTAssertEqual(accounts[2].permissions, [.breakGlass])
        XCTAssertFalse(InitCommand.configuration(secretID: "A", secretKey: "B").contains("break-glass"))
    }

    func testRulesThatNobodyCouldSatisfyAreRefused() throws {
        assertRefused(
            #"instances.0.approvals: cdb-1 asks for up to 1 approvals, but of the plans that the account ci may"#,
            [account("ci")], #""approvals":1"#)
        // Two accounts of one person are one person.
        let twice = [account("dan"), account("dan-admin", #"["*"]"#, person("dan"))]
        assertRefused("account dan ", twice, #""approvals":{"high":1}"#)
        _ = try read(twice + [account("alice", #"["approve"]"#)], #""approvals":1"#)
        assertRefused(
            "only 1 other person(s) may approve (alice)", [account("ci"), account("alice")], #""approvals":2"#)
        _ = try read(three, #""approvals":2"#)
        // Whoever may not prepare needs nobody, and whoever may not approve is nobody's approver.
        _ = try read([account("ci", #"["approve"]"#)], #""approvals":2"#)
        assertRefused("account ci", [account("ci"), account("alice", #"["prepare"]"#)], #""approvals":1"#)
    }

    func testATaskIsSuspendedWhereSomebodyHasToAgreeNow() throws {
        let task = KillTask(
            name: KillTaskName(rawValue: "task-a"), instance: InstanceID(rawValue: "cdb-1"),
            account: AccountName(rawValue: "ci"),
            rule: try KillRule(user: "app"), createdAt: UnixTime(milliseconds: 0), endsAt: nil)
        func obstacle(by configuration: Configuration) -> KillTaskObstacle? {
            task.obstacle(
                accounts: configuration.accounts,
                isAskedForApprovals: configuration.instances.contains(where: \.approvals.asks))
        }
        XCTAssertNil(obstacle(by: try read(three, "")))
        XCTAssertEqual(obstacle(by: try read(three, #""approvals":{"high":1}"#)), .approvalsNeeded)
    }

    func testPersonsWhomNobodyCouldTellApartAreRefusedWhereTheirWordCounts() throws {
        let similar = [account("ci", #"["*"]"#, person("Dan")), account("dan"), account("alice")]
        assertRefused("accounts.1.person", similar, #""approvals":1"#)
        _ = try read(similar, "")
    }
}
