import MySQLSessions
import ODPDouble
import SessionKill
import TestSupport
import XCTest

final class ProxyObservationTests: XCTestCase {
    func testListsEveryClientWithWhatItsDatabaseServerSays() async throws {
        let odp = try ODPDouble()
        let clients = try await ProxyClients.open(2, on: odp)
        odp.change(clients.ids[0].rawValue) {
            $0.database = "shop"
            $0.connections[0].command = "Query"
            $0.connections[0].state = "ACTIVE"
            $0.connections[0].seconds = 7.9
            $0.connections[0].statement = "select 'ü' from orders"
        }
        let observation = try await odp.withServer { try await $0.observe(.locks) }

        let busy = try observation.session(clients.ids[0])
        XCTAssertEqual(busy.identity.user, "app@t1")
        XCTAssertEqual(busy.identity.host, odp.sessions[busy.id.rawValue]?.host)
        XCTAssertEqual(busy.identity.proxy?.cluster, "obdemo")
        XCTAssertEqual(busy.identity.proxy?.tenant, "t1")
        // Above 2^63, and unsigned.
        XCTAssertEqual(busy.identity.proxy?.id, 12_402_504_630_519_660_545)
        XCTAssertEqual(busy.details.database, "shop")
        XCTAssertEqual(busy.details.command, "Query")
        XCTAssertEqual(busy.details.seconds, 7)
        XCTAssertEqual(busy.details.state, "ACTIVE")
        XCTAssertEqual(busy.details.statement, "select 'ü' from orders")

        let idle = try observation.session(clients.ids[1])
        XCTAssertNil(idle.details.database, "a text NULL is none")
        XCTAssertEqual(idle.details.command, "Sleep")
        XCTAssertNil(observation.missingKillPrivilege)
        // Its own connection is in the list, and known for its own.
        XCTAssertEqual(observation.ownThreadIDs.count, 1)
        XCTAssertTrue(observation.sessions.contains { observation.ownThreadIDs.contains($0.id) })
    }

    func testTellsTheODPByItsAddressAndProcessAndNotByAStart() async throws {
        let odp = try ODPDouble()
        let fingerprint = try await odp.withServer { try await $0.observe(.server).fingerprint }
        XCTAssertEqual(
            fingerprint,
            ServerFingerprint(
                uniqueID: "odp of obdemo", hostname: "172.30.140.64", port: 2_883, serverID: 76_286,
                version: "OceanBase Database Proxy 4.3.1", startedAt: nil, connectionCount: nil,
                startMark: "process 76286"))
        let fromList = try await odp.withServer { try await $0.observe(.sessions).fingerprint }
        XCTAssertEqual(fingerprint, fromList)
    }

    func testReadsTheListOfOlderODPsToo() async throws {
        var settings = ODPDouble.Settings()
        settings.showsSSL = false
        settings.version = nil
        let odp = try ODPDouble(settings)
        let clients = try await ProxyClients.open(1, on: odp)
        let observation = try await odp.withServer { try await $0.observe(.sessions) }
        XCTAssertNoThrow(try observation.session(clients.ids[0]))
        XCTAssertEqual(observation.fingerprint.version, "OceanBase Database Proxy")
    }

    func testKnowsSessionsByTheirConnectionIDsToo() async throws {
        for idVersion in [1, 2] {
            var settings = ODPDouble.Settings()
            settings.idVersion = idVersion
            let odp = try ODPDouble(settings)
            let clients = try await ProxyClients.open(2, on: odp)
            let observation = try await odp.withServer { try await $0.observe(.sessions) }
            for (index, id) in clients.ids.enumerated() {
                let shown = try await clients.run("SELECT CONNECTION_ID()", on: index)[0][0]
                let connectionID = try XCTUnwrap(shown.flatMap { UInt64($0) }.flatMap { ThreadID($0) })
                if idVersion == 1 {
                    XCTAssertGreaterThan(connectionID.rawValue, UInt32(Int32.max))
                    XCTAssertEqual(observation.connectionIDs?[connectionID], id)
                } else {
                    XCTAssertEqual(connectionID, id)
                }
            }
        }
    }

    func testASessionThatReachedNoServerCannotBePinned() async throws {
        let odp = try ODPDouble()
        let clients = try await ProxyClients.open(2, on: odp)
        odp.change(clients.ids[0].rawValue) { $0.proxySessionID = 0 }
        // Nobody has such a name; whoever logs in chooses it.
        odp.change(clients.ids[1].rawValue) { $0.user = String(repeating: "e\u{301}", count: 10_000) }
        let observation = try await odp.withServer { try await $0.observe(.sessions) }
        for id in clients.ids { XCTAssertFalse(try observation.session(id).identity.isPinnable) }
        XCTAssertLessThan(try observation.session(clients.ids[1]).identity.user.utf8.count, 600)
    }

    func testMarksOceanBasesOwnLogins() async throws {
        let odp = try ODPDouble()
        let own = [
            "proxyro@sys", "monitor@sys", "ocp_monitor@t1", "root@ocp_meta", "root@proxysys",
            "__oceanbase_inner_drc_user@t1",
        ]
        let others = ["app@t1", "root@sys", "ocpi@t1", "monitors@t1"]
        var systemIDs: Set<ThreadID> = []
        var clients: [ProxyClients] = []
        for user in own + others {
            let client = try await ProxyClients.open(1, on: odp, as: user)
            if own.contains(user) { systemIDs.formUnion(client.ids) }
            clients.append(client)
        }
        let observation = try await odp.withServer { try await $0.observe(.sessions) }
        XCTAssertEqual(observation.systemSessions, systemIDs)
        withExtendedLifetime(clients) {}
    }

    func testAnOrdinaryLoginIsRefusedRatherThanTakenForAllThereIs() async throws {
        let odp = try ODPDouble()
        for scope in [ObservationScope.sessions, .locks] {
            let error = try await assertThrows(ServerError.self) {
                try await odp.withServer(user: "app@t1") { try await $0.observe(scope) }
            }
            XCTAssertEqual(error.reason, .privilegeMissing("SHOW PROXYSESSION of all clients (tenant sys)"))
        }
        // Who is there, anybody may ask.
        let fingerprint = try await odp.withServer(user: "app@t1") { try await $0.observe(.server).fingerprint }
        XCTAssertEqual(fingerprint.hostname, "172.30.140.64")
    }

    func testSaysWhatALoginThatMayNotKillLacks() async throws {
        let odp = try ODPDouble()
        let operations = try await odp.withServer(user: "ops@sys") { try await $0.observe(.sessions) }
        XCTAssertEqual(operations.missingKillPrivilege, "KILL PROXYSESSION (root@sys)")
        odp.set { $0.lacksProcessList = true }
        let root = try await odp.withServer { try await $0.observe(.sessions) }
        XCTAssertEqual(root.missingKillPrivilege, "SELECT ON oceanbase.GV$OB_PROCESSLIST")
    }

    func testAServerThatIsNoODPIsRefusedInWords() async throws {
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        var configuration = server.configuration()
        configuration.kind = .oceanBaseODP
        let error = try await assertThrows(ServerError.self) { try await MySQLConnection.open(configuration) }
        XCTAssertEqual(error.reason, .unexpectedKind)
        XCTAssertTrue(error.description.contains("no OceanBase Database Proxy answers"), error.description)
    }

    func testAnODPThatShouldBeMySQLIsRefusedInWords() async throws {
        for idVersion in [1, 2] {
            var settings = ODPDouble.Settings()
            settings.idVersion = idVersion
            let odp = try ODPDouble(settings)
            let error = try await assertThrows(ServerError.self) {
                try await MySQLConnection.open(odp.configuration(kind: .mysql))
            }
            XCTAssertEqual(error.reason, .behindProxy)
            XCTAssertTrue(error.description.contains("\"kind\": \"oceanbase-odp\""), error.description)
        }
    }
}
