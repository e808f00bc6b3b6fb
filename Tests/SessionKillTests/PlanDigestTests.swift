import SessionKill
import StoreContract
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
                    PinnedSession(
                        identity: SessionIdentity(
                            id: 7, user: "app", host: "a:1", performanceSchemaThreadID: 40,
                            client: ClientAttributes(programName: "etl", processID: "12")),
                        details: PinnedDetails(
                            database: "d", command: "Query", seconds: 3, state: "s",
                            statement: .shown(text: "SELECT 1", length: 8),
                            transaction: Transaction(id: "9", age: 1, rowsModified: 2, state: "RUNNING"),
                            protection: .protectedUser,
                            wantedLocks: [
                                WantedLock(
                                    lock: Lock(kind: .row, object: "d.t", index: "PRIMARY", mode: "X"), waiters: 1)
                            ], freedSessions: 1))),
                PinnedThread(absent: 8),
            ], impact: PlanImpact(freedSessions: 1, unexplainedWaiters: 0)))

    private static let review = ReviewTerms(
        risk: RiskAssessment(reasons: [RiskReason(.rowsToUndo, grade: .medium, threads: [7], count: 2)]), required: 1,
        approvableUntil: UnixTime(milliseconds: 3), commitWithin: 300,
        waits: [
            WaitEdge(
                waiter: 9, user: "app", host: "a:1", seconds: 4, holder: 7, lock: Lock(kind: .row, object: "d.t"))
        ], omittedWaits: 1)

    private func digest(ofReview change: (inout ReviewTerms) -> Void) throws -> String {
        try digest { content in
            var review = Self.review
            change(&review)
            content.review = review
        }
    }

    private let proxy = ProxySession(id: 9, cluster: "c", tenant: "t", transactionCount: 2)

    private func digest(_ change: (inout KillPlan.Content) -> Void) throws -> String {
        var content = plan.content
        change(&content)
        return try KillPlan(name: plan.name, sqlExecID: plan.sqlExecID, content: content).digest()
    }

    private func digest(
        ofIdentity changeIdentity: (inout SessionIdentity) -> Void = { _ in },
        ofDetails changeDetails: (inout PinnedDetails) -> Void = { _ in }
    ) throws -> String {
        try digest { content in
            guard let session = content.threads[0].session, var details = session.details else { return }
            var identity = session.identity
            changeIdentity(&identity)
            changeDetails(&details)
            content.threads[0] = PinnedThread(PinnedSession(identity: identity, details: details))
        }
    }

    func testChangesWithEverythingThatIsPinned() throws {
        let identityOnly = PinnedSession(
            identity: try XCTUnwrap(plan.content.threads[0].session?.identity), details: nil)
        let digests = [
            try plan.digest(),
            try KillPlan(name: PlanName(rawValue: "plan-b"), sqlExecID: plan.sqlExecID, content: plan.content).digest(),
            try digest { $0.account = "c" }, try digest { $0.instance = InstanceID(rawValue: "cdb-2") },
            try digest { $0.task = KillTaskName(rawValue: "task-a") },
            try digest { $0.task = KillTaskName(rawValue: "task-b") },
            try digest { $0.task = KillTaskName(rawValue: "") },
            try digest { $0.requestedBy = PersonName(rawValue: "dan") }, try digest { $0.reason = "dan" },
            try digest { $0.reason = "" }, try digest(ofReview: { _ in }), try digest(ofReview: { $0.risk = nil }),
            try digest(ofReview: { $0.risk = RiskAssessment(reasons: []) }),
            try digest(ofReview: {
                $0.risk = RiskAssessment(reasons: [RiskReason(.rowsToUndo, grade: .high, threads: [7], count: 2)])
            }),
            try digest(ofReview: { $0.required = 2 }), try digest(ofReview: { $0.approvableUntil.milliseconds = 4 }),
            try digest(ofReview: { $0.commitWithin = 1 }), try digest(ofReview: { $0.waits = [] }),
            try digest(ofReview: { $0.waits[0].waiter = 8 }), try digest(ofReview: { $0.waits[0].user = "b" }),
            try digest(ofReview: { $0.waits[0].host = "b" }), try digest(ofReview: { $0.waits[0].seconds = nil }),
            try digest(ofReview: { $0.waits[0].holder = nil }),
            try digest(ofReview: { $0.waits[0].lock.object = "d.u" }), try digest(ofReview: { $0.omittedWaits = 0 }),
            try digest { $0.preparedAt.milliseconds = 0 }, try digest { $0.expiresAt.milliseconds = 3 },
            try digest { $0.recordHistory = false }, try digest { $0.fingerprint.uniqueID = nil },
            try digest { $0.fingerprint.uniqueID = "" }, try digest { $0.fingerprint.hostname = "i" },
            try digest { $0.fingerprint.port = 1 }, try digest { $0.fingerprint.serverID = 2 },
            try digest { $0.fingerprint.version = "9.8" }, try digest { $0.fingerprint.startedAt = -10 },
            try digest { $0.fingerprint.connectionCount = 6 }, try digest { $0.fingerprint.startMark = "" },
            try digest { $0.fingerprint.startMark = "8662-1" }, try digest { $0.threads.removeLast() },
            try digest { $0.threads.reverse() }, try digest { $0.threads[1] = PinnedThread(absent: 9) },
            try digest { $0.threads[1] = PinnedThread(.idle(8)) },
            try digest { $0.threads[0] = PinnedThread(absent: 7) },
            try digest { $0.impact = nil }, try digest { $0.impact?.freedSessions = 2 },
            try digest { $0.impact?.unexplainedWaiters = 1 }, try digest { $0.threads[0] = PinnedThread(identityOnly) },
            try digest(ofIdentity: { $0.id = 6 }), try digest(ofIdentity: { $0.user = "ap" }),
            try digest(ofIdentity: { $0.host = "a:2" }),
            try digest(ofIdentity: { $0.performanceSchemaThreadID = nil }),
            try digest(ofIdentity: { $0.performanceSchemaThreadID = 41 }), try digest(ofIdentity: { $0.client = nil }),
            try digest(ofIdentity: { $0.client?.programName = "sql" }),
            try digest(ofIdentity: { $0.client?.processID = nil }),
            try digest(ofDetails: { $0.database = nil }), try digest(ofDetails: { $0.command = "Sleep" }),
            try digest(ofDetails: { $0.seconds = nil }), try digest(ofDetails: { $0.state = nil }),
            try digest(ofDetails: { $0.statement = nil }),
            try digest(ofDetails: { $0.statement = .shown(text: "SELECT 2", length: 8) }),
            try digest(ofDetails: { $0.statement = .shown(text: "SELECT 1", length: 9) }),
            try digest(ofDetails: { $0.statement = .hidden(sha256: "SELECT 1") }),
            try digest(ofDetails: { $0.transaction = nil }), try digest(ofDetails: { $0.transaction?.id = nil }),
            try digest(ofDetails: { $0.transaction?.id = "8" }), try digest(ofDetails: { $0.transaction?.age = 2 }),
            try digest(ofDetails: { $0.transaction?.rowsModified = 3 }),
            try digest(ofDetails: { $0.transaction?.rowsModified = nil }),
            try digest(ofDetails: { $0.transaction?.state = "LOCK WAIT" }),
            try digest(ofDetails: { $0.preparedXA = .present }), try digest(ofDetails: { $0.preparedXA = .unknown }),
            try digest(ofDetails: { $0.protection = nil }),
            try digest(ofDetails: { $0.protection = .replication }), try digest(ofDetails: { $0.wantedLocks = [] }),
            try digest(ofDetails: { $0.wantedLocks[0].waiters = 2 }),
            try digest(ofDetails: { $0.wantedLocks[0].lock.kind = .user }),
            try digest(ofDetails: { $0.wantedLocks[0].lock.object = "d.u" }),
            try digest(ofDetails: { $0.wantedLocks[0].lock.index = nil }),
            try digest(ofDetails: { $0.wantedLocks[0].lock.mode = "S" }),
            try digest(ofDetails: { $0.freedSessions = 0 }),
            // The same characters, but not in the same fields.
            try digest(ofIdentity: { identity in
                identity.user = "appa"
                identity.host = ":1"
            }),
        ]
        XCTAssertEqual(Set(digests).count, digests.count)
        for digest in digests { XCTAssertNotNil(digest.wholeMatch(of: /[0-9a-f]{64}/)) }
    }

    /// Plans that were prepared before an upgrade of killd must stay valid after it.
    func testIsTheSameInEveryVersion() throws {
        XCTAssertEqual(try plan.digest(), "30ba36b04da374edd1437ed208ba8994e5b06e3e5c3c6730a16422ed95dca2cc")
    }

    func testChangesWithEverythingThatAProxyTells() throws {
        func digest(_ change: (inout ProxySession) -> Void) throws -> String {
            var proxy = proxy
            change(&proxy)
            return try self.digest(ofIdentity: { $0.proxy = proxy })
        }
        let held = ServerSession(id: 1, connectionID: 2, address: "a:1")
        let digests = [
            try plan.digest(), try digest { _ in }, try digest { $0.id = 8 }, try digest { $0.cluster = "d" },
            try digest { $0.tenant = "u" }, try digest { $0.transactionCount = 3 },
            try digest { $0.serverSession = held },
            try digest { $0.serverSession = ServerSession(id: 3, connectionID: 2, address: "a:1") },
            try digest { $0.serverSession = ServerSession(id: 1, connectionID: 3, address: "a:1") },
            try digest { $0.serverSession = ServerSession(id: 1, connectionID: 2, address: "a:2") },
            try self.digest { $0.fingerprint.startedAt = nil }, try self.digest { $0.fingerprint.startedAt = 0 },
            try self.digest { $0.fingerprint.connectionCount = nil },
            try self.digest { $0.fingerprint.connectionCount = 0 },
            try digest {
                $0.cluster = "ct"
                $0.tenant = ""
            },
        ]
        XCTAssertEqual(Set(digests).count, digests.count)
    }

    /// Whoever swapped the tickets of two plans in the store would have the holder of one commit the other.
    func testBindsTheTicket() throws {
        var content = plan.content
        content.fingerprint.startMark = "8662-1"
        let digests = try [("AEnnKexGijsX", content), ("other", content)].map { ticket, content in
            try KillPlan(name: plan.name, sqlExecID: SqlExecID(rawValue: ticket), content: content).digest()
        }
        XCTAssertNotEqual(digests[0], digests[1])
        XCTAssertEqual(digests[0], "4e41a6cc5d6821baa6c684cac25b17e79b5642ebb00bc4ca89d29f3df8834a8d")
    }

    /// Its plans have no mark of the server's start; they are verified as it made them.
    func testOfAPlanOfAnEarlierKilldDoesNotDependOnTheTicket() throws {
        let other = KillPlan(name: plan.name, sqlExecID: SqlExecID(rawValue: "other"), content: plan.content)
        XCTAssertEqual(try plan.digest(), try other.digest())
    }

    /// A new property must go into the digest, and then into this table.
    func testEveryPropertyIsKnownToTheseTests() throws {
        let session = try XCTUnwrap(plan.content.threads[0].session)
        let details = try XCTUnwrap(session.details)
        let values: [(value: Any, properties: Int)] = [
            (plan.content, 12), (plan.content.fingerprint, 8), (plan.content.threads[0], 2), (session, 2),
            (session.identity, 6), (proxy, 5), (ServerSession(id: 1, connectionID: 2, address: "a"), 3),
            (try XCTUnwrap(session.identity.client), 2), (details, 10),
            (try XCTUnwrap(details.transaction), 4), (details.wantedLocks[0], 2), (details.wantedLocks[0].lock, 4),
            (try XCTUnwrap(plan.content.impact), 2), (Self.review, 6),
            (try XCTUnwrap(Self.review.risk?.reasons.first), 4), (Self.review.waits[0], 6),
        ]
        for (value, properties) in values {
            XCTAssertEqual(Mirror(reflecting: value).children.count, properties, "\(type(of: value))")
        }
    }
}
