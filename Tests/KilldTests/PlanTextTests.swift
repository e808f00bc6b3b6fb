import DBbrainAPI
import Foundation
import Text
import XCTest

@testable import killd

/// What `killd show` makes of a plan.
final class PlanTextTests: XCTestCase {
    private static let now = Date(timeIntervalSince1970: 1_796_000_000)

    private static func time(_ seconds: Double) -> String { now.addingTimeInterval(seconds).formatted(.iso8601) }

    /// - Parameter edges: waiter and holder of each; 0 for a holder that is no session.
    private func plan(
        _ threads: [Int] = [12], edges: [(Int, Int)] = [], _ members: [String: Any] = [:]
    ) throws -> KillPlanDescription {
        var plan: [String: Any] = [
            "PlanName": "plan-rs4qvdwqacuw", "InstanceId": "cdb-1", "Account": "ci", "State": "prepared",
            "Digest": "ab12", "PreparedAt": Self.time(-228), "ExpiresAt": Self.time(672), "RecordHistory": true,
            "Server": ["Version": "11.8", "Hostname": "db1", "Port": 3306, "ServerId": 1],
            "Required": 2, "Approvals": [Any](), "CouldApprove": ["bob", "carol"], "Reviews": [Any](),
            "ApprovableUntil": Self.time(372),
            "You": [
                "MayApprove": true, "MayReject": true, "MayCancel": false, "MayCommit": false, "Why": [String](),
            ] as [String: Any],
            "Threads": threads.map { id in
                [
                    "Id": id, "Found": true, "User": "batch", "Host": "10.0.0.9:1", "Command": "Sleep", "Time": 95,
                    "Transaction": ["Age": 95, "RowsModified": 1_203_004, "State": "RUNNING"] as [String: Any],
                ] as [String: Any]
            },
            "WaitEdges": edges.map { waiter, holder in
                var edge: [String: Any] = [
                    "Waiter": waiter, "User": "app", "Host": "10.0.0.4:2", "Kind": "row", "Object": "shop.orders",
                    "Index": "PRIMARY", "Mode": "X", "Seconds": waiter,
                ]
                if holder > 0 { edge["Holder"] = holder }
                return edge
            },
        ]
        for (name, value) in members { plan[name] = value }
        return try JSONDecoder().decode(
            KillPlanDescription.self, from: try JSONSerialization.data(withJSONObject: plan))
    }

    private func facts(_ members: [String: Any]) throws -> String {
        PlanFacts(try plan([12], edges: [], members), seenAt: Self.now).table.text.text
    }

    func testItSaysHowManyApprovalsAreMissingUntilWhenAndWhoCouldGiveThem() throws {
        let text = try facts([
            "RequestedBy": "dan", "Reason": "checkout is stuck behind the report job",
            "Risk": ["Grade": "high", "Reasons": ["1,203,004 rows to undo (12)", "14 sessions"]],
            "Approvals": [
                [
                    "Person": "alice", "Account": "alice", "At": Self.time(-97), "Address": "10.0.0.7",
                    "Comment": "seen, report can rerun", "Valid": true,
                ] as [String: Any],
                ["Person": "eve", "Account": "eve", "At": Self.time(-90), "Valid": false] as [String: Any],
            ],
            "You": [
                "MayApprove": false, "MayReject": true, "MayCancel": false, "MayCommit": false,
                "Why": ["requested-by-you"],
            ] as [String: Any],
        ])
        XCTAssertEqual(
            text,
            """
            Plan      plan-rs4qvdwqacuw
            State     waits for 1 more approval (has 1 of 2); until \(Self.time(372)), in 6m12s
            Risk      high: 1,203,004 rows to undo (12); 14 sessions
            Instance  cdb-1: 11.8 on db1:3306
            Asked     \(Self.time(-228)) by ci, for dan (as ci says): checkout is stuck behind the report job
            Approved  alice at \(Self.time(-97)) from 10.0.0.7: "seen, report can rerun"
                      eve at \(Self.time(-90)) (does not count any more)
            Can       bob, carol; not you: you asked for it
            Digest    ab12

            """)
    }

    func testEveryStateIsSaidWithItsTimeAndByWhom() throws {
        let rejection = [
            "Kind": "rejected", "Account": "bob", "Person": "bob", "At": Self.time(-1), "Reason": "not now",
        ]
        let glass = ["Kind": "broke-glass", "Account": "ops", "Person": "olga", "At": Self.time(-9), "Reason": "down"]
        let cases: [([String: Any], String)] = [
            (
                ["Required": 0, "CommittableUntil": Self.time(60)],
                "prepared; can be committed until \(Self.time(60)), in 1m00s"
            ),
            (
                ["State": "approved", "CommittableUntil": Self.time(59)],
                "can be committed until \(Self.time(59)), in 59s"
            ),
            (["State": "rejected", "Decision": rejection], "rejected by bob at \(Self.time(-1)): \"not now\""),
            (
                ["State": "expired", "ApprovableUntil": Self.time(-5)],
                "expired at \(Self.time(-5)); nothing was killed"
            ),
            (["State": "stale", "StateReason": "risk-rose", "EndedAt": Self.time(-5)], "stale (risk-rose)"),
            (
                [
                    "State": "committing",
                    "Progress": ["Total": 1_000, "Ended": 812, "RollingBack": 3, "RowsLeft": 1_203_004],
                ], "812 of 1,000 ended, 3 rolling back, 1,203,004 rows left"
            ),
            (["State": "committing"], "committing, or interrupted"),
            (
                ["State": "committed", "EndedAt": Self.time(-2), "BreakGlass": glass],
                "broken by olga at \(Self.time(-9)): \"down\""
            ),
            (["State": "committed", "EndedAt": Self.time(-2), "BreakGlass": glass], "nobody has looked at that since"),
        ]
        for (members, says) in cases {
            let text = try facts(members)
            XCTAssertTrue(text.contains(says), "\(says)\n\(text)")
        }
    }

    func testTheTreeOfWaitsBeginsWithWhoWaitsForNobody() throws {
        let tree = WaitTree(try plan([40, 12], edges: [(31, 12), (40, 31), (33, 12)])).text.text
        XCTAssertEqual(
            tree,
            """
            12  batch@10.0.0.9:1  Sleep 95 s  1,203,004 rows to undo  DIES
            ├─ 31  app@10.0.0.4:2  waits 31 s for shop.orders PRIMARY X
            │  └─ 40  app@10.0.0.4:2  waits 40 s for shop.orders PRIMARY X  DIES
            └─ 33  app@10.0.0.4:2  waits 33 s for shop.orders PRIMARY X

            """)
    }

    func testCirclesSharedWaitersLostHoldersAndWhatWasLeftOutAreSaid() throws {
        let circle = WaitTree(try plan([2], edges: [(1, 2), (2, 3), (3, 1)])).text.text
        XCTAssertEqual(circle.split(separator: "\n").count, 4, circle)
        XCTAssertTrue(circle.hasPrefix("2  batch@"), circle)
        XCTAssertTrue(circle.contains("      └─ 2  app@10.0.0.4:2  waits 2 s"), circle)
        XCTAssertTrue(circle.contains("DIES  in a circle: see above"), circle)

        let shared = WaitTree(try plan([1, 2], edges: [(9, 1), (9, 2)], ["MoreWaitEdges": 57])).text.text
        XCTAssertTrue(shared.contains("also shown above"), shared)
        XCTAssertTrue(shared.contains("and 57 more waits"), shared)

        let nobodys = WaitTree(try plan([9], edges: [(9, 0)])).text.text
        XCTAssertTrue(nobodys.hasPrefix("a prepared XA transaction that is no session's\n└─ 9  "), nobodys)
        let foreign = WaitTree(try plan([9], edges: [(9, 7)])).text.text
        XCTAssertTrue(foreign.hasPrefix("7  not in this plan\n└─ 9  "), foreign)
        XCTAssertEqual(WaitTree(try plan()).text.text, "")
    }

    func testATreeIsNeitherTooDeepNorTooLongWhateverTheServerSays() throws {
        let chain = WaitTree(try plan([1], edges: (1..<5_000).map { ($0 + 1, $0) })).text.text
        XCTAssertLessThan(chain.split(separator: "\n").count, 40)
        XCTAssertTrue(chain.contains("… 4967 more here"), chain)
        let wide = WaitTree(try plan([1], edges: (2..<5_000).map { ($0, 1) })).text.text
        XCTAssertLessThan(wide.split(separator: "\n").count, 410)
        XCTAssertTrue(wide.contains("more here"), "\(wide.suffix(200))")
    }

    func testTheSessionsOfNowStandBesideThoseOfPrepare() throws {
        let text = ShowCommand.text(
            try plan(
                [12], edges: [],
                [
                    "Now": [
                        "At": Self.time(0), "SameServer": true, "Risk": ["Grade": "low", "Reasons": [String]()],
                        "Threads": [
                            ["Id": 12, "Found": true, "SameSession": false] as [String: Any],
                            ["Id": 13, "Found": true, "SameSession": true, "Command": "Query", "Time": 7]
                                as [String: Any],
                            ["Id": 14, "Found": false, "SameSession": false] as [String: Any],
                        ],
                    ] as [String: Any]
                ]), seenAt: Self.now
        ).text
        XCTAssertTrue(text.contains("Now, at \(Self.time(0)); risk low:\n"), text)
        XCTAssertTrue(text.contains("12  another session has the id"), text)
        XCTAssertTrue(text.contains("13  there"), text)
        XCTAssertTrue(text.contains("14  gone"), text)
    }

    // MARK: killd plans

    private func summary(_ name: String, _ members: [String: Any] = [:]) throws -> KillPlanSummary {
        var plan: [String: Any] = [
            "PlanName": name, "InstanceId": "cdb-1", "Account": "ci", "State": "prepared",
            "PreparedAt": Self.time(-200), "ThreadCount": 14, "Outcomes": [String: Int](), "Risk": "high",
            "Required": 2,
            "Approvals": ["alice"], "ApprovableUntil": Self.time(372), "BrokeGlass": false, "Reviewed": false,
            "You": [
                "MayApprove": true, "MayReject": true, "MayCancel": false, "MayCommit": false, "Why": [String](),
            ] as [String: Any],
        ]
        for (name, value) in members { plan[name] = value }
        return try JSONDecoder().decode(
            KillPlanSummary.self, from: try JSONSerialization.data(withJSONObject: plan))
    }

    func testThePlansThatWaitComeFirstAndOfThoseTheSoonestDeadline() throws {
        let plans = try [
            summary("plan-none", ["Required": 0, "Approvals": [String](), "CommittableUntil": Self.time(9)]),
            summary(
                "plan-approved", ["State": "approved", "Approvals": ["a", "b"], "CommittableUntil": Self.time(5)]),
            summary("plan-late", ["ApprovableUntil": Self.time(580), "RequestedBy": "dan"]),
            summary("plan-soon"), summary("plan-at-it", ["State": "committing", "Approvals": ["a", "b"]]),
        ]
        XCTAssertEqual(
            PlansCommand.table(PlansCommand.inOrder(plans), seenAt: Self.now).text.text,
            """
            PLAN           RISK  APPROVALS   LEFT        INSTANCE  SESSIONS  PREPARED
            plan-soon      high  1 of 2      6m12s       cdb-1     14        3m ago by ci
            plan-late      high  1 of 2      9m40s       cdb-1     14        3m ago by ci, for dan
            plan-approved  high  2 of 2      5s          cdb-1     14        3m ago by ci
            plan-none      high  not needed  9s          cdb-1     14        3m ago by ci
            plan-at-it     high  2 of 2      committing  cdb-1     14        3m ago by ci

            """)
    }

    func testWhatIsWaitedForIsReachedMissedOrStillToCome() throws {
        let cases: [(String, Int, approved: Bool?, ended: Bool?)] = [
            ("prepared", 2, nil, nil), ("prepared", 0, true, nil), ("approved", 2, true, nil),
            ("committing", 2, true, nil), ("committed", 2, true, true), ("rejected", 2, false, false),
            ("cancelled", 2, false, false), ("expired", 2, false, false), ("stale", 2, false, false),
            ("abandoned", 2, false, false),
        ]
        for (state, required, approved, ended) in cases {
            let plan = try plan([12], edges: [], ["State": state, "Required": required])
            XCTAssertEqual(WaitCommand.Goal.approved.isReached(by: plan), approved, state)
            XCTAssertEqual(WaitCommand.Goal.ended.isReached(by: plan), ended, state)
        }
    }

    func testSpansAreShort() {
        let cases = [(0, "0s"), (20, "20s"), (60, "1m00s"), (372, "6m12s"), (7_500, "2h05m"), (273_600, "3d4h")]
        for (seconds, text) in cases { XCTAssertEqual(Span(seconds: seconds).description, text) }
        XCTAssertEqual([0, 999, 1_000, 1_203_004].map(\.grouped), ["0", "999", "1,000", "1,203,004"])
    }
}
