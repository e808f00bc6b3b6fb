import Text
import StoreContract
import TestSupport
import XCTest

@testable import SessionKill

/// One word to a reader, two users to a server.
private let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")

final class UsersByBytesTests: KillEngineTestCase {
    private func identity(_ user: String, host: String = "10.0.0.7:51444") -> SessionIdentity {
        SessionIdentity(id: 7, user: user, host: host)
    }

    func testASessionOfTheUserInAnotherFormIsAnotherSession() {
        XCTAssertTrue(identity(composed).isSameSession(as: identity(composed)))
        XCTAssertFalse(identity(composed).isSameSession(as: identity(decomposed)))
        XCTAssertFalse(identity("app", host: composed).isSameSession(as: identity("app", host: decomposed)))
        XCTAssertEqual(Set([identity(composed), identity(decomposed)]).count, 2)
        func client(_ name: String) -> SessionIdentity {
            var identity = identity("app")
            identity.client = ClientAttributes(programName: name, processID: "1")
            return identity
        }
        XCTAssertFalse(client(composed).isSameSession(as: client(decomposed)))
        var (left, right) = (identity("app"), identity("app"))
        left.proxy = ProxySession(id: 1, cluster: "c", tenant: composed, transactionCount: 1)
        right.proxy = ProxySession(id: 1, cluster: "c", tenant: decomposed, transactionCount: 1)
        XCTAssertFalse(left.isSameSession(as: right))
        XCTAssertNotEqual(left, right)
    }

    func testASessionThatBecameTheUsersInAnotherFormIsLeftAlone() async throws {
        await server.set { server in
            for index in server.sessions.indices where server.sessions[index].id == 3 {
                server.sessions[index].identity.user = composed
            }
        }
        let plan = try await prepare([3, 4])
        await server.set { server in
            for index in server.sessions.indices where server.sessions[index].id == 3 {
                server.sessions[index].identity.user = decomposed
            }
        }
        let report = try await commit(plan)
        XCTAssertEqual(report.outcomes, [3: .replaced, 4: .killed])
    }

    /// Nobody sees in which form a configuration spells é: whom it means must not die of that.
    func testWhoIsToBeSparedIsSparedInEitherForm() {
        for (named, user) in [
            (composed, composed), (composed, decomposed), (decomposed, composed), (decomposed, decomposed),
        ] {
            let rules = ProtectionRules(protectedUsers: [named], ownThreadIDs: [])
            XCTAssertEqual(rules.protection(of: .idle(3, user: user)), .protectedUser)
            XCTAssertTrue(identity(user).isOfUser(sparedAs: [named]))
        }
        let rules = ProtectionRules(protectedUsers: [composed, "App"], ownThreadIDs: [])
        for user in ["cafe", "CAF\u{C9}", "app", "App ", ""] {
            XCTAssertNil(rules.protection(of: .idle(3, user: user)))
        }
        let long = String(repeating: "\u{301}", count: 4_000_000)
        XCTAssertTrue(identity(long).isOfUser(sparedAs: [long]))
        XCTAssertFalse(identity(long).isOfUser(sparedAs: [composed]))
    }

    func testReplicationIsKnownByItsFirstBytes() {
        let rules = ProtectionRules(protectedUsers: [], ownThreadIDs: [])
        for command in ["Binlog Dump", "Binlog Dump GTID", "Binlog Dump\u{301}", "Slave_IO\u{301}"] {
            var session = Session.idle(3)
            session.details.command = command
            XCTAssertEqual(rules.protection(of: session), .replication, command)
        }
    }

    func testKilldsOwnUserIsKnownByItsBytes() async {
        let own = Session.idle(5, user: composed)
        let observation = ServerObservation(
            fingerprint: await server.fingerprint, sessions: [own], ownThreadIDs: [5])
        let protection = UnnamedProtection(observation, ProtectionRules(protectedUsers: [], ownThreadIDs: [5]))
        XCTAssertEqual(protection.protection(of: .idle(6, user: composed)), .ownConnection)
        XCTAssertNil(protection.protection(of: .idle(6, user: decomposed)))
    }

    func testIDsAndKeysAreComparedByTheirBytes() {
        XCTAssertNotEqual(InstanceID(rawValue: composed), InstanceID(rawValue: decomposed))
        XCTAssertFalse(InstanceID(rawValue: composed) == InstanceID(rawValue: decomposed))
        XCTAssertTrue(PlanName(rawValue: "plan-K") != PlanName(rawValue: "plan-\u{212A}"))
        XCTAssertFalse(PlanName(rawValue: "plan-K") != PlanName(rawValue: "plan-K"))
        XCTAssertEqual(Set([SqlExecID(rawValue: "K"), SqlExecID(rawValue: "\u{212A}")]).count, 2)
        XCTAssertEqual(Set([NodeID(rawValue: composed), NodeID(rawValue: decomposed)]).count, 2)
        let places = [composed, decomposed].map { SessionTaskTarget(instance: InstanceID(rawValue: $0), node: nil) }
        XCTAssertEqual(Set(places).count, 2)
        XCTAssertNotEqual(DatabasePassword(composed), DatabasePassword(decomposed))
    }

    func testATicketOfTheAccountInAnotherFormIsNobodys() async throws {
        let plan = try await engine.prepare(
            .threads([3]), on: instance, for: AccountName(rawValue: composed), recordHistory: true)
        do {
            _ = try await engine.commit(plan.sqlExecID, on: instance, for: AccountName(rawValue: decomposed))
            XCTFail("committed")
        } catch {
            XCTAssertEqual(error as? KillError, .planNotFound)
        }
    }

    func testLocksOnTablesOfOtherBytesAreOtherLocks() {
        func wait(_ waiter: ThreadID, _ table: String) -> LockWait {
            LockWait(waiter: waiter, holder: 1, lock: Lock(kind: .metadata, object: "shop." + table))
        }
        let wanted = WaitGraph([wait(2, composed), wait(3, decomposed)]).locksWanted(from: 1)
        XCTAssertEqual(wanted.map(\.waiters), [1, 1])
    }

    /// Prepare and what decides about a session, with eight megabytes that are one character to Unicode.
    func testAServersTextsByTheMegabyteStallNobody() async throws {
        let marks = String(repeating: "\u{301}\u{316}", count: 2_000_000)
        await server.set { server in
            for index in server.sessions.indices where server.sessions[index].id == 3 {
                server.sessions[index].details.statement = "SELECT " + marks
            }
        }
        let time = try await processorTimeOfAllThreads {
            let plan = try await prepare([3])
            let statement = plan.content.threads[0].session?.details?.statement
            XCTAssertEqual(statement, .shown(text: ("SELECT " + marks).beginning(bytes: 40), length: 8_000_007))

            var hostile = Session(
                identity: SessionIdentity(id: 9, user: marks, host: marks),
                details: SessionDetails(database: marks, command: marks, seconds: 1, state: marks, statement: marks))
            hostile.identity.client = ClientAttributes(programName: marks, processID: marks)
            let rules = ProtectionRules(protectedUsers: ["app"], ownThreadIDs: [])
            XCTAssertNil(rules.protection(of: hostile))
            XCTAssertFalse(hostile.details.isActive)
            XCTAssertFalse(hostile.details.isBeingKilled)
            XCTAssertTrue(hostile.identity.isSameSession(as: hostile.identity))
            XCTAssertEqual(Set([hostile, .idle(9)]).count, 2)
            let rule = try KillRule(
                host: "10.0.0.7", user: "app", databases: ["shop"], commands: ["Query"], statement: .containsAll(["a"]))
            XCTAssertFalse(rule.matches(hostile))
            XCTAssertNotEqual(try SessionRow(hostile, .cut(bytes: 1_024)), try SessionRow(.idle(9), .cut(bytes: 1_024)))
        }
        XCTAssertLessThan(time, .seconds(20) * slowdown, "each text took over a minute")
    }
}
