import SQLiteStore
import ScriptedServers
import SessionKill
import TestSupport
import XCTest

/// Real plans on scripted servers.
final class EngineTests: XCTestCase {
    func testASessionDiesAtOnceOrAfterSomeLooksAndBystandersLive() async throws {
        let scene = try await Scene(Seed.file("dies"))
        let report = try await scene.run([21, 22])
        XCTAssertEqual(report.outcomes, [21: .killed, 22: .killed])
        XCTAssertEqual(report.killed, [21, 22])
        let left = await scene.servers["cdb-standin"]?.sessions().map(\.id) ?? []
        XCTAssertEqual(left.filter { $0.rawValue <= 23 }, [23])
    }
}
