import Foundation
import ODPDouble
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// What killd does not do behind an ODP, and how it says so.
final class ProxyRefusalTests: XCTestCase {
    func testRefusesLoginsThatSeeOrMayTooLittle() async throws {
        let logins = [
            ("app@t1", "`SHOW PROXYSESSION of all clients (tenant sys)`", "sees its own session only"),
            ("ops@sys", "`KILL PROXYSESSION (root@sys)`", "sees all sessions but may end none"),
        ]
        for (user, privilege, words) in logins {
            try await withProxy(configure: { $0.instances[0].user = user }) { scene in
                let victims = try await ProxyClients.open(1, on: scene.odp)
                assertRefused(try scene.client.prepare(victims.ids), "FailedOperation", privilege)
                let check = try await scene.check()
                XCTAssertEqual(check.status, 1)
                XCTAssertTrue(check.output.contains(words), check.output)
                XCTAssertEqual(scene.odp.kills, [])
            }
        }
    }

    func testRefusesToKillWhatItCouldNotSeeEnd() async throws {
        try await withProxy({ $0.lacksProcessList = true }) { scene in
            let victims = try await ProxyClients.open(1, on: scene.odp)
            assertRefused(try scene.client.prepare(victims.ids), "FailedOperation", "GV$OB_PROCESSLIST")
            // Who is there can still be seen.
            let list = try scene.client.raw("DescribeMySqlProcessList", ["InstanceId": "cdb-test", "User": "app@t1"])
            XCTAssertTrue(list.contains(#""ID":"\#(victims.ids[0])""#), list)
        }
    }

    func testCheckSaysWhoAnswersAndWhatCanBeKilled() async throws {
        try await withProxy { scene in
            let check = try await scene.check()
            XCTAssertEqual(check.status, 0, check.output)
            XCTAssertTrue(check.output.contains("OceanBase Database Proxy 4.3.1 at 172.30.140.64:2883"), check.output)
            XCTAssertTrue(check.output.contains("may end those of cluster obdemo"), check.output)
        }
    }

    func testTheKindMustBeTheServers() async throws {
        try await withProxy(configure: { $0.instances[0].kind = "mysql" }) { scene in
            assertRefused(try scene.client.prepare([UInt64(1)]), "FailedOperation", "A proxy stands before")
            let check = try await scene.check()
            XCTAssertTrue(check.output.contains(#""kind": "oceanbase-odp""#), check.output)
        }
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        var configuration = KilldConfiguration(port: server.database.port)
        configuration.instances[0].kind = "oceanbase-odp"
        try await withKilld(configuration, on: server) { scene in
            assertRefused(try scene.client.prepare([UInt64(1)]), "FailedOperation", "of another kind")
        }
    }

    func testSparesItselfOceanBasesOwnLoginsAndProtectedUsers() async throws {
        let protected = ["batch", "report@t1"]
        try await withProxy(configure: { $0.instances[0].protectedUsers = protected }) { scene in
            let machinery = try await ProxyClients.open(1, on: scene.odp, as: "proxyro@sys")
            let monitor = try await ProxyClients.open(1, on: scene.odp, as: "ocp_monitor@t1")
            let everywhere = try await ProxyClients.open(1, on: scene.odp, as: "batch@t1")
            let inOneTenant = try await ProxyClients.open(1, on: scene.odp, as: "report@t1")
            let inAnother = try await ProxyClients.open(1, on: scene.odp, as: "report@t2")
            // killd logs in by itself, and not before it says that it is ready.
            try await eventually("killd's own login") { !scene.odp.sessions(of: "root").isEmpty }
            let own = try XCTUnwrap(scene.odp.sessions(of: "root").first.flatMap { ThreadID($0) })
            let planned = [machinery, monitor, everywhere, inOneTenant, inAnother].flatMap(\.ids) + [own]
            let (killed, outcomes) = try scene.kill(planned)
            XCTAssertEqual(killed, inAnother.ids)
            XCTAssertEqual(outcomes.values.filter { $0 == "protected" }.count, 5)
            for each in [machinery, monitor, everywhere, inOneTenant] { await each.assertAllAnswer() }
        }
    }

    func testAnotherClustersSessionsAreDenied() async throws {
        try await withProxy { scene in
            let foreign = try await ProxyClients.open(1, on: scene.odp, as: "app@t1#elsewhere")
            let (killed, outcomes) = try scene.kill(foreign.ids)
            XCTAssertEqual(killed, [])
            XCTAssertEqual(outcomes, [foreign.ids[0]: "denied"])
            await foreign.assertAllAnswer()
        }
    }

    func testAnODPOfBefore423IsNotBelievedThatATenantsSessionIsGone() async throws {
        try await withProxy({ $0.version = "4.2.1" }) { scene in
            let victims = try await ProxyClients.open(1, on: scene.odp)
            let (killed, outcomes) = try scene.kill(victims.ids)
            XCTAssertEqual(killed, [])
            XCTAssertEqual(outcomes, [victims.ids[0]: "failed"])
            await victims.assertAllAnswer()
        }
    }

    func testAKillTaskEndsWhoMatchesAndCanBeTold() async throws {
        try await withProxy(configure: { $0.accounts[0].may = ["*"] }) { scene in
            let victims = try await ProxyClients.open(2, on: scene.odp, as: "batch@t1")
            let vague = try await ProxyClients.open(1, on: scene.odp, as: "batch@t1")
            scene.odp.change(vague.ids[0].rawValue) { $0.proxySessionID = 0 }
            let otherTenants = try await ProxyClients.open(1, on: scene.odp, as: "batch@t2")
            let answer = try scene.client.call("CreateKillTask", members: #""Duration":60,"User":"batch@t1""#)
            XCTAssertNil(answer.Error, "\(answer)")
            try await eventually("the end of the matching sessions") {
                victims.ids.allSatisfy { scene.odp.sessions[$0.rawValue] == nil }
            }
            _ = try scene.client.call("CancelKillTask", members: "")
            XCTAssertEqual(Set(scene.odp.kills), Set(victims.ids.map { "KILL PROXYSESSION \($0)" }))
            await vague.assertAllAnswer()
            await otherTenants.assertAllAnswer()
        }
    }

    // MARK: One server session of a client's

    private struct Request: Encodable {
        var InstanceId = "cdb-test"
        var Stage = "Prepare"
        var Threads: [ThreadID]
        var ServerSessionIds: [Int]
    }

    func testEndsOneServerSessionAndLeavesTheClient() async throws {
        try await withProxy { scene in
            let clients = try await ProxyClients.open(1, on: scene.odp)
            let id = clients.ids[0].rawValue
            scene.odp.change(id) { $0.connections.append(ODPDouble.Connection(id: 90, serverID: 0xC000_9000)) }
            let ticket = try scene.client.call(
                "KillMySqlThreads", Request(Threads: clients.ids, ServerSessionIds: [90])
            ).ticket()
            let plan = try scene.client.describe(ticket: ticket)
            XCTAssertEqual(plan.Threads.map(\.ServerSessionId), [90])
            XCTAssertEqual(try scene.commit(ticket).killed, clients.ids)
            XCTAssertEqual(scene.odp.kills, ["KILL PROXYSESSION \(id) 90"])
            XCTAssertEqual(scene.odp.sessions[id]?.connections.map(\.id).contains(90), false)
            await clients.assertAllAnswer()
        }
    }

    func testAServerSessionThatIsAnotherOneNowIsLeftAlone() async throws {
        try await withProxy { scene in
            let clients = try await ProxyClients.open(1, on: scene.odp)
            let id = clients.ids[0].rawValue
            let held = try XCTUnwrap(scene.odp.sessions[id]?.connections.first?.id)
            let ticket = try scene.client.call(
                "KillMySqlThreads", Request(Threads: clients.ids, ServerSessionIds: [held])
            ).ticket()
            scene.odp.change(id) { $0.connections = [ODPDouble.Connection(id: held, serverID: 0xC000_9999)] }
            XCTAssertEqual(try scene.commit(ticket).killed, [])
            XCTAssertEqual(scene.odp.kills, [])
        }
    }

    func testServerSessionsAreRefusedWhereTheyMakeNoSense() async throws {
        try await withProxy { scene in
            let clients = try await ProxyClients.open(2, on: scene.odp)
            func prepare(_ threads: [ThreadID], _ serverSessions: [Int]) throws -> APIResponse {
                try scene.client.call("KillMySqlThreads", Request(Threads: threads, ServerSessionIds: serverSessions))
            }
            assertRefused(try prepare(clients.ids, [1]), "InvalidParameterCombination", "same number of elements")
            assertRefused(try prepare([clients.ids[0]], [77]), "InvalidParameterValue", "`77`")
            XCTAssertEqual(scene.odp.kills, [])
        }
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        try await withKilld(KilldConfiguration(port: server.database.port), on: server) { scene in
            let (victims, planned) = try await scene.openTwo()
            assertRefused(
                try scene.client.call("KillMySqlThreads", Request(Threads: planned, ServerSessionIds: [1, 2])),
                "InvalidParameter", "`ServerSessionIds` can be used for an OceanBase Database Proxy only")
            await victims.assertAllAnswer()
        }
    }
}
