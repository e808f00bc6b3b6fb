import SessionKill
import XCTest

final class PlanDigestTests: XCTestCase {
    private let plan = KillPlan(
        name: PlanName(rawValue: "plan-a"), sqlExecID: SqlExecID(rawValue: "AEnnKexGijsX"),
        content: KillPlan.Content(
            account: "ci", instance: InstanceID(rawValue: "cdb-1"), preparedAt: UnixTime(milliseconds: 1),
            expiresAt: UnixTime(milliseconds: 2), recordHistory: true,
            fingerprint: ServerFingerprint(
                uniqueID: "u", hostname: "h", port: 3_306, serverID: 1, version: "9.7", startedAt: 10,
                connectionCount: 5),
            threads: [
                PinnedThread(
                    Session(
                        identity: SessionIdentity(id: 7, user: "app", host: "a:1", performanceSchemaThreadID: 40),
                        picture: SessionPicture(
                            database: "d", command: "Query", seconds: 3, state: "s", statement: "SELECT 1",
                            transaction: Transaction(id: "9", age: 1, rowsModified: 2, state: "RUNNING")))),
                PinnedThread(absent: 8),
            ]))

    private func digest(_ change: (inout KillPlan.Content) -> Void) throws -> String {
        var content = plan.content
        change(&content)
        return try KillPlan(name: plan.name, sqlExecID: plan.sqlExecID, content: content).digest()
    }

    private func digest(ofSession change: (inout Session) -> Void) throws -> String {
        try digest { content in
            guard var session = content.threads[0].session else { return }
            change(&session)
            content.threads[0] = PinnedThread(session)
        }
    }

    func testChangesWithEverythingThatIsPinned() throws {
        let digests = [
            try plan.digest(),
            try KillPlan(name: PlanName(rawValue: "plan-b"), sqlExecID: plan.sqlExecID, content: plan.content).digest(),
            try digest { $0.account = "c" }, try digest { $0.instance = InstanceID(rawValue: "cdb-2") },
            try digest { $0.preparedAt.milliseconds = 0 }, try digest { $0.expiresAt.milliseconds = 3 },
            try digest { $0.recordHistory = false }, try digest { $0.fingerprint.uniqueID = nil },
            try digest { $0.fingerprint.uniqueID = "" }, try digest { $0.fingerprint.hostname = "i" },
            try digest { $0.fingerprint.port = 1 }, try digest { $0.fingerprint.serverID = 2 },
            try digest { $0.fingerprint.version = "9.8" }, try digest { $0.fingerprint.startedAt = -10 },
            try digest { $0.fingerprint.connectionCount = 6 }, try digest { $0.threads.removeLast() },
            try digest { $0.threads.reverse() }, try digest { $0.threads[1] = PinnedThread(absent: 9) },
            try digest { $0.threads[1] = PinnedThread(.idle(8)) }, try digest { $0.threads[0] = PinnedThread(absent: 7) },
            try digest(ofSession: { $0.identity.id = 6 }), try digest(ofSession: { $0.identity.user = "ap" }),
            try digest(ofSession: { $0.identity.host = "a:2" }),
            try digest(ofSession: { $0.identity.performanceSchemaThreadID = nil }),
            try digest(ofSession: { $0.identity.performanceSchemaThreadID = 41 }),
            try digest(ofSession: { $0.picture.database = nil }), try digest(ofSession: { $0.picture.command = "Sleep" }),
            try digest(ofSession: { $0.picture.seconds = nil }), try digest(ofSession: { $0.picture.state = nil }),
            try digest(ofSession: { $0.picture.statement = "SELECT 2" }),
            try digest(ofSession: { $0.picture.transaction = nil }),
            try digest(ofSession: { $0.picture.transaction?.id = "8" }),
            try digest(ofSession: { $0.picture.transaction?.age = 2 }),
            try digest(ofSession: { $0.picture.transaction?.rowsModified = 3 }),
            try digest(ofSession: { $0.picture.transaction?.state = "LOCK WAIT" }),
            // The same characters, but not in the same fields.
            try digest(ofSession: { session in
                session.identity.user = "appa"
                session.identity.host = ":1"
            }),
        ]
        XCTAssertEqual(Set(digests).count, digests.count)
        for digest in digests { XCTAssertNotNil(digest.wholeMatch(of: /[0-9a-f]{64}/)) }
    }

    func testDoesNotDependOnTheTicket() throws {
        let other = KillPlan(name: plan.name, sqlExecID: SqlExecID(rawValue: "other"), content: plan.content)
        XCTAssertEqual(try plan.digest(), try other.digest())
    }

    /// A new property must go into the digest, and then into this table.
    func testEveryPropertyIsKnownToTheseTests() throws {
        let session = try XCTUnwrap(plan.content.threads[0].session)
        let values: [(value: Any, properties: Int)] = [
            (plan.content, 7), (plan.content.fingerprint, 7), (plan.content.threads[0], 2), (session, 2),
            (session.identity, 4), (session.picture, 6), (try XCTUnwrap(session.picture.transaction), 4),
        ]
        for (value, properties) in values {
            XCTAssertEqual(Mirror(reflecting: value).children.count, properties, "\(type(of: value))")
        }
    }
}
