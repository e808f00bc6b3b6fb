import SessionKill
import StoreContract
import XCTest

/// Plans for sessions of a proxy that numbers them itself.
final class ProxyPlanTests: KillEngineTestCase {
    private static let proxySession = ProxySession(id: 1 << 63, cluster: "c", tenant: "t1", transactionCount: 4)
    private static let held = ServerSession(id: 16, connectionID: 3_221_579_563, address: "10.0.0.1:2881")

    /// Makes the scripted server a proxy. Its session 3 has the connection 3221225475.
    private func makeProxy(_ change: @escaping @Sendable (inout ProxySession) -> Void = { _ in }) async {
        await server.set { server in
            server.connectionIDs = [3_221_225_475: 3]
            server.serverSessions = [3: [Self.held]]
            server.fingerprint.startedAt = nil
            server.fingerprint.connectionCount = nil
            for index in server.sessions.indices {
                var proxy = Self.proxySession
                proxy.id += UInt64(server.sessions[index].id.rawValue)
                change(&proxy)
                server.sessions[index].identity.user = "app@t1"
                server.sessions[index].identity.proxy = proxy
            }
        }
    }

    private func prepare(endOf names: [ServerSessionName]) async throws -> KillPlan {
        try await engine.prepare(.serverSessions(names), on: instance, for: "ci", recordHistory: true)
    }

    private func assertRefused(
        _ expected: PreparationError, file: StaticString = #filePath, line: UInt = #line,
        _ prepare: () async throws -> KillPlan
    ) async {
        do {
            _ = try await prepare()
            XCTFail("prepared", file: file, line: line)
        } catch {
            XCTAssertEqual(error as? PreparationError, expected, file: file, line: line)
        }
    }

    func testAConnectionIDStandsForItsSession() async throws {
        await makeProxy()
        let plan = try await prepare([3_221_225_475, 3, 5])
        XCTAssertEqual(plan.content.threads.map(\.id), [3, 5])
        let report = try await commit(plan)
        XCTAssertEqual(report.outcomes, [3: .killed, 5: .killed])
    }

    func testAConnectionIDOfNoSessionIsRefused() async throws {
        await makeProxy()
        await assertRefused(.unknownConnectionID(3_221_225_476)) { try await prepare([3, 3_221_225_476]) }
        // One that a session could have is pinned as absent, as everywhere.
        let plan = try await prepare([999])
        XCTAssertNil(plan.content.threads[0].session)
        // A server's own sessions may have such ids.
        await server.set { $0.connectionIDs = nil }
        let other = try await prepare([3_221_225_476])
        XCTAssertNil(other.content.threads[0].session)
    }

    func testASessionThatNothingTellsFromAnotherIsRefused() async throws {
        await makeProxy { $0.id = $0.id & 0xFFFF == 5 ? 0 : $0.id }
        await assertRefused(.notPinnable(5)) { try await prepare([3, 5]) }
        let plan = try await prepare([3])
        XCTAssertEqual(plan.content.threads.count, 1)
    }

    func testWhateverAProxyTellsHasToBeTheSameAtCommit() async throws {
        let changes: [@Sendable (inout ProxySession) -> Void] = [
            { $0.id += 1 }, { $0.cluster = "d" }, { $0.tenant = "t2" }, { $0.transactionCount = 3 }, { $0.id = 0 },
        ]
        for change in changes {
            await makeProxy()
            let plan = try await prepare([3])
            await makeProxy(change)
            let report = try await commit(plan)
            XCTAssertEqual(report.outcomes, [3: .replaced])
        }
        await makeProxy()
        let plan = try await prepare([3])
        await makeProxy { $0.transactionCount = 5 }
        let report = try await commit(plan)
        XCTAssertEqual(report.outcomes, [3: .killed])
    }

    func testAPlanForAServerDoesNotFitAProxyInItsPlace() async throws {
        let plan = try await prepare([3])
        await makeProxy()
        do {
            _ = try await commit(plan)
            XCTFail("committed")
        } catch {
            XCTAssertEqual(error as? KillError, .stale(.anotherServer, afterInterruption: false))
        }
        let kills = await server.kills
        XCTAssertEqual(kills, [])
    }

    func testASessionThatADatabaseServerStillEndsIsNeitherKilledNorSpared() async throws {
        await makeProxy()
        await server.set { server in
            server.afterKill = { $0 }
            server.stillDying = [3]
        }
        let report = try await commit(prepare([3, 5]))
        XCTAssertEqual(report.outcomes[3], .unknown)
        XCTAssertEqual(report.outcomes[5]?.kind, .failed)
        XCTAssertEqual(report.killed, [])
    }

    func testTheDatabasesOwnLoginsAreProtected() async throws {
        await makeProxy()
        await server.set { $0.systemSessions = [3] }
        let report = try await commit(prepare([3, 5]))
        XCTAssertEqual(report.outcomes, [3: .protected(.protectedUser), 5: .killed])
    }

    func testAProtectedNameIsProtectedInEveryTenant() {
        func protection(_ name: String) -> Protection? {
            var session = Session.idle(3, user: "app@t1")
            session.identity.proxy = Self.proxySession
            return ProtectionRules(protectedUsers: [name], ownThreadIDs: []).protection(of: session)
        }
        XCTAssertEqual(protection("app"), .protectedUser)
        XCTAssertEqual(protection("app@t1"), .protectedUser)
        for other in ["app@t2", "t1", "ap", "app@"] { XCTAssertNil(protection(other), other) }
        // Without a proxy the name is the whole name.
        let rules = ProtectionRules(protectedUsers: ["app"], ownThreadIDs: [])
        XCTAssertNil(rules.protection(of: .idle(3, user: "app@t1")))
    }

    // MARK: One server session of a client's

    func testAServerSessionIsPinnedAndAloneEnds() async throws {
        await makeProxy()
        let plan = try await prepare(endOf: [ServerSessionName(thread: 3_221_225_475, serverSession: 16)])
        XCTAssertEqual(plan.content.threads.map(\.session?.identity.proxy?.serverSession), [Self.held])
        let whole = try await prepare([3])
        XCTAssertNotEqual(plan.content.threads, whole.content.threads)
        let report = try await commit(plan)
        XCTAssertEqual(report.outcomes, [3: .killed])
        let isThere = await server.sessions.contains { $0.id == 3 }
        XCTAssertTrue(isThere, "the client's session lives on")
        let targets = await server.targets
        XCTAssertEqual(targets.map(\.proxy?.serverSession), [Self.held])
    }

    func testAfterAnInterruptionAServerSessionThatIsGoneHasEnded() async throws {
        await makeProxy()
        let plan = try await prepare(endOf: [ServerSessionName(thread: 3, serverSession: 16)])
        let claimed = try await store.claim(plan.name, intending: [3], at: clock.now())
        XCTAssertTrue(claimed)
        await server.set { server in
            server.serverSessions = [:]
            server.answerToKill = { _ in .noSuchThread }
        }
        let report = try await commit(plan)
        XCTAssertEqual(report.outcomes, [3: .ended])
    }

    func testServerSessionsThatCannotBePlannedAreRefused() async throws {
        await makeProxy()
        await assertRefused(.unknownServerSession(17, of: 3)) {
            try await prepare(endOf: [ServerSessionName(thread: 3, serverSession: 17)])
        }
        await assertRefused(.unknownServerSession(16, of: 999)) {
            try await prepare(endOf: [ServerSessionName(thread: 999, serverSession: 16)])
        }
        await server.set { $0.serverSessions[3]?.append(ServerSession(id: 17, connectionID: 1, address: "a")) }
        await assertRefused(.sessionNamedTwice(3)) {
            try await prepare(endOf: [16, 17].map { ServerSessionName(thread: 3, serverSession: $0) })
        }
        let plan = try await prepare(endOf: [16, 16].map { ServerSessionName(thread: 3, serverSession: $0) })
        XCTAssertEqual(plan.content.threads.count, 1)

        await server.set { $0.connectionIDs = nil }
        await assertRefused(.serverSessionsUnsupported) {
            try await prepare(endOf: [ServerSessionName(thread: 3, serverSession: 16)])
        }
    }
}
