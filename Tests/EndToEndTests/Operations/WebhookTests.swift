import Cryptography
import Foundation
import HTTPServer
import PrivateDatabase
import Synchronization
import TestSupport
import XCTest

/// What a killd tells of its plans, over the network.
final class WebhookTests: XCTestCase {
    /// Keeps what it gets.
    private final class Receiver: Sendable {
        private let requests: Requests
        private let server: HTTPServer
        let port: UInt16

        private final class Requests: Sendable {
            let all = Mutex<[HTTPRequest]>([])
            let answers: Atomic<Bool>

            init(answers: Bool) { self.answers = Atomic(answers) }
        }

        /// - Parameter answers: whether it answers before it is told to.
        init(status: HTTPStatus = .ok, answers: Bool = true) throws {
            let requests = Requests(answers: answers)
            self.requests = requests
            server = try HTTPServer(listen: ListenAddress(host: "127.0.0.1", port: 0)) { request in
                requests.all.withLock { $0.append(request) }
                return .async {
                    while !requests.answers.load(ordering: .relaxed) { try? await Task.sleep(for: .milliseconds(10)) }
                    return HTTPResponse(status: status)
                }
            }
            port = server.boundAddress.port
            try server.start()
        }

        func answer() { requests.answers.store(true, ordering: .relaxed) }

        var received: [HTTPRequest] { requests.all.withLock { $0 } }
        var types: [String] { received.compactMap { type(of: $0) } }

        private func type(of request: HTTPRequest) -> String? {
            let object = try? JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any]
            return object?["type"] as? String
        }
    }

    private static let key = Data(repeating: 7, count: 32)

    private func webhook(_ port: UInt16, _ name: String) -> KilldConfiguration.Webhook {
        var webhook = KilldConfiguration.Webhook(format: "standard", url: "http://127.0.0.1:\(port)/h00k/s3cr3t-path")
        webhook.name = name
        webhook.secret = "whsec_" + Self.key.base64EncodedString()
        return webhook
    }

    func testAPreparedAndACommittedPlanAreToldInSignedMessagesAndNoSecretIsLogged() async throws {
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        let receiver = try Receiver()
        let refusing = try Receiver(status: .notFound)
        var configuration = KilldConfiguration(port: server.database.port)
        configuration.webhooks = [webhook(receiver.port, "works"), webhook(refusing.port, "refusing")]
        configuration.publicURL = "https://killd.example"
        configuration.operations = .init()
        configuration.logLevel = "debug"
        try await withKilld(configuration, on: server) { scene in
            let (victims, planned, ticket) = try await scene.prepareTwo()
            XCTAssertEqual(try scene.client.commit(ticket).Threads?.count, 2)
            await victims.assertNoneAnswers()
            try await eventually("two messages") { receiver.types == ["plan.prepared", "plan.committed"] }
            for request in receiver.received {
                let id = try XCTUnwrap(request.headers["webhook-id"])
                let timestamp = try XCTUnwrap(request.headers["webhook-timestamp"])
                let code = try Digest.sha256.authenticationCode(
                    of: Array("\(id).\(timestamp).".utf8) + request.body, key: Array(Self.key))
                XCTAssertEqual(request.headers["webhook-signature"], "v1,\(Data(code).base64EncodedString())")
                let body = String(decoding: request.body, as: UTF8.self)
                XCTAssertTrue(body.contains("https://killd.example/"), body)
                XCTAssertFalse(body.contains(ticket), body)
            }
            let last = String(decoding: receiver.received[1].body, as: UTF8.self)
            XCTAssertTrue(last.contains(#""killed":2"#) && last.contains(#""sessions":\#(planned.count)"#), last)

            try await eventually("the refusal in /readyz") {
                try scene.killd.operations("/readyz").body.contains("the receiver answered with status 404")
            }
            XCTAssertEqual(try scene.killd.operations("/readyz").status, 200)
            // A receiver has a message before killd has its answer.
            try await eventually("the count of what was delivered and refused") {
                let metrics = try scene.killd.metrics()
                return metrics[#"killd_webhook_deliveries_total{target="works",result="delivered"}"#] == 2
                    && metrics[#"killd_webhook_deliveries_total{target="refusing",result="refused"}"#] == 2
            }
            let metrics = try scene.killd.metrics()
            XCTAssertEqual(metrics[#"killd_webhook_waiting{target="works"}"#], 0)
            let log = try await scene.killd.wholeLog()
            XCTAssertTrue(log.contains("a message of a webhook was not delivered"), log)
            for secret in ["s3cr3t-path", "h00k", Self.key.base64EncodedString()] {
                XCTAssertFalse(log.contains(secret))
            }
        }
    }

    func testACheckSaysWhetherReceiversCanBeReachedAndWhatAKilldThatRunsSaysOfThem() async throws {
        let receiver = try Receiver()
        let readyz = #"{"webhooks":[{"id":"works","works":false,"problem":"status 500; 3 message(s) wait"}]}"#
        let operations = try HTTPServer(listen: ListenAddress(host: "127.0.0.1", port: 0)) { _ in
            .immediate(HTTPResponse(status: .ok, body: Array(readyz.utf8)))
        }
        try operations.start()
        let nobody = try SilentPort().number
        var configuration = KilldConfiguration(port: nobody)
        configuration.webhooks = [webhook(receiver.port, "works"), webhook(nobody, "away")]
        configuration.operations = .init()
        configuration.operations?.listen = operations.boundAddress.description
        let folder = try TestFolder()
        let file = try folder.write(JSONEncoder().encode(configuration), to: "killd.json")
        let output = try await FinishedProgram.run(KilldProcess.path, ["check", "--config", file]).output
        XCTAssertTrue(output.contains("ok       webhook works: its receiver can be reached; nothing was sent"), output)
        XCTAssertTrue(
            output.contains("warning  webhook works: the killd that runs says: status 500; 3 message(s) wait"), output)
        XCTAssertTrue(output.contains("warning  webhook away: no connection: Connection refused"), output)
        XCTAssertFalse(output.contains("s3cr3t"), output)
        XCTAssertEqual(receiver.received.count, 0)
        await operations.drain(within: .zero)
    }

    func testAMessageWhoseAnswerACrashLostIsSentAgainUnderTheSameId() async throws {
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        let receiver = try Receiver(answers: false)
        var configuration = KilldConfiguration(port: server.database.port)
        configuration.webhooks = [webhook(receiver.port, "ops")]
        try await withKilld(configuration, on: server) { scene in
            _ = try await scene.prepareTwo()
            try await eventually("a message that is not answered") { receiver.received.count == 1 }
            scene.killd.kill()
            receiver.answer()
            try await scene.killd.start()
            try await eventually("the message again") { receiver.received.count == 2 }
            let ids = Set(receiver.received.compactMap { $0.headers["webhook-id"] })
            XCTAssertEqual(ids.count, 1)
        }
    }
}
