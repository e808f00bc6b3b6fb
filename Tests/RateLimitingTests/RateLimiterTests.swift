import SeededRandom
import RateLimiting
import XCTest

final class RateLimiterTests: XCTestCase {
    private let start = ContinuousClock.now

    func testNeverAcceptsMoreThanTheLimitInAnySecondOfAnySchedule() throws {
        for seed in UInt64(1)...300 {
            var generator = SplitMix64(seed: seed)
            let limit = Int.random(in: 1...30, using: &generator)
            // From well below the limit to far above it, with pauses.
            let meanGap = 1_000_000 / limit * Int.random(in: 1...30, using: &generator) / 15
            var limiter = try XCTUnwrap(RateLimiter<String>(limit: limit))
            var now = 0
            var accepted: [Int] = []
            var rejections = 0
            for _ in 0..<600 {
                switch Int.random(in: 0..<100, using: &generator) {
                case 0: now += Int.random(in: 900_000...1_100_000, using: &generator)
                case 1..<40: break
                default: now += Int.random(in: 0...(2 * meanGap), using: &generator)
                }
                switch limiter.admit("key", at: time(microseconds: now)) {
                case .accepted: accepted.append(now)
                case .rejected:
                    rejections += 1
                    let inTheLastSecond = accepted.count { $0 > now - 1_000_000 }
                    XCTAssertEqual(inTheLastSecond, limit, "refused for no reason, seed \(seed)")
                }
            }
            XCTAssertEqual(accepted.count + rejections, 600)
            for first in accepted {
                let inOneSecond = accepted.count { (first..<first + 1_000_000).contains($0) }
                XCTAssertLessThanOrEqual(inOneSecond, limit, "seed \(seed), second from \(first)")
            }
        }
    }

    func testGives20ASecondToAClientThatOffers25Evenly() throws {
        var limiter = try XCTUnwrap(RateLimiter<String>(limit: 20))
        for second in 0..<10 {
            let accepted = (0..<25).count { call in
                limiter.admit("key", at: time(microseconds: second * 1_000_000 + call * 40_000)) == .accepted
            }
            XCTAssertEqual(accepted, 20, "second \(second)")
        }
    }

    func testGives20ASecondToAClientThatOffers25InABurst() throws {
        var limiter = try XCTUnwrap(RateLimiter<String>(limit: 20))
        for second in 0..<10 {
            let accepted = (0..<25).count { _ in
                limiter.admit("key", at: time(microseconds: second * 1_000_000)) == .accepted
            }
            XCTAssertEqual(accepted, 20, "second \(second)")
        }
    }

    func testNamesTheCountOfAllCallsInTheSecond() throws {
        var limiter = try XCTUnwrap(RateLimiter<String>(limit: 20))
        for second in 0..<3 {
            for call in 1...30 {
                let admission = limiter.admit("key", at: time(microseconds: second * 1_000_000 + call))
                XCTAssertEqual(
                    admission, call <= 20 ? .accepted : .rejected(countInThisSecond: call, limit: 20), "\(call)")
            }
        }
    }

    func testCountsRefusedCallsAmongAcceptedOnes() throws {
        var limiter = try XCTUnwrap(RateLimiter<String>(limit: 2))
        let schedule: [(milliseconds: Int, admission: Admission)] = [
            (0, .accepted), (600, .accepted), (700, .rejected(countInThisSecond: 3, limit: 2)),
            (1_000, .accepted), (1_100, .rejected(countInThisSecond: 4, limit: 2)),
            (1_599, .rejected(countInThisSecond: 5, limit: 2)), (1_600, .accepted),
            (1_700, .rejected(countInThisSecond: 5, limit: 2)),
        ]
        for (milliseconds, admission) in schedule {
            XCTAssertEqual(
                limiter.admit("key", at: time(microseconds: milliseconds * 1_000)), admission, "\(milliseconds) ms")
        }
    }

    func testCountsEachKeyForItself() throws {
        var limiter = try XCTUnwrap(RateLimiter<String>(limit: 1))
        XCTAssertEqual(limiter.admit("a", at: start), .accepted)
        XCTAssertEqual(limiter.admit("a", at: start), .rejected(countInThisSecond: 2, limit: 1))
        XCTAssertEqual(limiter.admit("b", at: start), .accepted)
        XCTAssertEqual(limiter.admit("b", at: start), .rejected(countInThisSecond: 2, limit: 1))
    }

    func testForgetsIdleKeysAndNoOthers() throws {
        var limiter = try XCTUnwrap(RateLimiter<Int>(limit: 1))
        for key in 0..<1_000 {
            XCTAssertEqual(limiter.admit(key, at: start), .accepted)
        }
        XCTAssertEqual(limiter.keyCount, 1_000)
        XCTAssertEqual(limiter.admit(-1, at: time(microseconds: 999_999)), .accepted)
        XCTAssertEqual(limiter.admit(-2, at: time(microseconds: 1_000_000)), .accepted)
        XCTAssertEqual(limiter.keyCount, 2)
        XCTAssertEqual(
            limiter.admit(-1, at: time(microseconds: 1_000_000)), .rejected(countInThisSecond: 2, limit: 1))
    }

    func testRemembersNoMoreKeysThanTwoSecondsBring() throws {
        var limiter = try XCTUnwrap(RateLimiter<Int>(limit: 20))
        var most = 0
        for key in 0..<20_000 {
            XCTAssertEqual(limiter.admit(key, at: time(microseconds: key * 1_000)), .accepted)
            most = max(most, limiter.keyCount)
        }
        XCTAssertLessThanOrEqual(most, 2_000)
    }

    func testTakesATimeThatGoesBackAsTheLatestOne() throws {
        var limiter = try XCTUnwrap(RateLimiter<String>(limit: 1))
        XCTAssertEqual(limiter.admit("key", at: time(microseconds: 5_000_000)), .accepted)
        XCTAssertEqual(
            limiter.admit("key", at: time(microseconds: 1_000_000)), .rejected(countInThisSecond: 2, limit: 1))
        XCTAssertEqual(limiter.admit("other", at: time(microseconds: 1_000_000)), .accepted)
        XCTAssertEqual(
            limiter.admit("other", at: time(microseconds: 5_999_999)), .rejected(countInThisSecond: 2, limit: 1))
        XCTAssertEqual(limiter.admit("other", at: time(microseconds: 6_000_000)), .accepted)
    }

    func testTakesLimitsFromOneToAMillion() {
        let cases: [(limit: Int, isValid: Bool)] = [
            (.min, false), (0, false), (1, true), (1_000_000, true), (1_000_001, false),
        ]
        for (limit, isValid) in cases {
            XCTAssertEqual(RateLimiter<String>(limit: limit) != nil, isValid, "\(limit)")
        }
    }

    private func time(microseconds: Int) -> ContinuousClock.Instant {
        start.advanced(by: .microseconds(microseconds))
    }
}
