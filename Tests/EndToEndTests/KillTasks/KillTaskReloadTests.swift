import TestSupport
import XCTest

/// SIGHUP while a kill task runs. What changes is killd's alone: one kind of server is enough.
final class KillTaskReloadTests: XCTestCase {
    func testATaskKillsNobodyFromTheReloadThatTakesTheRightOfItsAccountUntilItHasItAgain() async throws {
        try await withTasks(on: try .shared(.mariadb)) { scene in
            try scene.create(#""User":"app2""#)
            try await scene.assertEnded(try await scene.open())
            let may = scene.killd.configuration.accounts[0].may
            var other = KilldConfiguration.Account(name: "alice")
            other.may = ["*"]
            try await scene.killd.reload { configuration in
                configuration.accounts[0].may = ["list"]
                configuration.accounts.append(other)
            }
            let session = try await scene.open()
            try await scene.letLooksPass(as: other)
            await session.assertAllAnswer()
            XCTAssertEqual(try scene.tasks().map(\.State), ["suspended"])
            XCTAssertTrue(try scene.killd.log.contains("may not run tasks on the instance"))
            try await scene.killd.reload { $0.accounts[0].may = may }
            try await scene.assertEnded(session)
            try scene.cancel()
        }
    }

    func testATaskWaitsForItsInstanceToComeBack() async throws {
        try await withTasks(on: try .shared(.mariadb)) { scene in
            try scene.create(#""User":"app2""#)
            let instance = scene.killd.configuration.instances[0]
            try await scene.killd.reload { $0.instances.removeFirst() }
            let session = try await scene.open()
            try await scene.letLooksPass()
            await session.assertAllAnswer()
            try await scene.killd.reload { $0.instances.insert(instance, at: 0) }
            try await scene.assertEnded(session)
            XCTAssertEqual(try scene.tasks().map(\.State), ["running"])
            try scene.cancel()
        }
    }

    func testATaskSparesTheUsersThatAReloadProtects() async throws {
        try await withTasks(on: try .shared(.mariadb)) { scene in
            try scene.create(#""User":"app2""#)
            try await scene.assertEnded(try await scene.open())
            try await scene.killd.reload { $0.instances[0].protectedUsers = ["app2"] }
            let session = try await scene.open()
            try await scene.letLooksPass()
            await session.assertAllAnswer()
            try scene.cancel()
        }
    }
}
