import Foundation
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

final class OperationsTests: XCTestCase {
    private func withOperations(
        configure: (inout KilldConfiguration) -> Void = { _ in }, _ body: (Scene) async throws -> Void
    ) async throws {
        try await withKilld(
            configure: { configuration in
                configuration.operations = .init()
                configure(&configuration)
            }, body)
    }

    /// A killd whose one instance is at `port`, where nobody has to be.
    private func start(at port: UInt16) async throws -> KilldProcess {
        var configuration = KilldConfiguration(port: port)
        configuration.operations = .init()
        return try await KilldProcess.start(configuration)
    }

    func testThereAreThreePagesAndNothingElse() async throws {
        let killd = try await start(at: PrivateDatabase.freePort())
        for path in ["/healthz", "/metrics", "/healthz?x=1"] {
            let (get, head) = try (killd.operations(path), killd.operations(path, method: "HEAD"))
            XCTAssertEqual([get.status, head.status], [200, 200], path)
            XCTAssertFalse(get.body.isEmpty)
            XCTAssertEqual(head.body, "")
        }
        for path in ["/", "/metrics/", "/healthz/x", "//metrics", "/METRICS"] {
            XCTAssertEqual(try killd.operations(path).status, 404, path)
        }
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "get"] {
            let answer = try killd.operations("/readyz", method: method)
            XCTAssertEqual(answer.status, 405, method)
            XCTAssertTrue(answer.head.contains("Allow: GET, HEAD"), answer.head)
        }
        // The API's listener has none of them.
        let client = try TestClient(port: killd.port)
        client.send("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        XCTAssertTrue(try XCTUnwrap(client.receive(until: "}}")).contains("MissingParameter"))
        try await killd.stop()
    }

    func testMetricsCountWhatHappened() async throws {
        try await withOperations { scene in
            let (victims, planned, ticket) = try await scene.prepareTwo()
            XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
            await victims.assertNoneAnswers()
            for action in ["DropAllTables", "DropNoTables"] {
                assertRefused(try scene.client.call(action, ["x": "y"]), "InvalidAction")
            }
            let metrics = try scene.killd.metrics()
            XCTAssertEqual(metrics[#"killd_requests_total{action="KillMySqlThreads",code="OK"}"#], 2)
            XCTAssertEqual(metrics[#"killd_requests_total{action="other",code="InvalidAction"}"#], 2)
            XCTAssertFalse(metrics.keys.contains { $0.contains("Tables") })
            XCTAssertEqual(metrics[#"killd_request_duration_seconds_count{action="KillMySqlThreads"}"#], 2)
            XCTAssertEqual(
                metrics[#"killd_request_duration_seconds_bucket{action="KillMySqlThreads",le="30"}"#], 2)
            for (state, count) in [("prepared", 1.0), ("committing", 1), ("committed", 1), ("stale", 0)] {
                XCTAssertEqual(metrics["killd_plans_total{state=\"\(state)\"}"], count, state)
            }
            XCTAssertEqual(metrics[#"killd_kills_total{outcome="killed"}"#], 2)
            XCTAssertEqual(metrics[#"killd_kills_total{outcome="unknown"}"#], 0)
            for write in ["insert", "claim", "finish"] {
                XCTAssertEqual(metrics["killd_store_write_duration_seconds_count{write=\"\(write)\"}"], 1, write)
            }
            XCTAssertEqual(metrics[#"killd_http_connections_total{listener="api"}"#], 4)
            XCTAssertEqual(metrics["killd_requests_in_flight"], 0)
            XCTAssertEqual(metrics[#"killd_instance_up{instance="cdb-test"}"#], 1)
            XCTAssertEqual(metrics["killd_ready"], 1)
            XCTAssertEqual(metrics.keys.filter { $0.hasPrefix("killd_build_info{version=\"") }.count, 1)
            XCTAssertEqual(
                try XCTUnwrap(metrics["process_start_time_seconds"]), Date().timeIntervalSince1970, accuracy: 120)
            XCTAssertGreaterThan(try XCTUnwrap(metrics["process_resident_memory_bytes"]), 1_000_000)
            XCTAssertTrue((10...200).contains(try XCTUnwrap(metrics["process_open_fds"])))
        }
    }

    func testMetricsCountRefusalsByAccountAndClientsThatSpeakNoHTTP() async throws {
        var configuration = KilldConfiguration(port: try PrivateDatabase.freePort())
        configuration.operations = .init()
        configuration.requestsPerSecond = 1
        let killd = try await KilldProcess.start(configuration)
        let client = try SigningClient(killd)
        var refused = 0.0
        for _ in 0..<10 where try client.call("DescribeKillPlans", ["x": "y"]).Error?.Code == "RequestLimitExceeded" {
            refused += 1
        }
        XCTAssertGreaterThan(refused, 0)
        let stranger = try TestClient(port: killd.port)
        stranger.send("HELLO\r\n\r\n")
        XCTAssertNotNil(stranger.receive())

        let metrics = try killd.metrics()
        XCTAssertEqual(metrics[#"killd_requests_rate_limited_total{account="ci"}"#], refused)
        XCTAssertEqual(metrics[#"killd_http_refused_total{listener="api",status="400"}"#], 1)
        XCTAssertEqual(metrics[#"killd_http_connections{listener="operations"}"#], 1)
        try await killd.stop()
    }

    func testReadinessTellsInWordsWhichInstanceIsAwayAndIsLostWithTheLast() async throws {
        let port = try PrivateDatabase.freePort()
        try await withOperations(
            configure: { configuration in
                var away = KilldConfiguration.Instance(port: port)
                away.id = "cdb-away"
                configuration.instances.append(away)
            },
            { scene in
                let answer = try scene.killd.operations("/readyz")
                let report = try answer.report()
                XCTAssertEqual(answer.status, 200)
                XCTAssertEqual(report.status, "degraded")
                XCTAssertTrue(report.store.works)
                XCTAssertEqual(report.instances.map(\.id), ["cdb-test", "cdb-away"])
                XCTAssertEqual(report.instances.map(\.works), [true, false])
                XCTAssertTrue(try XCTUnwrap(report.instances[1].problem).contains("127.0.0.1"), answer.body)
                for trace in RealServer.passwordTraces { XCTAssertFalse(answer.body.contains(trace), trace) }
            })
        let killd = try await start(at: port)
        XCTAssertEqual(try killd.operations("/readyz").status, 503)
        XCTAssertEqual(try killd.operations("/readyz").report().status, "not-ready")
        XCTAssertEqual(try killd.operations("/healthz").status, 200)
        try await killd.stop()
    }

    func testAStoreThatCannotBeWrittenMakesItUnready() async throws {
        try await withOperations { scene in
            XCTAssertEqual(try scene.killd.operations("/readyz").report().status, "ready")
            try await scene.killd.refuseWrites()
            try await eventually("the loss of readiness") { try scene.killd.operations("/readyz").status == 503 }
            let report = try scene.killd.operations("/readyz").report()
            XCTAssertTrue(try XCTUnwrap(report.store.problem).contains("cannot write to the store"), "\(report)")
            try await scene.killd.allowWrites()
            try await eventually("readiness") { try scene.killd.operations("/readyz").status == 200 }
        }
    }

    func testAServerThatNeverAnswersDoesNotSlowAProbe() async throws {
        let silent = try SilentPort()
        let killd = try await start(at: silent.number)
        for _ in 0..<5 {
            let start = ContinuousClock.now
            let answer = try killd.operations("/readyz")
            // A probe waits for half a second, and a connection for five.
            XCTAssertLessThan(start.duration(to: .now), .seconds(4))
            XCTAssertEqual(answer.status, 503)
            XCTAssertTrue(answer.body.contains("no answer for"), answer.body)
        }
        try await killd.stop()
        withExtendedLifetime(silent) {}
    }

    func testProbesDoNotHammerAServer() async throws {
        try await withOperations { scene in
            _ = try scene.killd.operations("/readyz")
            try await StatementLog.watch(scene) { log in
                // While the first are made, killd may still be looking through its rights at its start.
                try await eventually("probes with next to no statements") {
                    let before = try await log.entries().count
                    let start = ContinuousClock.now
                    let probes = 300
                    for _ in 0..<probes { XCTAssertEqual(try scene.killd.operations("/readyz").status, 200) }
                    let seconds = start.duration(to: .now) / .seconds(1)
                    let statements = try await log.entries().count - before
                    print("\(probes) probes in \(seconds) s made \(statements) statements")
                    return Double(statements) <= seconds + 2
                }
            }
        }
    }

    func testWhileItDrainsItIsUnreadyAndTakesNobodyMore() async throws {
        try await onEveryServer { server in
            let gate = try KillGate(to: server.database.port, holding: .kill)
            var configuration = KilldConfiguration(port: gate.proxy.port)
            configuration.instances[0].tls = "disabled"
            configuration.operations = .init()
            try await withKilld(configuration, on: server) { scene in
                let (victims, planned, ticket) = try await scene.prepareTwo()
                let idle = try TestClient(port: scene.killd.port)
                let pending = try scene.client.sendCommit(ticket)
                try await eventually("the KILL") { gate.wasReached }
                XCTAssertEqual(try scene.killd.metrics()["killd_requests_in_flight"], 1)

                try scene.killd.send(SIGTERM)
                try await eventually("the draining") { try scene.killd.operations("/readyz").status == 503 }
                XCTAssertEqual(try scene.killd.operations("/readyz").report().status, "draining")
                XCTAssertEqual(try scene.killd.operations("/healthz").status, 200)
                try await eventually("the listener's end") { (try? TestClient(port: scene.killd.port)) == nil }
                XCTAssertEqual(idle.receive(), "")

                gate.open(.forward)
                XCTAssertEqual(try pending.wait().Threads, planned)
                await victims.assertNoneAnswers()
                try await scene.killd.assertEndsWell()
            }
        }
    }
}
