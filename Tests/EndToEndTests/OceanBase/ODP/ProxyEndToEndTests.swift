import Foundation
import ODPDouble
import SessionKill
import TestSupport
import XCTest

/// OceanBase behind ODP, through a real killd. ODP is a double: these tests prove the adapter, not ODP.
final class ProxyEndToEndTests: XCTestCase {
    func testEndsThePlannedSessionsAndNoOthers() async throws {
        for idVersion in [1, 2] {
            try await withProxy({ $0.idVersion = idVersion }) { scene in
                let victims = try await ProxyClients.open(2, on: scene.odp)
                let others = try await ProxyClients.open(1, on: scene.odp, as: "app@t2")
                let planned = victims.ids + others.ids
                let ticket = try scene.client.prepare(planned).ticket()
                XCTAssertEqual(scene.odp.kills, [])
                let plan = try scene.client.describe(ticket: ticket)
                XCTAssertEqual(plan.Threads.map(\.User), ["app@t1", "app@t1", "app@t2"])
                XCTAssertEqual(plan.Threads.map(\.Tenant), ["t1", "t1", "t2"])
                XCTAssertEqual(plan.Threads.map(\.Cluster), ["obdemo", "obdemo", "obdemo"])
                XCTAssertEqual(
                    plan.Threads.map(\.ProxySessId),
                    planned.map { scene.odp.sessions[$0.rawValue].map { String($0.proxySessionID) } })

                let (killed, outcomes) = try scene.commit(ticket)
                XCTAssertEqual(killed, planned)
                XCTAssertEqual(Set(outcomes.values), ["killed"])
                XCTAssertEqual(scene.odp.kills, planned.map { "KILL PROXYSESSION \($0)" })
                await victims.assertAllEnded()
                await others.assertAllEnded()
                // Once: the same response, and no KILL more.
                XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
                XCTAssertEqual(scene.odp.kills.count, 3)
            }
        }
    }

    func testEndsManySessions() async throws {
        try await withProxy { scene in
            let victims = try await ProxyClients.open(120, on: scene.odp)
            let (killed, _) = try scene.kill(victims.ids)
            XCTAssertEqual(killed, victims.ids)
            XCTAssertEqual(scene.odp.kills.count, 120)
            await victims.assertAllEnded()
        }
    }

    func testListsTheSessionsOfAllTenants() async throws {
        try await withProxy { scene in
            let clients = try await ProxyClients.open(1, on: scene.odp, as: "report@t2")
            scene.odp.change(clients.ids[0].rawValue) {
                $0.database = "shop"
                $0.connections[0].command = "Query"
                $0.connections[0].statement = "select 1"
                $0.connections[0].seconds = 12
            }
            let list = try scene.client.raw(
                "DescribeMySqlProcessList", ["InstanceId": "cdb-test", "User": "report@t2"])
            for part in [
                #""ID":"\#(clients.ids[0])""#, #""DB":"shop""#, #""Command":"Query""#, #""Time":"12""#,
                #""Info":"select 1""#, #""SqlType":"SQLSelectStatement""#,
            ] {
                XCTAssertTrue(list.contains(part), "\(part) in \(list)")
            }
        }
    }

    func testTakesAConnectionIDForItsSession() async throws {
        try await withProxy { scene in
            let victims = try await ProxyClients.open(1, on: scene.odp)
            let shown = try await victims.run("SELECT CONNECTION_ID()")[0][0]
            let connectionID = try XCTUnwrap(shown.flatMap { UInt64($0) })
            XCTAssertGreaterThan(connectionID, 1 << 31)
            let ticket = try scene.client.prepare([connectionID]).ticket()
            XCTAssertEqual(try scene.commit(ticket).killed, victims.ids)
            await victims.assertAllEnded()

            assertRefused(try scene.client.prepare([connectionID]), "InvalidParameterValue", "`\(connectionID)`")
        }
    }

    func testRefusesASessionThatNothingTellsFromAnother() async throws {
        try await withProxy { scene in
            let victims = try await ProxyClients.open(2, on: scene.odp)
            scene.odp.change(victims.ids[1].rawValue) { $0.proxySessionID = 0 }
            assertRefused(
                try scene.client.prepare(victims.ids), "OperationDenied", "`\(victims.ids[1])` has not reached")
            XCTAssertEqual(try scene.kill([victims.ids[0]]).killed, [victims.ids[0]])
            XCTAssertEqual(scene.odp.kills.count, 1)
        }
    }

    // MARK: Only what was pinned

    func testAPlanForOneODPIsStaleOnAnotherThatHandsOutTheSameIDs() async throws {
        try await withProxy { scene in
            let victims = try await ProxyClients.open(2, on: scene.odp)
            var settings = ODPDouble.Settings()
            settings.address += 1
            let other = try ODPDouble(settings)
            // More than there are on the first, so that they have the victims' ids, too.
            let strangers = try await ProxyClients.open(30, on: other)
            XCTAssertTrue(Set(strangers.ids).isSuperset(of: victims.ids))
            let ticket = try scene.client.prepare(victims.ids).ticket()
            scene.way.redirect(to: other.port)
            assertRefused(try scene.client.commit(ticket), "OperationDenied", "another database server answers")
            XCTAssertEqual(try scene.client.describe(ticket: ticket).State, "stale")
            XCTAssertEqual(other.kills + scene.odp.kills, [])
            await strangers.assertAllAnswer()
            await victims.assertAllAnswer()
        }
    }

    func testStrangersBehindAnODPThatIsAlikeInEverythingAreLeftAlone() async throws {
        try await withProxy { scene in
            let victims = try await ProxyClients.open(2, on: scene.odp)
            // As in two containers: the same address, port and process number.
            let other = try ODPDouble()
            let strangers = try await ProxyClients.open(30, on: other)
            let ticket = try scene.client.prepare(victims.ids).ticket()
            scene.way.redirect(to: other.port)
            let (killed, outcomes) = try scene.commit(ticket)
            XCTAssertEqual(killed, [])
            XCTAssertEqual(Set(outcomes.values), ["replaced"])
            XCTAssertEqual(other.kills, [])
            await strangers.assertAllAnswer()
        }
    }

    func testSessionsOfAfterARestartAreLeftAlone() async throws {
        let odp = try ODPDouble()
        let way = try TCPProxy(to: odp.port)
        var configuration = KilldConfiguration(port: way.port)
        configuration.instances[0].kind = "oceanbase-odp"
        configuration.instances[0].user = "root@sys"
        let victims = try await ProxyClients.open(5, on: odp)
        let killd = try await KilldProcess.start(configuration)
        let client = try SigningClient(killd)
        let ticket = try client.prepare(victims.ids).ticket()
        odp.restart()
        // Ids from 1 up again, and the same proxy_sessids.
        let strangers = try await ProxyClients.open(5, on: odp)
        XCTAssertEqual(strangers.ids, victims.ids)
        XCTAssertEqual(try client.commit(ticket).Threads, [])
        let outcomes = try client.describe(ticket: ticket).Threads.map(\.Outcome)
        XCTAssertEqual(outcomes, Array(repeating: "replaced", count: 5))
        XCTAssertEqual(odp.kills, [])
        await strangers.assertAllAnswer()
        try await killd.stop()
        way.stop()
    }

    // MARK: OK is not death

    func testWaitsUntilASessionIsGone() async throws {
        try await withProxy({ $0.closeDelay = .milliseconds(600) }) { scene in
            let victims = try await ProxyClients.open(1, on: scene.odp)
            XCTAssertEqual(try scene.kill(victims.ids).killed, victims.ids)
            XCTAssertEqual(scene.odp.sessions(of: "app").filter { $0 == victims.ids[0].rawValue }, [])
        }
    }

    func testASessionThatDoesNotEndIsNotCountedAsKilled() async throws {
        try await withProxy {
            $0.closeDelay = nil
        } configure: {
            $0.killWaitSeconds = 0
        } _: { scene in
            let victims = try await ProxyClients.open(1, on: scene.odp)
            let (killed, outcomes) = try scene.kill(victims.ids)
            XCTAssertEqual(killed, [])
            XCTAssertEqual(outcomes, [victims.ids[0]: "failed"])
        }
    }

    func testASessionThatADatabaseServerStillEndsIsUnknown() async throws {
        try await withProxy {
            $0.dyingTime = .seconds(10)
        } configure: {
            $0.killWaitSeconds = 0
        } _: { scene in
            let victims = try await ProxyClients.open(1, on: scene.odp)
            let (killed, outcomes) = try scene.kill(victims.ids)
            XCTAssertEqual(killed, [])
            XCTAssertEqual(outcomes, [victims.ids[0]: "unknown"])
            await victims.assertAllEnded()
        }
    }

    func testWhatCannotBeSeenAnyMoreIsUnknown() async throws {
        for statement in ["SHOW PROXYSESSION", "SELECT PROXY_SESSID"] {
            try await withProxy { scene in
                let victims = try await ProxyClients.open(1, on: scene.odp)
                let ticket = try scene.client.prepare(victims.ids).ticket()
                let odp = scene.odp
                odp.set { settings in
                    settings.fault = { [weak odp] text in
                        text.hasPrefix(statement) && odp?.kills.isEmpty == false ? .error(4_012, "timeout") : nil
                    }
                }
                let (killed, outcomes) = try scene.commit(ticket)
                XCTAssertEqual(killed, [])
                XCTAssertEqual(outcomes, [victims.ids[0]: "unknown"], statement)
            }
        }
    }

    func testNoAnswerOfTheODPIsTakenForAnEnd() async throws {
        let table: [(code: UInt16, outcome: String)] = [
            (1_094, "failed"), (4_016, "failed"), (4_081, "failed"), (1_095, "denied"), (5_010, "denied"),
            (1_317, "unknown"), (4_402, "unknown"), (1_235, "failed"),
        ]
        try await withProxy { scene in
            for row in table {
                let victims = try await ProxyClients.open(1, on: scene.odp)
                scene.odp.set { $0.fault = { $0.hasPrefix("KILL") ? .error(row.code, "no") : nil } }
                let (killed, outcomes) = try scene.kill(victims.ids)
                XCTAssertEqual(killed, [])
                XCTAssertEqual(outcomes, [victims.ids[0]: row.outcome], "\(row.code)")
                await victims.assertAllAnswer()
            }
        }
    }

    func testALostAnswerIsUnknown() async throws {
        try await withProxy { scene in
            let victims = try await ProxyClients.open(1, on: scene.odp)
            scene.odp.set { $0.fault = { $0.hasPrefix("KILL") ? .cut : nil } }
            let (killed, outcomes) = try scene.kill(victims.ids)
            XCTAssertEqual(killed, [])
            XCTAssertEqual(outcomes, [victims.ids[0]: "unknown"])
        }
    }

    func testASessionThatEndedByItselfIsGone() async throws {
        for saysInternalError in [false, true] {
            try await withProxy({ $0.saysInternalError = saysInternalError }) { scene in
                var victims: ProxyClients? = try await ProxyClients.open(1, on: scene.odp)
                let ids = try XCTUnwrap(victims?.ids)
                let ticket = try scene.client.prepare(ids).ticket()
                victims = nil
                try await eventually("the end of \(ids)") { scene.odp.sessions[ids[0].rawValue] == nil }
                let (killed, outcomes) = try scene.commit(ticket)
                XCTAssertEqual(killed, [])
                XCTAssertEqual(outcomes, [ids[0]: "gone"])
            }
        }
    }
}
