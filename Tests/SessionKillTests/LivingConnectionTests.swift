import StoreContract
import XCTest

@testable import SessionKill

/// A connection of Prepare's that is still open at Commit proves that the server was not restarted.
final class LivingConnectionTests: KillEngineTestCase {
    private let connection = ConnectionIdentity(number: 7, threadID: 41, draw: "1b7e")

    /// One engine for both stages.
    private lazy var oneEngine = engine

    override func prepare(_ threads: [ThreadID], recordHistory: Bool = true) async throws -> KillPlan {
        try await oneEngine.prepare(.threads(threads), on: instance, for: "ci", recordHistory: recordHistory)
    }

    override func commit(_ plan: KillPlan) async throws -> CommitReport {
        try await oneEngine.commit(plan.sqlExecID, on: instance, for: "ci")
    }

    func testAPlanHoldsWhenTheServersClockIsSetBack() async throws {
        await server.set { [connection] in $0.connection = connection }
        let plan = try await prepare([3, 4])
        await server.set { $0.fingerprint.startMark = "8663-02fc00000001" }
        let report = try await commit(plan)
        XCTAssertEqual(report.killed, [3, 4])
        let (kills, preferences, left) = await (server.kills, server.preferences, server.sessions.count)
        XCTAssertEqual(kills, [3, 4])
        XCTAssertEqual(preferences, [connection])
        XCTAssertEqual(left, 28)
    }

    func testOverAnyOtherConnectionTheServersStartDecides() async throws {
        let others = [
            nil, ConnectionIdentity(number: 8, threadID: 41, draw: "1b7e"),
            ConnectionIdentity(number: 7, threadID: 42, draw: "1b7e"),
            ConnectionIdentity(number: 7, threadID: 41, draw: "1b7f"),
        ]
        for (index, other) in others.enumerated() {
            await server.set { [connection] in $0.connection = connection }
            let plan = try await prepare([3])
            await server.set {
                $0.connection = other
                $0.fingerprint.startMark = "\(index)-02fc00000001"
            }
            await assertStale(plan, .serverRestarted)
        }
    }

    func testBehindAProxyNoConnectionProvesAnything() async throws {
        let plan = try await prepare([3])
        await server.set { $0.fingerprint.startMark = "8663-02fc00000001" }
        await assertStale(plan, .serverRestarted)
    }

    func testAnotherServerIsAnotherServerAlsoOverALivingConnection() async throws {
        await server.set { [connection] in $0.connection = connection }
        let plan = try await prepare([3])
        await server.set { $0.fingerprint.hostname = "db2" }
        await assertStale(plan, .anotherServer)
    }

    func testWhoIsKilledFollowsFromTheSessionsAllTheSame() async throws {
        await server.set { [connection] in $0.connection = connection }
        let plan = try await prepare([3, 4, 5])
        await server.set {
            $0.fingerprint.startMark = "8663-02fc00000001"
            $0.sessions.removeAll { [3, 4].contains($0.id) }
            $0.sessions.append(.idle(4, user: "somebody"))
        }
        let report = try await commit(plan)
        XCTAssertEqual(report.outcomes, [3: .gone, 4: .replaced, 5: .killed])
        let kills = await server.kills
        XCTAssertEqual(kills, [5])
    }

    func testWhoDecidesSeesWhatTheSessionsOfALivingServerDo() async throws {
        await server.set { [connection] in $0.connection = connection }
        let plan = try await prepare([3, 4])
        await server.set {
            $0.fingerprint.startMark = "8663-02fc00000001"
            $0.sessions.removeAll { $0.id == 4 }
        }
        let now = try await oneEngine.now(of: plan, on: instance)
        XCTAssertNil(now.stale)
        XCTAssertEqual(now.threads[4], .gone)
        guard case .present? = now.threads[3] else { return XCTFail("\(now)") }
        let blind = try await engine.now(of: plan, on: instance)
        XCTAssertEqual(blind, PlanNow(time: blind.time, stale: .serverRestarted, threads: [:], risk: nil))
    }

    func testConnectionsOfTheLastPlansAreHeldAndNoMore() {
        let connections = PlanConnections(capacity: 3)
        let plans = (0..<10).map { PlanName(rawValue: "plan-\($0)") }
        for plan in plans {
            connections.note(connection, of: plan)
            XCTAssertLessThanOrEqual(connections.count, 6)
        }
        XCTAssertEqual(plans.suffix(3).map { connections[$0] }, [connection, connection, connection])
        XCTAssertNil(connections[plans[0]])
        connections.forget(plans[9])
        XCTAssertNil(connections[plans[9]])
        connections.note(nil, of: plans[0])
        XCTAssertNil(connections[plans[0]])
    }

    private func assertStale(_ plan: KillPlan, _ reason: StaleReason, line: UInt = #line) async {
        do {
            let report = try await commit(plan)
            XCTFail("\(report.outcomes)", line: line)
        } catch KillError.stale(let found, _) {
            XCTAssertEqual(found, reason, line: line)
        } catch {
            XCTFail("\(error)", line: line)
        }
        let kills = await server.kills
        XCTAssertEqual(kills, [], line: line)
    }
}
