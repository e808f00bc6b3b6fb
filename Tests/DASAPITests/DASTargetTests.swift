import Accounts
import RequestSigning
import SessionKill
import XCTest

@testable import DASAPI

/// Where tasks are allowed, before anything is asked of a server or a store.
final class DASTargetTests: XCTestCase {
    private func das(nodes: [String] = [], needsApproval: Bool = false) -> DAS {
        func instance(_ node: String?) -> Instance {
            Instance(
                id: InstanceID(rawValue: "pc-1"), node: node.map(NodeID.init), server: Nowhere(), protectedUsers: [])
        }
        let clock = KillEngine.Clock(now: { UnixTime(milliseconds: 0) }, sleep: { _ in })
        let engine = KillEngine(
            store: Nowhere(), settings: .init(planLifetime: 600, killWait: .seconds(3)), clock: clock)
        return DAS(
            tasks: SessionTaskRunner(engine: engine, store: Nowhere(), clock: clock, report: { _ in }),
            listings: SessionListings(now: clock.now, report: { _, _ in }),
            instances: [
                DASInstance(
                    instance: instance(nil), nodes: nodes.map(instance), needsApproval: needsApproval)
            ], maximumThreads: 2)
    }

    private let call = DASCall(
        requestID: "R",
        account: Account(
            name: "ci", uin: "1", secretID: "AK", secretKey: Secret("SK"), permissions: [.prepare, .commit],
            instances: [InstancePattern("pc-*")].compactMap { $0 }))

    private func rejection(
        of request: DAS.TaskRequest, by das: DAS, file: StaticString = #filePath, line: UInt = #line
    ) async -> String {
        do throws(DASError) {
            _ = try await das.createTasks(request, by: .killd, for: call)
            XCTFail("not refused", file: file, line: line)
            return ""
        } catch {
            return error.code
        }
    }

    private func request(
        _ instance: String = "pc-1", node: String? = nil, all: Bool = false, _ ids: [Int]? = nil
    ) -> DAS.TaskRequest {
        DAS.TaskRequest(
            instance: instance, node: node, killsAll: all, threads: ids.map { $0.compactMap { ThreadID($0) } },
            ignoredUsers: [])
    }

    func testNobodyIsKilledByThisDoorWhereSomebodyMustAgree() async {
        let code = await rejection(of: request(all: true), by: das(needsApproval: true))
        XCTAssertEqual(code, "NoPermission")
    }

    func testWhatIsNotDefiniteIsRefused() async {
        let rejected: [(DAS.TaskRequest, [String])] = [
            (request(), []), (request("pc-1", []), []), (request("pc-1", [1, 2, 3]), []),
            (request("pc-2", all: true), []),
            (request("rm-1", all: true), []), (request(String(repeating: "pc-1", count: 40), all: true), []),
            (request(node: "pi-1", all: true), []), (request(node: "pi-3", [1]), ["pi-1", "pi-2"]),
            (request("pc-1", [1]), ["pi-1", "pi-2"]),
            (request(node: String(repeating: "p", count: 200), [1]), ["pi-1"]),
        ]
        for (request, nodes) in rejected {
            let code = await rejection(of: request, by: das(nodes: nodes))
            XCTAssertEqual(code, "InvalidParams", "\(request) \(nodes)")
        }
    }

    func testAServerThatIsAwayIsNoMistakeOfTheCaller() async {
        let code = await rejection(of: request(all: true), by: das())
        XCTAssertEqual(code, "ServiceUnavailable")
    }

    func testAllSessionsOfAClusterAreThoseOfEveryNode() throws {
        let instance = try das(nodes: ["pi-1", "pi-2"]).instance("pc-1", for: call)
        XCTAssertEqual(try instance.allServers(nil).map(\.node?.rawValue), ["pi-1", "pi-2"])
        XCTAssertEqual(try instance.allServers("pi-2").map(\.node?.rawValue), ["pi-2"])
        XCTAssertEqual(try instance.server(nil).node, nil)
    }
}

/// A server and a store of which nothing may be asked.
private struct Nowhere: DatabaseServer, PlanStore, SessionTaskStore {
    private static let absent = StoreError(.other, "nothing may be stored")

    func withConnection<Answer: Sendable>(
        preferring connection: ConnectionIdentity?, _ body: @Sendable (any ServerConnection) async throws -> Answer
    ) async throws -> Answer { throw ServerError(.unreachable, "away") }
    func withConnection<Answer: Sendable>(
        as login: DatabaseLogin, _ body: @Sendable (any ServerConnection) async throws -> Answer
    ) async throws -> Answer { throw ServerError(.unreachable, "away") }
    func observe(_ scope: ObservationScope) async throws -> ServerObservation {
        throw ServerError(.unreachable, "away")
    }

    func insert(_ plan: KillPlan, by caller: Caller) async throws(StoreError) -> AuditReceipt { throw Self.absent }
    func plan(with sqlExecID: SqlExecID) async throws(StoreError) -> StoredPlan? { throw Self.absent }
    func plan(named name: PlanName) async throws(StoreError) -> StoredPlan? { throw Self.absent }
    func plans(_ query: PlanQuery, at time: UnixTime) async throws(StoreError) -> [PlanSummary] { throw Self.absent }
    func record(_ decision: Decision, on plan: PlanName) async throws(StoreError) -> DecisionResult {
        throw Self.absent
    }
    func claim(_ plan: PlanName, _ claim: PlanClaim) async throws(StoreError) -> ClaimResult { throw Self.absent }
    func finish(
        _ plan: PlanName, as ending: PlanEnding, outcomes: [ThreadID: Outcome], guards: [ThreadID: KillGuard],
        at time: UnixTime
    ) async throws(StoreError) -> AuditReceipt? { throw Self.absent }
    func receiptOfEnd(of plan: PlanName) async throws(StoreError) -> AuditReceipt? { throw Self.absent }
    func revision() async throws(StoreError) -> Int64 { throw Self.absent }

    func insert(_ task: SessionTask, _ sessions: [TaskedSession]) async throws(StoreError) { throw Self.absent }
    func end(
        _ task: SessionTaskID, as ending: SessionTaskEnding, _ sessions: [TaskedSession], at time: UnixTime
    ) async throws(StoreError) -> Bool { throw Self.absent }
    func sessionTask(_ id: SessionTaskID) async throws(StoreError) -> StoredSessionTask? { throw Self.absent }
    func runningSessionTasks() async throws(StoreError) -> [StoredSessionTask] { throw Self.absent }
}
