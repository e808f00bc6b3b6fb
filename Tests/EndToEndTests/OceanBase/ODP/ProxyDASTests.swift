import ODPDouble
import SessionKill
import TestSupport
import XCTest

/// Clients of DAS whose instance is an ODP, here a double.
final class ProxyDASTests: XCTestCase {
    private static let root = "root@sys#obdemo"

    private func withDAS(_ body: (ProxyScene, DASClient) async throws -> Void) async throws {
        try await withProxy(configure: { $0.das = .init() }) { scene in
            try await body(scene, DASClient(killd: scene.killd))
        }
    }

    func testATaskEndsTheNamedSessionsWithTheCallersLogin() async throws {
        try await withDAS { scene, das in
            // So many that killd's own account would kill over more connections than one.
            let victims = try await ProxyClients.open(40, on: scene.odp)
            let created = try das.create(
                [("KillAllSessions", "false"), ("SessionIds", list(victims.ids))], as: Self.root, password: "")
            XCTAssertEqual(created.status, 400, "a login without a password")
            let task = try das.create(
                [("KillAllSessions", "false"), ("SessionIds", list(victims.ids))], as: Self.root, password: "any")
            let result = try await das.ended(task.text)
            XCTAssertEqual(result.state, "SUCCESS", "\(result)")
            XCTAssertEqual(Set(result.reasons.values), ["SESSION_KILLED"])
            XCTAssertEqual(scene.odp.kills, victims.ids.map { "KILL PROXYSESSION \($0)" }, "not one after the other")
            await victims.assertAllEnded()
        }
    }

    func testATaskForAllSparesWhomItIgnoresInEveryTenant() async throws {
        try await withDAS { scene, das in
            let victims = try await ProxyClients.open(3, on: scene.odp, as: "job@t2")
            let task = try das.call(
                "CreateKillInstanceSessionTaskWithMaintainUser",
                [("KillAllSessions", "true"), ("IgnoredUsers", "['app']")])
            let result = try await das.ended(task.text)
            XCTAssertEqual(result.state, "SUCCESS", "\(result)")
            XCTAssertEqual(victims.ids.map { result.reasons[$0] }, Array(repeating: "SESSION_KILLED", count: 3))
            XCTAssertEqual(scene.odp.kills.count, 3)
            XCTAssertEqual(result.reasons.values.count { $0 == "SESSION_IGNORED_USER" }, 5)
            await victims.assertAllEnded()
        }
    }

    func testALoginThatIsNotRootOfSysEndsNobodyElse() async throws {
        try await withDAS { scene, das in
            let others = try await ProxyClients.open(2, on: scene.odp, as: "job@t2")
            let task = try das.create(
                [("KillAllSessions", "false"), ("SessionIds", list(others.ids))], as: "app@t1#obdemo", password: "any")
            let result = try await das.ended(task.text)
            XCTAssertEqual(result.state, "FAILURE", "\(result)")
            XCTAssertEqual(Set(result.reasons.values), ["SESSION_NO_PERMISSION"])
            XCTAssertEqual(scene.odp.kills, [])
            await others.assertAllAnswer()
        }
    }

    func testAConnectionIDOfNoSessionIsNotTakenForGone() async throws {
        try await withDAS { scene, das in
            let task = try das.create(
                [("KillAllSessions", "false"), ("SessionIds", "[4000000001]")], as: Self.root, password: "any")
            let result = try await das.ended(task.text)
            XCTAssertEqual(result.state, "FAILURE", "\(result)")
            XCTAssertEqual(result.reasons, [try XCTUnwrap(ThreadID(4_000_000_001)): "SESSION_OTHER_ERROR"])
            XCTAssertEqual(scene.odp.kills, [])
        }
    }

    func testListsTheSessionsOfTheProxy() async throws {
        try await withDAS { scene, das in
            let clients = try await ProxyClients.open(1, on: scene.odp, as: "report@t2")
            let first = try das.call("GetMySQLAllSessionAsync")
            let id = try XCTUnwrap(first.data["ResultId"] as? String, "\(first)")
            var data: [String: Any] = [:]
            try await eventually("the listing") {
                data = try das.call("GetMySQLAllSessionAsync", [("ResultId", id)]).data
                return data["IsFinish"] as? Bool == true
            }
            let sessions = try XCTUnwrap((data["SessionData"] as? [String: Any])?["SessionList"] as? [[String: Any]])
            let row = try XCTUnwrap(sessions.first { $0["SessionId"] as? Int == Int(clients.ids[0].rawValue) })
            XCTAssertEqual(row["User"] as? String, "report@t2")
            XCTAssertEqual(row["Client"] as? String, "127.0.0.1")
        }
    }
}
