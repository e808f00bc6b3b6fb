import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// How killd ends, and what it finds when it starts again.
final class StoppingTests: XCTestCase {
    func testEndsWellWhenStoppedWhileItIsStillConnecting() async throws {
        try await withKilld { scene in
            for _ in 0..<10 {
                try await scene.killd.stop()
                try await scene.killd.start()
            }
        }
    }
}
