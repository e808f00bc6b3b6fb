import DedicatedThread
import Dispatch
import Foundation
import PrivateDatabase
import Synchronization
import TestSupport
import XCTest

/// One account that asks for a hundred times what it may, and another that asks for little.
final class OverloadTests: XCTestCase {
    /// Calls a second that an account may make.
    private static let limit = 10
    private static let seconds = 5

    func testAnAccountFarAboveItsLimitIsRefusedFastAndAnotherNoticesNothing() async throws {
        var configuration = KilldConfiguration(port: try PrivateDatabase.freePort())
        configuration.requestsPerSecond = Self.limit
        configuration.accounts.append(.init(name: "quiet"))
        let killd = try await KilldProcess.start(configuration)
        let quiet = try SigningClient(killd, as: configuration.accounts[1])
        let loud = try SigningClient(killd)

        let alone = try quiet.callSlowly()
        // On threads of its own: two clients must not wait for each other in here.
        let flood = try Flood(loud, connections: 8, callsPerSecond: 100 * Self.limit, seconds: Self.seconds)
        // The flood is on before the other is measured.
        try await eventually("the flood") { flood.answers.withLock { $0.refused.count > 100 } }
        let beside = try quiet.callSlowly()
        let answers = await flood.end()

        let offered = Double(answers.count) / Double(Self.seconds)
        print(
            """
            \(offered) calls a second from one account, \(answers.accepted) of \(answers.count) accepted;
            a refusal took \(Figures(answers.refused));
            another account's call took \(Figures(alone)) alone, \(Figures(beside)) beside that
            """)
        XCTAssertEqual(answers.strange, [])
        XCTAssertGreaterThan(offered, Double(20 * Self.limit), "this machine cannot make the load")
        XCTAssertLessThanOrEqual(answers.accepted, Self.limit * (Self.seconds + 2))
        // On a busy machine a call takes longer also without the flood.
        let longest = max(.milliseconds(500), Figures(alone).slow * 10)
        XCTAssertLessThan(Figures(answers.refused).slow, longest)
        XCTAssertLessThan(Figures(beside).slow, longest)
        try await killd.stop()
    }

    private struct Figures: CustomStringConvertible {
        let median: Duration
        /// 99 of 100 are faster.
        let slow: Duration

        init(_ durations: [Duration]) {
            let sorted = durations.sorted()
            median = sorted.isEmpty ? .zero : sorted[sorted.count / 2]
            slow = sorted.isEmpty ? .zero : sorted[sorted.count * 99 / 100]
        }

        var description: String {
            func text(_ duration: Duration) -> String { String(format: "%.1f ms", duration / .milliseconds(1)) }
            return "\(text(median)) (median), \(text(slow)) (99 %)"
        }
    }

    /// Many calls on a few connections, paced.
    private final class Flood: Sendable {
        struct Responses: Sendable {
            var accepted = 0
            var refused: [Duration] = []
            var strange: [String] = []
            var count: Int { accepted + refused.count + strange.count }
        }

        let answers = Mutex(Responses())
        private let threads = DispatchGroup()

        init(_ client: SigningClient, connections: Int, callsPerSecond: Int, seconds: Int) throws {
            let pause = Duration.seconds(1) * connections / callsPerSecond
            for _ in 0..<connections {
                let calls = try client.repeatedCall("DescribeKillPlans", ["Limit": 1])
                threads.enter()
                try startThread(name: "flood") { [self] in
                    defer { threads.leave() }
                    let start = ContinuousClock.now
                    var next = start
                    while next < start + .seconds(seconds) {
                        let now = ContinuousClock.now
                        if now < next { usleep(UInt32(now.duration(to: next) / .microseconds(1))) }
                        next += pause
                        let sent = ContinuousClock.now
                        let answer = calls.send()
                        let duration = sent.duration(to: .now)
                        answers.withLock { answers in
                            if answer.contains("RequestLimitExceeded") {
                                answers.refused.append(duration)
                            } else if answer.contains("Plans") {
                                answers.accepted += 1
                            } else {
                                answers.strange.append(answer)
                            }
                        }
                    }
                }
            }
        }

        func end() async -> Responses {
            await withCheckedContinuation { done in threads.notify(queue: .global()) { done.resume() } }
            return answers.withLock { $0 }
        }
    }
}

extension SigningClient {
    /// Half of what the account may, for two seconds.
    ///
    /// - Returns: how long each call took. The test fails if one was refused.
    fileprivate func callSlowly() throws -> [Duration] {
        try (0..<10).map { _ in
            let start = ContinuousClock.now
            let answer = try call("DescribeKillPlans", ["Limit": 1])
            let duration = start.duration(to: .now)
            XCTAssertNil(answer.Error, "\(answer)")
            usleep(200_000)
            return duration
        }
    }
}
