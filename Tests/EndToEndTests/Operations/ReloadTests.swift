import Foundation
import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// SIGHUP: all of the new configuration at once, or nothing of it.
final class ReloadTests: XCTestCase {
    /// The ids of killd's connections to the server.
    private func connections(_ scene: Scene) async throws -> Set<ThreadID> {
        Set(try await scene.sessions().filter { $0.value == "killd" }.keys)
    }

    func testAccountsAreReplacedBetweenTwoRequests() async throws {
        let killd = try await KilldProcess.start(KilldConfiguration(port: try PrivateDatabase.freePort()))
        let before = try XCTUnwrap(killd.configuration.accounts.first)
        var changed = before
        changed.secretKey = "another key"
        try await killd.reload { $0.accounts = [changed, .init(name: "alice")] }
        let request = ["Limit": 1]
        XCTAssertNil(try SigningClient(killd, as: changed).call("DescribeKillPlans", request).Error)
        XCTAssertNil(try SigningClient(killd, as: .init(name: "alice")).call("DescribeKillPlans", request).Error)
        assertRefused(
            try SigningClient(killd, as: before).call("DescribeKillPlans", request), "AuthFailure.SignatureFailure")
        try await killd.reload { $0.accounts = [.init(name: "alice")] }
        assertRefused(
            try SigningClient(killd, as: changed).call("DescribeKillPlans", request), "AuthFailure.SecretIdNotFound")
        try await killd.stop()
    }

    func testRateLimitAndLogLevelAreReplaced() async throws {
        let killd = try await KilldProcess.start(KilldConfiguration(port: try PrivateDatabase.freePort()))
        func codes() throws -> [String?] {
            try (0..<5).map { _ in try SigningClient(killd).call("DescribeKillPlans", ["Limit": 1]).Error?.Code }
        }
        XCTAssertEqual(try codes(), Array(repeating: nil, count: 5))
        try await killd.reload { configuration in
            configuration.requestsPerSecond = 1
            configuration.logLevel = "error"
        }
        // What was logged before may still be on its way.
        try await eventually("the lines") { try killd.log.ranges(of: #""message":"request""#).count == 5 }
        XCTAssertTrue(try codes().contains("RequestLimitExceeded"))
        try await killd.stop()
        XCTAssertEqual(killd.lastLog.ranges(of: #""message":"request""#).count, 5)
    }

    func testAConfigurationThatIsWrongAnywhereChangesNothing() async throws {
        var configuration = KilldConfiguration(port: try PrivateDatabase.freePort())
        configuration.operations = .init()
        let killd = try await KilldProcess.start(configuration)
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let good = String(decoding: try encoder.encode(configuration), as: UTF8.self)
            .replacingOccurrences(of: "\\/", with: "/")
        // With every one of them, another account too: it must not get in.
        let other = good.replacingOccurrences(of: "AKIDci", with: "AKIDother")
        let key = #""secretKey":"key of ci""#
        let mistakes: [(part: String, instead: String, words: String)] = [
            (#"{"#, "", "not JSON"),
            (#""store":"#, #""color":"red","store":"#, "color: there is no such key"),
            (key, #""secretKey":{"file":"missing.key"}"#, "missing.key cannot be read"),
            (key, #""secretKey":{"env":"KILLD_NO_SUCH"}"#, "KILLD_NO_SUCH is not set"),
            (#""store":"#, #""messages":"missing.json","store":"#, "missing.json cannot be read"),
            (#""requestsPerSecond":1000"#, #""requestsPerSecond":0"#, "requestsPerSecond: expected"),
            (#""listen":"127.0.0.1:0","#, #""listen":"127.0.0.1:1","#, "listen: cannot change while killd runs"),
            (#""operations":{"listen":"127.0.0.1:0"},"#, "", "operations.listen: cannot change while killd runs"),
            (#""store":"killd.sqlite""#, #""store":"other.sqlite""#, "store: cannot change while killd runs"),
        ]
        for (part, instead, words) in mistakes {
            let range = try XCTUnwrap(other.range(of: part), "\(part) is not in \(other)")
            var text = other
            text.replaceSubrange(range, with: instead)
            let log = try await killd.reloadInVain(Data(text.utf8))
            XCTAssertTrue(log.contains(words), "\(log) lacks \(words)")
            XCTAssertFalse(log.contains("key of ci"))
            XCTAssertNil(try SigningClient(killd).call("DescribeKillPlans", ["Limit": 1]).Error)
            var intruder = try XCTUnwrap(configuration.accounts.first)
            intruder.secretId = "AKIDother"
            assertRefused(
                try SigningClient(killd, as: intruder).call("DescribeKillPlans", ["Limit": 1]),
                "AuthFailure.SecretIdNotFound")
        }
        XCTAssertEqual(try killd.metrics()[#"killd_reloads_total{result="refused"}"#], Double(mistakes.count))
        try await killd.reload { _ in }
        XCTAssertEqual(try killd.metrics()[#"killd_reloads_total{result="done"}"#], 1)
        try await killd.stop()
    }

    func testInstancesComeAndGoAndTheOthersKeepTheirConnections() async throws {
        try await withKilld { scene in
            let (victims, planned, ticket) = try await scene.prepareTwo()
            let kept = try await connections(scene)
            XCTAssertFalse(kept.isEmpty)

            let proxy = try TCPProxy(to: scene.server.database.port)
            var second = KilldConfiguration.Instance(port: proxy.port)
            second.id = "cdb-second"
            try await scene.killd.reload { $0.instances.append(second) }
            let client = try SigningClient(scene.killd, instance: "cdb-second")
            let (others, othersPlanned) = try await scene.openTwo()
            let othersTicket = try client.prepare(othersPlanned).ticket()
            let both = try await connections(scene)
            XCTAssertTrue(both.isStrictSuperset(of: kept), "\(both) \(kept)")
            XCTAssertGreaterThan(proxy.openConnections, 0)
            XCTAssertEqual(try client.commit(othersTicket).Threads, othersPlanned)

            try await scene.killd.reload { $0.instances.removeLast() }
            // The other may have opened one more meanwhile, which is its own.
            try await eventually("the end of its connections") { proxy.openConnections == 0 }
            let left = try await connections(scene)
            XCTAssertTrue(left.isSuperset(of: kept), "\(left) \(kept)")
            assertRefused(try client.prepare(planned), "InvalidParameterValue", "InstanceId")

            // The plan of before both reloads.
            XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
            await victims.assertNoneAnswers()
            await others.assertNoneAnswers()
            proxy.stop()
        }
    }

    func testACommitInFlightOnAnInstanceThatIsRemovedEndsFirst() async throws {
        try await withKilldBehindGate(holding: .kill) { scene, gate in
            let (victims, planned, ticket) = try await scene.prepareTwo()
            let pending = try scene.client.sendCommit(ticket)
            try await eventually("the KILL") { gate.wasReached }
            let before = try await connections(scene)
            let away = KilldConfiguration.Instance(port: try PrivateDatabase.freePort())
            try await scene.killd.reload { configuration in
                configuration.instances = [away]
                configuration.instances[0].id = "cdb-another"
            }
            let during = try await connections(scene)
            XCTAssertEqual(during, before)
            gate.open(.forward)
            XCTAssertEqual(try pending.wait().Threads, planned)
            await victims.assertNoneAnswers()
            try await eventually("the end of the connections") { try await connections(scene).isEmpty }
        }
    }

    func testACommitThatWaitsKillsNobodyWhomAReloadForbids() async throws {
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        let port = server.database.port
        let changes: [(change: (inout KilldConfiguration) -> Void, refusal: String?)] = [
            ({ $0.instances[0].protectedUsers = ["app"] }, nil),
            ({ $0.accounts[0].may = ["list", "prepare"] }, "OperationDenied"),
            ({ $0.accounts = [.init(name: "alice")] }, "OperationDenied"),
            ({ $0.instances[0].id = "cdb-another" }, "OperationDenied"),
            ({ $0.instances[0].port = port }, "OperationDenied"),
        ]
        for (number, (change, refusal)) in changes.enumerated() {
            let gate = try KillGate(to: port, holding: .snapshot)
            var configuration = KilldConfiguration(port: port)
            configuration.passThrough(gate)
            try await withKilld(configuration, on: server) { scene in
                let (victims, _, ticket) = try await scene.prepareTwo()
                gate.arm()
                let pending = try scene.client.sendCommit(ticket)
                try await eventually("the look") { gate.wasReached }
                try await scene.killd.reload(change)
                gate.open(.forward)
                let answer = try pending.wait()
                XCTAssertEqual(answer.Error?.Code, refusal, "change \(number): \(answer)")
                XCTAssertEqual(answer.Threads ?? [], [])
                await victims.assertAllAnswer()
            }
        }
    }

    func testTwoCommitsOfOnePlanAroundAReloadKillOnce() async throws {
        try await withKilldBehindGate(holding: .kill) { scene, gate in
            // Only the configuration of its instance and its settings change, not who may commit.
            let (victims, planned, ticket) = try await scene.prepareTwo()
            let killsBefore = try await scene.killsRun()
            let first = try scene.client.sendCommit(ticket)
            try await eventually("the KILL") { gate.wasReached }
            try await scene.killd.reload { configuration in
                configuration.instances[0].tls = "preferred"
                configuration.instances[0].protectedUsers = ["nobody"]
                configuration.planLifetimeSeconds = 60
            }
            let second = try scene.client.sendCommit(ticket)
            // Long enough to look at the server, if it did not wait for the first.
            XCTAssertFalse(second.hasCome(within: 1_000))
            gate.open(.forward)
            XCTAssertEqual(try first.wait().Threads, planned)
            XCTAssertEqual(try second.wait().Threads, planned)
            try await scene.assertKillsRun(planned.count, since: killsBefore)
            await victims.assertNoneAnswers()
        }
    }

    func testManyReloadsUnderLoadLoseNoRequest() async throws {
        try await withKilld { scene in
            let client = try scene.client
            async let failures = Task.detached {
                try (0..<200).filter { _ in
                    try client.call("DescribeMySqlProcessList", ["InstanceId": "cdb-test"]).Error != nil
                }
            }.value
            for round in 0..<10 { try await scene.killd.reload { $0.planLifetimeSeconds = 60 + round } }
            let failed = try await failures
            XCTAssertEqual(failed, [])
        }
    }
}
