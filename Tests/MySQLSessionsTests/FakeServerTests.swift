import MySQLSessions
import SessionKill
import TestSupport
import XCTest

/// That the fake server is believed when nothing about it is broken.
final class FakeServerTests: XCTestCase {
    func testKilldWorksWithTheFakeServerAsWithARealOne() async throws {
        for content in [FakeServerContent.mysql(), .mariadb()] {
            let fake = try FakeMySQLServer(FakeMySQLServer.Settings(content))
            let server = MySQLServer(fake.configuration())
            let list = try await server.list()
            XCTAssertEqual(list.sessions.map(\.id.description), ["5", "11", "12", "13", "101"])
            let snapshot = try await server.observe(.locks)
            XCTAssertEqual(snapshot.sessions.count, 5)
            XCTAssertEqual(snapshot.sessions.compactMap(\.details.transaction).count, 1)
            XCTAssertEqual(snapshot.fingerprint.hostname, "db1")
            XCTAssertNil(snapshot.missingKillPrivilege)
            XCTAssertTrue(snapshot.seesAllSessions)

            let victims = snapshot.sessions.filter { ["11", "13"].contains($0.id.description) }.map(\.identity)
            let another = try XCTUnwrap(snapshot.sessions.first { $0.id.description == "12" }).identity
            let stranger = SessionIdentity(
                id: another.id, user: "other", host: another.host, performanceSchemaThreadID: nil, client: nil)
            let asked = victims + [stranger]
            let answers = try await server.withConnection { await $0.kill(asked) }
            XCTAssertEqual(answers.map(\.isAccepted), [true, true, false])
            XCTAssertEqual(answers.last, .notFound)
            let present = try await server.withConnection { try await $0.present(among: asked) }
            XCTAssertEqual(present, [])
            XCTAssertEqual(fake.settings.content.sessions.map(\.id), [5, 12])
            await server.close()
            fake.stop()
        }
    }

    func testCheckFindsNothingWrongWithTheFakeServer() async throws {
        for content in [FakeServerContent.mysql(), .mariadb()] {
            let fake = try FakeMySQLServer(FakeMySQLServer.Settings(content))
            let server = MySQLServer(fake.configuration())
            let findings = await server.check()
            XCTAssertEqual(findings.filter { $0.severity == .problem }, [])
            await server.close()
            fake.stop()
        }
    }
}
