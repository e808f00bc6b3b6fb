import SessionKill
import Synchronization
import TestSupport
import XCTest

/// Requests that somebody has seen on their way and sends again. The victims would be of `app2`.
final class ReplayTests: XCTestCase {
    private struct Creation: Encodable {
        var InstanceId = "cdb-test"
        var Duration = -1
        var User = "app2"
    }

    func testACapturedCreationStartsNothingAgainAfterTheCancellation() async throws {
        try await withTasks { scene in
            let captured = try scene.client.repeatedCall("CreateKillTask", Creation())
            // A client that got no response sends the same bytes again.
            for _ in 0..<2 {
                let answer = captured.send()
                XCTAssertTrue(answer.contains("\"Status\":1"), answer)
            }
            XCTAssertEqual(try scene.tasks().count, 1)
            try scene.cancel()

            let spared = try await scene.open()
            let answer = captured.send()
            XCTAssertTrue(answer.contains("AuthFailure.SignatureFailure"), answer)
            XCTAssertEqual(try scene.tasks().map(\.State), ["cancelled"])
            await spared.assertAllAnswer()
        }
    }

    func testACapturedListingBecomesNoCancellation() async throws {
        try await withTasks { scene in
            let captured = try scene.client.repeatedCall("DescribeMySqlProcessList", ["InstanceId": "cdb-test"])
            try scene.create(#""User":"nobody""#)
            for _ in 0..<2 {
                let answer = captured.send()
                XCTAssertTrue(answer.contains("ProcessList"), answer)
            }
            let answer = captured.resent(as: "CancelKillTask").send()
            XCTAssertTrue(answer.contains("AuthFailure.SignatureFailure"), answer)
            XCTAssertEqual(try scene.tasks().map(\.State), ["running"])
            try scene.cancel()
        }
    }

    func testCreationsOfOneSignatureAtTheSameMomentAreOne() async throws {
        try await withTasks { scene in
            let captured = try scene.client.repeatedCalls(8, "CreateKillTask", Creation(User: "nobody"))
            let answers = await withTaskGroup(of: String.self) { group in
                for call in captured { group.addTask { call.send() } }
                var answers: [String] = []
                for await answer in group { answers.append(answer) }
                return answers
            }
            XCTAssertTrue(answers.allSatisfy { $0.contains("\"Status\":1") }, "\(answers)")
            XCTAssertEqual(try scene.tasks().count, 1)
            try scene.cancel()
        }
    }

    /// The SDK's retries sign anew: within the same second that is the same signature, later it is another one.
    func testThePythonSDKThatCreatesAgainHasOneTask() async throws {
        try OfficialClients.require()
        try await withTasks { scene in
            let first = FirstTime()
            let proxy = try TCPProxy(
                to: scene.killd.port,
                fromClient: { bytes in
                    bytes.firstRange(of: Array("Duration".utf8)) != nil
                        && first.isNow ? .forwardAndCut(bytes) : .forward(bytes)
                })
            try await OfficialClients.run(
                "sdk_resend.py", ["--lossy-endpoint", "http://127.0.0.1:\(proxy.port)"], scene)
            proxy.stop()
            XCTAssertEqual(try scene.tasks().map(\.State), ["cancelled"])
        }
    }

    private final class FirstTime: Sendable {
        private let hasBeen = Atomic(false)
        var isNow: Bool { !hasBeen.exchange(true, ordering: .sequentiallyConsistent) }
    }
}
