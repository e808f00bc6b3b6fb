import Accounts
import ActionDispatch
import DASAPI
import HTTPServer
import RequestDispatch
import RequestSigning
import Synchronization
import TencentCloudErrors
import XCTest

@testable import StandIn

/// Faults, each for the first calls of an action.
final class FaultTests: XCTestCase {
    private let account = Account(
        name: "standin", uin: "1", secretID: "AKIDstandin", secretKey: Secret("k"), permissions: [], instances: [])
    private let waits = Waits()

    private final class Waits: Sendable {
        let durations = Mutex<[Duration]>([])
    }

    private func faults() -> Faults {
        Faults(
            actions: [.dbbrain: ["KillMySqlThreads", "DescribeKillPlan"], .das: ["KillInstanceAllSession"]],
            sleep: { [waits] duration in waits.durations.withLock { $0.append(duration) } })
    }

    private func request(_ action: String, _ change: (inout FaultRequest) -> Void) -> FaultRequest {
        var request = FaultRequest(action: action)
        change(&request)
        return request
    }

    /// What a call is rejected with, and what is sent of its response.
    private func call(_ action: String, _ faults: Faults) async -> (failure: (any Error)?, response: HTTPResponse) {
        let response = HTTPResponse(status: .ok, body: Array("12345".utf8))
        guard let interception = faults.interceptor(action, account) else { return (nil, response) }
        do {
            try await interception.before()
            return (nil, interception.deliver(response))
        } catch {
            return (error, interception.deliver(response))
        }
    }

    func testMeetsTheFirstCallsOfItsActionAndNoOthers() async throws {
        let faults = faults()
        try faults.arm(
            request("KillMySqlThreads") {
                $0.code = "InternalError"
                $0.calls = 2
            })
        let other = await call("DescribeKillPlan", faults)
        XCTAssertNil(other.failure)
        for _ in 0..<2 {
            let failure = await call("KillMySqlThreads", faults).failure
            XCTAssertEqual(failure as? ScriptedRejection, ScriptedRejection(.internalError))
        }
        let third = await call("KillMySqlThreads", faults)
        XCTAssertNil(third.failure)
        XCTAssertEqual(faults.armed.map(\.hits), [2])
    }

    func testFaultsOfAnActionComeInTheOrderInWhichTheyWereArmed() async throws {
        let faults = faults()
        try faults.arm(request("KillMySqlThreads") { $0.code = "InternalError" })
        try faults.arm(request("KillMySqlThreads") { $0.code = "ResourceInUse" })
        for code in [ErrorCode.internalError, .resourceInUse] {
            let failure = await call("KillMySqlThreads", faults).failure
            XCTAssertEqual(failure as? ScriptedRejection, ScriptedRejection(code))
        }
        faults.disarm()
        XCTAssertEqual(faults.armed, [])
    }

    func testALostResponseIsLostBeforeOrAfterTheEffect() async throws {
        let faults = faults()
        try faults.arm(request("KillMySqlThreads") { $0.cut = "before" })
        try faults.arm(request("KillMySqlThreads") { $0.cut = "after" })
        try faults.arm(request("KillMySqlThreads") { $0.badGateway = "before" })
        try faults.arm(request("KillMySqlThreads") { $0.badGateway = "after" })
        try faults.arm(request("KillMySqlThreads") { $0.truncateAfterBytes = 3 })
        let calls = [
            await call("KillMySqlThreads", faults), await call("KillMySqlThreads", faults),
            await call("KillMySqlThreads", faults), await call("KillMySqlThreads", faults),
            await call("KillMySqlThreads", faults),
        ]
        XCTAssertEqual(calls.map { $0.failure == nil }, [false, true, false, true, true])
        XCTAssertEqual(
            calls.map(\.response.delivery), [.nothing, .nothing, .whole, .whole, .cut(afterBodyBytes: 3)])
        XCTAssertEqual(calls.map(\.response.status), [.ok, .ok, .badGateway, .badGateway, .ok])
    }

    func testADelayIsWaitedByTheClockOfTheWorldBeforeTheEffect() async throws {
        let faults = faults()
        try faults.arm(request("KillMySqlThreads") { $0.delayMilliseconds = 1_500 })
        let delayed = await call("KillMySqlThreads", faults)
        XCTAssertNil(delayed.failure)
        XCTAssertEqual(delayed.response.delivery, .whole)
        XCTAssertEqual(waits.durations.withLock { $0 }, [.milliseconds(1_500)])
    }

    func testDASIsAnsweredInItsOwnWords() async throws {
        let faults = faults()
        try faults.arm(request("KillInstanceAllSession") { $0.code = "Throttling.User" })
        let interception = try XCTUnwrap(faults.dasInterceptor("KillInstanceAllSession", account))
        do {
            try await interception.before()
            XCTFail("it was let through")
        } catch {
            XCTAssertEqual(error.code, "Throttling.User")
        }
    }

    func testEveryCodeOfBothAPIsCanBeAskedForAndIsAnswered() async throws {
        let faults = faults()
        for code in ErrorCode.allCases {
            try faults.arm(request("KillMySqlThreads") { $0.code = code.rawValue })
            let failure = await call("KillMySqlThreads", faults).failure
            XCTAssertEqual(failure as? ScriptedRejection, ScriptedRejection(code))
        }
        XCTAssertGreaterThan(CloudAPI.das.codes.count, 15)
        for code in CloudAPI.das.codes {
            try faults.arm(request("KillInstanceAllSession") { $0.code = code })
            let interception = try XCTUnwrap(faults.dasInterceptor("KillInstanceAllSession", account))
            do {
                try await interception.before()
                XCTFail("\(code) was let through")
            } catch {
                XCTAssertEqual(error.code, code)
            }
        }
    }

    func testWhatMakesNoSenseIsRefusedByName() {
        let cases: [(FaultRequest, String)] = [
            (
                request("KillMySQLThreads") { $0.code = "InternalError" },
                "Action: neither API has an action \"KillMySQL"
            ),
            (
                request("KillMySqlThreads") { $0.code = "Throttling.User" },
                "Code: dbbrain has no code \"Throttling.User\""
            ),
            (request("KillInstanceAllSession") { $0.code = "FailedOperation" }, "Code: das has no code"),
            (request("KillMySqlThreads") { $0.cut = "midway" }, "Cut: expected \"before\" or \"after\""),
            (request("KillMySqlThreads") { $0.badGateway = "" }, "BadGateway: expected"),
            (request("KillMySqlThreads") { $0.truncateAfterBytes = -1 }, "TruncateAfterBytes: expected a whole number"),
            (request("KillMySqlThreads") { $0.delayMilliseconds = 600_001 }, "DelayMilliseconds: expected"),
            (request("KillMySqlThreads") { _ in }, "found none"),
            (
                request("KillMySqlThreads") {
                    $0.cut = "before"
                    $0.code = "InternalError"
                }, "found several"
            ),
            (
                request("KillMySqlThreads") {
                    $0.cut = "before"
                    $0.calls = 0
                }, "Calls: expected a whole number from 1 to 1000000, found 0"
            ),
        ]
        let faults = faults()
        for (request, words) in cases {
            XCTAssertThrowsError(try faults.arm(request), words) { error in
                XCTAssertTrue("\(error)".contains(words), "\(error)")
            }
        }
        XCTAssertEqual(faults.armed, [])
    }
}
