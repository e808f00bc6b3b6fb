import ODPDouble
import SessionKill
import TestSupport
import XCTest

/// That the double keeps to the contract it was built to, where killd's own statements do not show it.
final class ODPDoubleTests: XCTestCase {
    private func code(of sql: String, _ clients: ProxyClients, on index: Int = 0) async -> UInt32 {
        do {
            try await clients.run(sql, on: index)
            return 0
        } catch {
            return (error as? ClientError)?.code ?? .max
        }
    }

    func testWhoKillsItselfIsToldSoAndDisconnected() async throws {
        let odp = try ODPDouble()
        let root = try await ProxyClients.open(1, on: odp, as: "root@sys")
        let answer = await code(of: "KILL PROXYSESSION \(root.ids[0])", root)
        XCTAssertEqual(answer, 1_317)
        await root.assertAllEnded()
    }

    func testAnswersEachMistakeWithItsError() async throws {
        let odp = try ODPDouble()
        let root = try await ProxyClients.open(1, on: odp, as: "root@sys")
        let app = try await ProxyClients.open(2, on: odp, as: "app@t1")
        let foreign = try await ProxyClients.open(1, on: odp, as: "app@t1#elsewhere")
        let other = app.ids[1]
        let table: [(clients: ProxyClients, sql: String, code: UInt32)] = [
            (root, "KILL PROXYSESSION 999", 1_094), (root, "KILL PROXYSESSION \(foreign.ids[0])", 1_095),
            (root, "KILL PROXYSESSION \(other) 999", 1_094), (app, "SHOW PROXYSESSION ATTRIBUTE 999", 1_094),
            // Several statements are none of its commands.
            (root, "KILL PROXYSESSION \(other); KILL PROXYSESSION \(other)", 1_064),
            (root, "KILL QUERY \(other)", 1_094), (app, "KILL QUERY \(other)", 0), (app, "KILL QUERY 999", 4_081),
            (app, "BEGIN", 0), (app, "KILL QUERY \(other)", 1_235), (app, "ROLLBACK", 0),
        ]
        for row in table {
            let answer = await code(of: row.sql, row.clients)
            XCTAssertEqual(answer, row.code, row.sql)
        }
        odp.set { $0.saysInternalError = true }
        let internalError = await code(of: "KILL PROXYSESSION 999", root)
        XCTAssertEqual(internalError, 4_016)
        await app.assertAllAnswer()
        await foreign.assertAllAnswer()
    }

    /// The client library may report 5010 as a malformed packet.
    func testTakesNothingButPlainNumbersOf17DigitsAndOnlyFromRoot() async throws {
        let odp = try ODPDouble()
        let root = try await ProxyClients.open(1, on: odp, as: "root@sys")
        let app = try await ProxyClients.open(1, on: odp, as: "app@t1")
        let id = app.ids[0]
        for number in ["'\(id)'", "@id", "\(id).0", "0x1", "123456789012345678"] {
            let answer = await code(of: "KILL PROXYSESSION \(number)", root)
            XCTAssertTrue([5_010, 2_027].contains(answer), "\(number): \(answer)")
        }
        let answer = await code(of: "KILL PROXYSESSION \(id)", app)
        XCTAssertTrue([5_010, 2_027].contains(answer), "\(answer)")
        await app.assertAllAnswer()
    }

    func testTheNumbersOfServersAreOthers() async throws {
        let odp = try ODPDouble()
        let app = try await ProxyClients.open(1, on: odp)
        let full = try await app.run("SHOW FULL PROCESSLIST")
        XCTAssertNotEqual(full[0][0], app.ids[0].description)
        let short = try await app.run("SHOW PROCESSLIST")
        XCTAssertEqual(short.map { $0[0] }, [app.ids[0].description])
    }
}
