import StoreContract
import Synchronization
import XCTest

@testable import SessionKill

/// An instance that asks for one approval, and for two where much would be lost: of ci's plans alice, bob and carol may
/// approve, and dan by two accounts.
class ApprovalTestCase: KillEngineTestCase {
    struct Member: Sendable {
        var account: AccountName
        var person: PersonName
        var may: Set<KillAuthority.AccountRights.Right>
        /// What its requests are signed with.
        var key = "key"

        init(_ account: String, _ person: String? = nil, may: Set<KillAuthority.AccountRights.Right>) {
            self.account = AccountName(rawValue: account)
            self.person = PersonName(rawValue: person ?? account)
            self.may = may
        }
    }

    let members = Mutex([
        Member("ci", may: [.prepare, .commit]), Member("alice", may: [.approve]), Member("bob", may: [.approve]),
        Member("carol", may: [.approve]), Member("dan", may: [.prepare, .approve, .commit]),
        Member("dan-admin", "dan", may: [.prepare, .approve, .commit]),
        Member("oncall", may: [.prepare, .commit, .breakGlass]),
    ])
    let firstTen = (1...10).map { ThreadID(integerLiteral: $0) }
    var policy = ApprovalPolicy(required: [.low: 1, .medium: 1, .high: 2])
    /// One whose configuration can be replaced.
    lazy var asking: KillEngine = {
        let engine = engine
        engine.replace(authority())
        return engine
    }()
    var guarded: Instance {
        Instance(id: InstanceID(rawValue: "cdb-1"), server: server, protectedUsers: ["monitor"], approvals: policy)
    }

    func authority() -> KillAuthority {
        let (members, instance) = (members.withLock { $0 }, guarded)
        return KillAuthority(
            { request in
                guard let member = members.first(where: { $0.account == request.account }) else {
                    return .failure(.accountNotConfigured)
                }
                return member.may.contains(.commit) ? .success(instance) : .failure(.notPermitted)
            },
            accounts: members.map { member in
                .init(account: member.account, person: member.person) { right, _ in member.may.contains(right) }
            },
            verify: { decision, plan in
                guard let member = members.first(where: { $0.account == decision.caller.account }) else { return false }
                return decision.request == Self.signed(plan, by: member)
            })
    }

    /// Takes over what `members` and `policy` say.
    func reload(_ change: (inout [Member]) -> Void = { _ in }) {
        members.withLock { change(&$0) }
        asking.replace(authority())
    }

    static func signed(_ plan: PlanOutline, by member: Member) -> KeptRequest {
        KeptRequest("approve \(plan.name.rawValue) \(plan.digest) \(member.key)")
    }

    func member(_ account: String) throws -> Member {
        try XCTUnwrap(members.withLock { $0.first { $0.account.rawValue == account } })
    }

    func caller(_ account: String) throws -> Caller {
        let member = try member(account)
        return Caller(account: member.account, person: member.person, request: .init(address: "10.0.0.7", id: "R"))
    }

    func preparePlan(
        _ threads: [ThreadID] = [3], by account: String = "ci", for person: String? = nil, recordHistory: Bool = true
    ) async throws -> StoredPlan {
        let plan = try await asking.prepare(
            .threads(threads), on: guarded, for: try caller(account),
            asking: PrepareTerms(
                recordHistory: recordHistory, requestedBy: person.map { PersonName(rawValue: $0) }, reason: "stuck"))
        return try await stored(plan.name)
    }

    func stored(_ name: PlanName) async throws -> StoredPlan {
        let stored = try await store.plan(named: name)
        return try XCTUnwrap(stored)
    }

    @discardableResult
    func decide(
        _ kind: Decision.Kind, _ plan: StoredPlan, by account: String, digest: String? = nil, comment: String? = nil
    ) async throws -> DecisionReport {
        try await asking.decide(
            kind, on: plan.plan.name, digest: digest ?? plan.digest, comment: comment, by: try caller(account),
            request: Self.signed(plan.outline, by: try member(account)), instance: guarded)
    }

    func approve(_ plan: StoredPlan, by accounts: String...) async throws {
        for account in accounts { try await decide(.approved, plan, by: account) }
    }

    @discardableResult
    func commit(
        _ plan: StoredPlan, by account: String = "ci", breaking reason: String? = nil
    ) async throws -> CommitReport {
        try await asking.commit(
            .ticket(plan.plan.sqlExecID), on: guarded, for: try caller(account),
            breakGlass: reason.map { BreakGlass(reason: $0) })
    }

    func assertRefused(
        _ obstacle: ReviewObstacle, file: StaticString = #filePath, line: UInt = #line,
        _ body: () async throws -> Void
    ) async {
        do {
            try await body()
            XCTFail("not refused", file: file, line: line)
        } catch {
            XCTAssertEqual(error as? KillError, .decisionRefused(obstacle), "\(error)", file: file, line: line)
        }
    }

    func assertNotApproved(
        _ plan: StoredPlan, has approvers: [String] = [], of required: Int = 1, file: StaticString = #filePath,
        line: UInt = #line
    ) async {
        do {
            try await commit(plan, by: plan.plan.content.account.rawValue)
            XCTFail("committed", file: file, line: line)
        } catch KillError.notApproved(let gap) {
            XCTAssertEqual(gap.approvedBy.map(\.rawValue), approvers, file: file, line: line)
            XCTAssertEqual(gap.required, required, file: file, line: line)
        } catch {
            XCTFail("\(error)", file: file, line: line)
        }
        await assertNobodyIsKilled(file: file, line: line)
    }

    func assertNobodyIsKilled(file: StaticString = #filePath, line: UInt = #line) async {
        let kills = await server.kills
        XCTAssertEqual(kills, [], file: file, line: line)
    }

    func assertStatus(
        _ status: PlanStatus, _ plan: StoredPlan, file: StaticString = #filePath, line: UInt = #line
    ) async throws {
        let now = try await stored(plan.plan.name)
        XCTAssertEqual(now.status(at: clock.now()), status, file: file, line: line)
    }
}
