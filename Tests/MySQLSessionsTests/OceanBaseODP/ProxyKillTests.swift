import ODPDouble
import SessionKill
import TestSupport
import XCTest

@testable import MySQLSessions

final class ProxyKillTests: XCTestCase {
    /// Sessions to kill, their identities, and others that must answer afterwards.
    private func scene(
        _ odp: ODPDouble, victims count: Int = 2,
        _ body: (ProxyClients, any ServerConnection, [SessionIdentity]) async throws -> Void
    ) async throws {
        let bystanders = try await ProxyClients.open(3, on: odp)
        let victims = try await ProxyClients.open(count, on: odp)
        let server = MySQLServer(odp.configuration())
        let identities = try await server.observe(.sessions).identities(victims.ids)
        let connection = try await server.withConnection { $0 }
        try await body(victims, connection, identities)
        await bystanders.assertAllAnswer()
        await server.close()
    }

    func testEndsSessionsOneStatementEach() async throws {
        let odp = try ODPDouble()
        try await scene(odp) { victims, connection, identities in
            let answers = await connection.kill(identities)
            XCTAssertEqual(answers, [.accepted(by: .listBefore), .accepted(by: .listBefore)])
            XCTAssertEqual(odp.kills, victims.ids.map { "KILL PROXYSESSION \($0)" })
            let present = try await connection.present(among: identities)
            XCTAssertEqual(present, [])
            await victims.assertAllEnded()
        }
    }

    func testEndsManyOverSeveralConnectionsToTheSameODP() async throws {
        let odp = try ODPDouble()
        try await scene(odp, victims: 100) { victims, connection, identities in
            let answers = await connection.kill(identities)
            XCTAssertEqual(answers, [KillResponse](repeating: .accepted(by: .listBefore), count: 100))
            XCTAssertEqual(Set(odp.kills), Set(victims.ids.map { "KILL PROXYSESSION \($0)" }))
            XCTAssertEqual(odp.kills.count, 100)
            await victims.assertAllEnded()
        }
        // The connections that helped are gone.
        try await eventually("the end of the helpers") { odp.sessions(of: "root").isEmpty }
    }

    func testAConnectionThatLeadsToAnotherODPKillsNobodyThere() async throws {
        let odp = try ODPDouble()
        // Alike in address and process, as two containers may be; only their sessions differ.
        let other = try ODPDouble()
        let strangers = try await ProxyClients.open(100, on: other)
        let proxy = try TCPProxy(to: odp.port)
        let bystanders = try await ProxyClients.open(3, on: odp)
        let victims = try await ProxyClients.open(50, on: odp)
        try await odp.withServer(port: proxy.port) { server in
            let identities = try await server.observe(.sessions).identities(victims.ids)
            odp.set { settings in
                // From the list on that the KILLs go by, new connections lead to the other one.
                settings.fault = { statement in
                    if statement == "SHOW PROXYSESSION" { proxy.leadNewConnections(to: other.port) }
                    return nil
                }
            }
            let answers = try await server.withConnection { await $0.kill(identities) }
            XCTAssertEqual(answers, [KillResponse](repeating: .accepted(by: .listBefore), count: 50))
        }
        XCTAssertEqual(other.kills, [])
        await strangers.assertAllAnswer()
        await bystanders.assertAllAnswer()
        await victims.assertAllEnded()
        proxy.stop()
    }

    func testLeavesASessionAloneThatHasTakenOverTheID() async throws {
        let changes: [(inout ODPDouble.Session) -> Void] = [
            { $0.proxySessionID += 1 }, { $0.host = "127.0.0.1:1" }, { $0.user = "other" }, { $0.tenant = "t2" },
            { $0.cluster = "another" }, { $0.transactionCount = 3 },
        ]
        for change in changes {
            let odp = try ODPDouble()
            let victims = try await ProxyClients.open(1, on: odp)
            odp.change(victims.ids[0].rawValue) { $0.transactionCount = 4 }
            try await odp.withServer { server in
                let identities = try await server.observe(.sessions).identities(victims.ids)
                odp.change(victims.ids[0].rawValue, change)
                let (answers, present) = try await server.withConnection { connection in
                    (await connection.kill(identities), try await connection.present(among: identities))
                }
                XCTAssertEqual(answers, [.notFound])
                XCTAssertEqual(odp.kills, [])
                // As long as a database server has a connection of the session, it is not gone.
                XCTAssertTrue(present.isEmpty || odp.sessions[1]?.proxySessionID == identities[0].proxy?.id)
            }
            await victims.assertAllAnswer()
        }
    }

    func testTakesEveryAnswerForWhatItMeans() {
        let table: [(code: UInt32, answer: KillResponse)] = [
            (1_094, .noSuchThread), (4_016, .noSuchThread), (4_081, .noSuchThread),
            (1_095, .notPermitted(message: "m")), (5_010, .notPermitted(message: "m")), (1_317, .lost), (4_402, .lost),
            (2_013, .lost), (2_006, .lost),
            (1_235, .rejected(code: 1_235, message: "m")), (4_012, .rejected(code: 4_012, message: "m")),
            (5_066, .rejected(code: 5_066, message: "m")),
        ]
        for row in table {
            let failure = MySQLFailure(code: row.code, message: "m").ofOceanBase
            XCTAssertEqual(KillResponse(ofProxy: failure), row.answer, "\(row.code)")
        }
    }

    func testAnErrorOfOneSessionDoesNotKeepTheOthersAlive() async throws {
        for code: UInt16 in [1_094, 4_016, 1_095, 5_010, 1_235] {
            let odp = try ODPDouble()
            try await scene(odp) { victims, connection, identities in
                let refused = "KILL PROXYSESSION \(victims.ids[0])"
                odp.set { $0.fault = { $0 == refused ? .error(code, "no") : nil } }
                let answers = await connection.kill(identities)
                XCTAssertEqual(answers.last, .accepted(by: .listBefore), "\(code)")
                XCTAssertNotEqual(answers.first, .accepted(by: .listBefore), "\(code)")
                let present = try await connection.present(among: identities)
                XCTAssertEqual(present, [victims.ids[0]], "the ODP's answer is no proof of an end")
            }
        }
    }

    func testSaysWhatBecameOfEachWhenTheConnectionBreaks() async throws {
        let odp = try ODPDouble()
        try await scene(odp, victims: 3) { victims, connection, identities in
            let last = "KILL PROXYSESSION \(victims.ids[1])"
            odp.set { $0.fault = { $0 == last ? .cut : nil } }
            let answers = await connection.kill(identities)
            XCTAssertEqual(answers, [.accepted(by: .listBefore), .lost, .notSent])
        }
    }

    func testItsOwnConnectionsAreNotKilledWhateverIsAsked() async throws {
        let odp = try ODPDouble()
        try await odp.withServer { server in
            let observation = try await server.observe(.sessions)
            let own = try observation.identities(Array(observation.ownThreadIDs))
            let answers = try await server.withConnection { await $0.kill(own) }
            XCTAssertEqual(answers, [.notPermitted(message: "it is a connection of killd's own")])
            XCTAssertEqual(odp.kills, [])
        }
    }

    func testASessionIsPresentAsLongAsADatabaseServerIsAtIt() async throws {
        var settings = ODPDouble.Settings()
        settings.dyingTime = .seconds(30)
        let odp = try ODPDouble(settings)
        try await scene(odp) { victims, connection, identities in
            _ = await connection.kill(identities)
            await victims.assertAllEnded()
            let present = try await connection.present(among: identities)
            XCTAssertEqual(present, Set(victims.ids))
            let dying = try await connection.dying(among: identities)
            XCTAssertEqual(dying, Set(victims.ids))
        }
    }

    func testASessionThatDoesNotEndIsPresentAndNotDying() async throws {
        var settings = ODPDouble.Settings()
        settings.closeDelay = nil
        let odp = try ODPDouble(settings)
        try await scene(odp) { victims, connection, identities in
            let answers = await connection.kill(identities)
            XCTAssertEqual(answers, [.accepted(by: .listBefore), .accepted(by: .listBefore)])
            let present = try await connection.present(among: identities)
            XCTAssertEqual(present, Set(victims.ids))
            let dying = try await connection.dying(among: identities)
            XCTAssertEqual(dying, [])
        }
    }

    func testALostViewIsAnErrorAndNoEmptyList() async throws {
        for statement in ["SHOW PROXYSESSION", "SELECT PROXY_SESSID"] {
            let odp = try ODPDouble()
            try await scene(odp) { _, connection, identities in
                _ = await connection.kill(identities)
                odp.set { $0.fault = { $0.hasPrefix(statement) ? .error(4_012, "timeout") : nil } }
                _ = try await assertThrows(ServerError.self) { try await connection.present(among: identities) }
            }
        }
    }

    func testEndsOneServerSessionAndLeavesTheClientItsOthers() async throws {
        let odp = try ODPDouble()
        try await scene(odp) { victims, connection, identities in
            odp.change(victims.ids[0].rawValue) {
                $0.connections.append(ODPDouble.Connection(id: 90, serverID: 0xC000_9000))
            }
            let held = try await connection.serverSessions(of: identities[0])
            XCTAssertEqual(held?.map(\.id), [4, 90])
            XCTAssertEqual(held?.last?.address, "10.20.30.41:2881")
            var target = identities[0]
            target.proxy?.serverSession = held?.last
            let answers = await connection.kill([target])
            XCTAssertEqual(answers, [.accepted(by: .listBefore)])
            XCTAssertEqual(odp.kills, ["KILL PROXYSESSION \(victims.ids[0]) 90"])
            let present = try await connection.present(among: [target])
            XCTAssertEqual(present, [])
            await victims.assertAllAnswer()

            // The same number is another connection now.
            odp.change(victims.ids[0].rawValue) {
                $0.connections.append(ODPDouble.Connection(id: 90, serverID: 0xC000_9999))
            }
            let again = await connection.kill([target])
            XCTAssertEqual(again, [.notFound])
            XCTAssertEqual(odp.kills.count, 1)
        }
    }
}
