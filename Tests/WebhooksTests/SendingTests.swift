import Cryptography
import Foundation
import HTTPServer
import RequestSigning
import SQLiteStore
import SessionKill
import Synchronization
import TestSupport
import XCTest

@testable import Webhooks

/// From the outbox of a real store to real receivers.
final class SendingTests: XCTestCase {
    private var folder: TestFolder!
    private var store: SQLiteStore!
    private let events = Events()

    private final class Events: Sendable {
        let all = Mutex<[WebhookEvent]>([])
        var texts: [String] { all.withLock { $0.map { "\($0)" } } }
    }

    override func setUp() async throws {
        folder = try TestFolder()
        store = try await SQLiteStore.open(path: folder.file("killd.sqlite"), at: Self.now())
    }

    override func tearDown() async throws { try await store.close() }

    private static func now() -> UnixTime { UnixTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000)) }

    private func webhooks(_ targets: [WebhookTarget], publicURL: String? = nil) async throws -> Webhooks {
        var limits = WebhookExchange.Limits()
        // Longer than any load lasts, since what is late is sent again.
        (limits.connecting, limits.whole) = (.seconds(5), .seconds(10))
        let store = try XCTUnwrap(self.store)
        let webhooks = Webhooks(
            from: WebhookSources(
                name: try await store.auditName(), outbox: store,
                plan: { name throws(StoreError) in try await store.plan(named: name) }, now: Self.now,
                wallTime: Self.now),
            limits: limits, listeners: { [] }, report: { [events] event in events.all.withLock { $0.append(event) } })
        try await webhooks.replace(targets, publicURL: publicURL)
        return webhooks
    }

    private func target(
        _ port: UInt16, _ format: WebhookFormat = .standard, name: String = "ops", key: WebhookTarget.Key = .none
    ) throws -> WebhookTarget {
        var target = try WebhookTarget.sample(
            format, address: "http://127.0.0.1:\(port)/T0/s3cr3t?key=s3cr3t", key: key)
        target.name = name
        return target
    }

    private func plan(_ number: Int = 1, required: Int = 1) throws -> KillPlan {
        let session = SessionIdentity(id: try XCTUnwrap(ThreadID(7)), user: "app", host: "10.0.0.7:40007")
        let now = Self.now()
        return KillPlan(
            name: PlanName(rawValue: "plan-\(number)"), sqlExecID: SqlExecID(rawValue: "t1cket\(number)"),
            content: KillPlan.Content(
                account: AccountName(rawValue: "ci"), instance: InstanceID(rawValue: "cdb-1"), preparedAt: now,
                expiresAt: now.advanced(bySeconds: 600), recordHistory: true,
                fingerprint: ServerFingerprint(
                    uniqueID: "3a9f", hostname: "db1", port: 3306, serverID: 1, version: "9.7.4",
                    startedAt: 1_700_000_000, connectionCount: 500),
                threads: [
                    PinnedThread(
                        PinnedSession(
                            identity: session,
                            details: PinnedDetails(
                                command: "Query", seconds: 9,
                                statement: .shown(text: "UPDATE salaries SET s3cr3t = 1", length: 30))))
                ],
                reason: "stuck",
                review: ReviewTerms(
                    risk: RiskAssessment(reasons: [RiskReason(.rowsToUndo, grade: .high, count: 5)]),
                    required: required,
                    approvableUntil: now.advanced(bySeconds: 600), commitWithin: 300)))
    }

    private func decision(_ kind: Decision.Kind, by name: String, on plan: KillPlan) throws -> Decision {
        Decision(
            kind, by: Caller(AccountName(rawValue: name)), at: Self.now(), comment: "looks right",
            digest: try plan.digest(), request: KeptRequest("{}"))
    }

    func testTheLifeOfAPlanIsToldInSignedMessagesWithoutItsStatementsOrTicket() async throws {
        let receiver = try Receiver()
        let key = try XCTUnwrap(StandardKey(Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")))
        let webhooks = try await webhooks(
            [target(receiver.port, key: .standard(key))], publicURL: "https://killd.example")
        let plan = try plan()
        try await store.insert(plan, by: Caller(plan.content.account))
        webhooks.wake()
        try await eventually("the request for approval") { receiver.requests.count == 1 }
        let approval = try decision(.approved, by: "eve", on: plan)
        _ = try await store.record(approval, on: plan.name)
        let thread = try XCTUnwrap(plan.content.threads.first).id
        _ = try await store.claim(
            plan.name,
            PlanClaim(
                intended: [thread], caller: Caller(plan.content.account), digest: plan.digest(), approvals: [approval],
                time: Self.now()))
        try await store.finish(plan.name, as: .committed, outcomes: [thread: .killed], at: Self.now())
        webhooks.wake()
        try await eventually("all messages") { receiver.requests.count == 3 }
        await webhooks.stop(within: .seconds(5))

        let objects = try receiver.requests.map { request in
            let object = try JSONSerialization.jsonObject(with: Data(request.body))
            let id = try XCTUnwrap(request.headers["webhook-id"])
            let timestamp = try XCTUnwrap(request.headers["webhook-timestamp"].flatMap { Int64($0) })
            XCTAssertEqual(
                request.headers["webhook-signature"],
                try WebhookSignature.standard(id: id, timestamp: timestamp, body: request.body, key: key.bytes))
            return try XCTUnwrap(object as? [String: Any])
        }
        XCTAssertEqual(objects.map { $0["type"] as? String }, ["plan.prepared", "plan.approved", "plan.committed"])
        let ids = receiver.requests.compactMap { $0.headers["webhook-id"] }
        let name = try await store.auditName()
        XCTAssertEqual(ids, ["\(name).2", "\(name).3", "\(name).5"])
        let first = try XCTUnwrap(objects[0]["data"] as? [String: Any])
        XCTAssertEqual(first["link"] as? String, "https://killd.example/console/#/plans/plan-1")
        let content = try XCTUnwrap(first["content"] as? [String: Any])
        XCTAssertEqual(content["required"] as? Int, 1)
        XCTAssertNotNil(content["deadline"])
        let approved = try XCTUnwrap(objects[1]["data"] as? [String: Any])
        XCTAssertEqual(approved["person"] as? String, "eve")
        XCTAssertEqual(approved["comment"] as? String, "looks right")
        let committed = try XCTUnwrap((objects[2]["data"] as? [String: Any])?["content"] as? [String: Any])
        XCTAssertEqual(committed["killed"] as? Int, 1)
        XCTAssertEqual(committed["outcomes"] as? [String: Int], ["killed": 1])
        XCTAssertEqual(committed["approvedBy"] as? [String], ["eve"])
        for body in receiver.bodies {
            for secret in ["salaries", "t1cket", "s3cr3t"] { XCTAssertFalse(body.contains(secret), body) }
        }
        let standings = await webhooks.standings()
        XCTAssertEqual(standings, [])
    }

    func testWhatCouldNotBeDeliveredIsThereAfterARestartAndARequestThatIsDecidedIsNot() async throws {
        let receiver = try Receiver()
        let port = receiver.port
        await receiver.stop()
        let first = try await webhooks([target(port, .slack)])
        let (asking, broken) = (try plan(1), try plan(2))
        for plan in [asking, broken] { try await store.insert(plan, by: Caller(plan.content.account)) }
        _ = try await store.record(decision(.rejected, by: "eve", on: asking), on: asking.name)
        first.wake()
        try await eventually("a failure") { await first.standings().first?.problem != nil }
        let standing = await first.standings()
        // The request that is decided may have been dropped by now.
        XCTAssertTrue((2...3).contains(try XCTUnwrap(standing.first?.waiting)), "\(standing)")
        await first.stop(within: .seconds(5))
        try await store.close()

        store = try await SQLiteStore.open(path: folder.file("killd.sqlite"), at: Self.now())
        let again = try Receiver()
        let second = try await webhooks([target(again.port, .slack)])
        try await eventually("what waited") { again.requests.count == 2 }
        try await eventually("an empty outbox") { await second.standings().first?.waiting == 0 }
        await second.stop(within: .seconds(5))
        let shown = again.bodies.joined()
        XCTAssertTrue(shown.contains("Rejected"), shown)
        XCTAssertTrue(shown.contains("plan-2"), shown)
        XCTAssertFalse(again.bodies.contains { $0.contains("Approval needed") && $0.contains("plan-1") }, shown)
    }

    func testATargetThatHangsHoldsNoOtherUpAndAThousandPlansNobody() async throws {
        let hanging = try RawReceiver { _ in sleep(30) }
        let receiver = try Receiver()
        let webhooks = try await webhooks([
            target(hanging.port, name: "hanging"), target(receiver.port, name: "works"),
        ])
        let store = try XCTUnwrap(self.store)
        let plans = try (1...1_000).map { try plan($0) }
        var slowest = Duration.zero
        try await withThrowingTaskGroup(of: Duration.self) { group in
            for part in 0..<10 {
                group.addTask {
                    var slowest = Duration.zero
                    for plan in plans[(part * 100)..<(part * 100 + 100)] {
                        let start = ContinuousClock.now
                        try await store.insert(plan, by: Caller(plan.content.account))
                        webhooks.wake()
                        slowest = max(slowest, start.duration(to: .now))
                    }
                    return slowest
                }
            }
            for try await duration in group { slowest = max(slowest, duration) }
        }
        // The hanging receiver takes ten seconds for one message.
        XCTAssertLessThan(slowest, .seconds(8))
        try await eventually("a thousand messages", within: .seconds(60)) { receiver.requests.count >= 1_000 }
        let ids = Set(receiver.requests.compactMap { $0.headers["webhook-id"] })
        XCTAssertEqual(ids.count, 1_000)
        XCTAssertLessThan(hanging.connections, 30)
        await webhooks.stop(within: .zero)
    }

    func testNothingThatIsReportedHasTheAddressOrASecretInIt() async throws {
        let receiver = try Receiver(HTTPResponse(status: .badRequest, body: Array("s3cr3t /T0/".utf8)))
        let gone = try RawReceiver { RawReceiver.read($0) }
        let webhooks = try await webhooks([
            target(receiver.port, .feishu, name: "refusing", key: .text(Secret("s3cr3t"))),
            target(gone.port, .dingtalk, name: "hanging-up", key: .text(Secret("s3cr3t"))),
        ])
        let plan = try plan()
        try await store.insert(plan, by: Caller(plan.content.account))
        webhooks.wake()
        try await eventually("two failures") { events.texts.count >= 3 }
        let standings = await webhooks.standings()
        for text in events.texts + standings.map({ "\($0)" }) {
            XCTAssertFalse(text.contains("s3cr3t"), text)
            XCTAssertFalse(text.contains("T0"), text)
            XCTAssertFalse(text.contains("127.0.0.1"), text)
        }
        await webhooks.stop(within: .seconds(5))
    }

    func testAReloadTakesTargetsAwayAndSwitchesOnWhatWasOff() async throws {
        let receiver = try Receiver(HTTPResponse(status: .gone))
        let other = try Receiver()
        let webhooks = try await webhooks([target(receiver.port), target(other.port, name: "other")])
        let (first, second) = (try plan(1), try plan(2))
        try await store.insert(first, by: Caller(first.content.account))
        webhooks.wake()
        try await eventually("410") { await webhooks.standings().first?.isOff == true }
        try await store.insert(second, by: Caller(second.content.account))
        webhooks.wake()
        try await eventually("the other") { other.requests.count == 2 }
        XCTAssertEqual(receiver.requests.count, 1)
        receiver.answer(HTTPResponse(status: .ok))
        try await webhooks.replace([target(receiver.port)], publicURL: nil)
        try await eventually("what waited") { receiver.requests.count == 2 }
        let third = try plan(3)
        try await store.insert(third, by: Caller(third.content.account))
        webhooks.wake()
        try await eventually("the third") { receiver.requests.count == 3 }
        XCTAssertEqual(other.requests.count, 2)
        let names = await webhooks.standings().map(\.target)
        XCTAssertEqual(names, ["ops"])
        await webhooks.stop(within: .seconds(5))
    }

    func testAStopLetsWhatIsOnItsWayEndAndWaitsNoLonger() async throws {
        let slow = try RawReceiver { client in
            RawReceiver.read(client)
            usleep(300_000)
            RawReceiver.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", to: client)
        }
        let webhooks = try await webhooks([target(slow.port)])
        let plan = try plan()
        try await store.insert(plan, by: Caller(plan.content.account))
        webhooks.wake()
        try await eventually("a connection") { slow.connections == 1 }
        await webhooks.stop(within: .seconds(5))
        let waiting = try await store.waitingMessages()
        XCTAssertEqual(waiting, [:])
    }
}
