import SQLiteStore
import ScriptedServers
import SessionKill
import TestSupport
import XCTest

/// Whatever killd can report, a seed makes: each with a real engine over a real store, on scripted servers.
final class EveryReportTests: XCTestCase {
    private struct Case: Sendable {
        let report: Report
        let file: String
        let instance: String?
        let play: @Sendable (Scene) async throws -> Set<Report>

        init(
            _ report: Report, _ file: String, _ instance: String? = nil,
            _ play: @escaping @Sendable (Scene) async throws -> Set<Report>
        ) {
            (self.report, self.file, self.instance, self.play) = (report, file, instance, play)
        }

        /// Prepares and commits these.
        init(_ report: Report, _ file: String, _ instance: String? = nil, commit ids: [ThreadID]) {
            self.init(report, file, instance) { try await $0.reports(ids) }
        }
    }

    func testEachIsReportedOfTheSeedThatMakesIt() async throws {
        for each in Self.cases {
            let scene = try await Scene(each.file, each.instance)
            let reports: Set<Report>
            do {
                reports = try await each.play(scene)
            } catch {
                reports = try XCTUnwrap(Set<Report>(error), "\(each.report) of \(each.file): \(error)")
            }
            XCTAssertTrue(reports.contains(each.report), "\(each.report) of \(each.file): \(reports)")
        }
    }

    func testThereIsNoneThatNoSeedMakes() {
        let made = Set(Self.cases.map(\.report))
        XCTAssertEqual(Report.all.subtracting(made), Report.ofEarlierStores)
    }

    func testEveryFileOfSeedsIsOfSomeUse() throws {
        let used = Set(Self.cases.map(\.file)).union(["nodes", "locks"])
        XCTAssertEqual(Set(try Seed.files()).subtracting(used), [])
    }

    private static let cases: [Case] = [outcomes, failures, guards, errors, obstacles, servers, tasks, risks].flatMap {
        $0
    }

    private static let outcomes: [Case] = [
        Case(.outcome(.killed), "dies", commit: [21, 22]),
        Case(.outcome(.rollingBack), "rolls-back", commit: [41]),
        Case(.outcome(.gone), "between-the-stages", commit: [51]),
        Case(.outcome(.replaced), "between-the-stages", commit: [52]),
        Case(.outcome(.protected), "protected", commit: [14]),
        Case(.outcome(.denied), "answers-to-kill", commit: [31]),
        Case(.outcome(.xaPrepared), "prepared-transactions", "cdb-mariadb", commit: [71]),
        Case(.outcome(.xaUnknown), "prepared-transactions", "cdb-untold", commit: [72]),
        Case(.outcome(.alreadyCommitted), "semi-sync", commit: [81]),
        Case(.outcome(.failed), "answers-to-kill", commit: [33]),
        Case(.outcome(.ended), "dies") { scene in
            let plan = try await scene.prepare([21])
            scene.store.set { $0.fails = true }
            _ = try? await scene.commit(plan)
            return try await scene.reportsAfterRestart(plan)
        },
        Case(.outcome(.unknown), "connections", "cdb-lost-after", commit: [21]),
        Case(.denial(.byServer), "answers-to-kill", commit: [31]),
        Case(.denial(.ownSessionsOnly), "logins", "rm-standin") { try await $0.task(.threads([22]), as: "app") },
        Case(.protection(.eventScheduler), "protected", commit: [5]),
        Case(.protection(.systemThread), "protected", commit: [7]),
        Case(.protection(.replication), "protected", commit: [14]),
        Case(.protection(.protectedUser), "protected", commit: [20]),
        Case(.protection(.ownConnection), "protected") { scene in
            _ = try await scene.prepare([21])
            return try await scene.reports([22])
        },
        Case(.preparedXA(.absent), "prepared-transactions", "cdb-mysql") { try await $0.pinnedXA(72) },
        Case(.preparedXA(.present), "prepared-transactions", "cdb-mysql") { try await $0.pinnedXA(71) },
        Case(.preparedXA(.unknown), "prepared-transactions", "cdb-untold") { try await $0.pinnedXA(72) },
    ]

    private static let failures: [Case] = [
        Case(.failure(.outlivedKill), "answers-to-kill", commit: [33]),
        Case(.failure(.outlivedKillCommitted), "semi-sync", commit: [82]),
        Case(.failure(.refused), "answers-to-kill", commit: [32]),
        Case(.failure(.unkillable), "answers-to-kill", commit: [34]),
        Case(.failure(.notFoundByGuard), "answers-to-kill", commit: [35]),
        Case(.failure(.connectionBroke), "connections", "cdb-lost-before", commit: [21]),
        Case(.failure(.planExpired), "dies") { scene in
            let plan = try await scene.planOfCrash([21])
            scene.time.advance(by: .seconds(601))
            return try await scene.reportsAfterRestart(plan)
        },
        Case(.failure(.sparedByInterruptedCommit), "between-the-stages") { scene in
            let plan = try await scene.planOfCrash([57])
            scene.time.advance(by: .seconds(30))
            return try await scene.reportsAfterRestart(plan)
        },
        Case(.failure(.notPermitted), "dies") { scene in
            let (engine, forbidding) = (scene.engine, scene.authority(obstacle: .notPermitted))
            scene.store.set { $0.afterClaim = { engine.replace(forbidding) } }
            return try await scene.reports([21])
        },
        Case(.failure(.taskRevoked), "dies") { scene in
            try await scene.killTask(KillRule(user: "app")) { runner in
                let instance = scene.instance.id
                scene.store.set { $0.afterClaim = { try? await runner.cancel(on: instance, by: "standin") } }
            }
        },
        Case(.failure(.noLongerMatched), "between-the-stages") { scene in
            try await scene.killTask(KillRule(user: "batch", commands: ["Query"]))
        },
        Case(.failure(.taskInterrupted), "logins", "rm-goes-away") { try await $0.task(.threads([21]), as: nil) },
        Case(.failure(.loginRefused), "logins", "rm-standin") { scene in
            try await scene.task(.threads([21]), as: "dba", password: "wrong")
        },
        Case(.failure(.unknownConnection), "odp") { try await $0.task(.threads([3_221_487_700]), as: nil) },
        Case(.failure(.notPinnable), "odp") { try await $0.task(.threads([102]), as: nil) },
    ]

    private static let guards: [Case] = [
        Case(.killGuard(.threadID), "guards", "cdb-thread-id", commit: [21]),
        Case(.killGuard(.queryID), "guards", "cdb-query-id", commit: [21]),
        Case(.killGuard(.list), "guards", "cdb-list", commit: [21]),
        Case(.killGuard(.listBefore), "guards", "cdb-list-before", commit: [21]),
    ]

    private static let errors =
        [
            Case(.stale(.serverRestarted), "restarts", "cdb-restarts", commit: [21]),
            Case(.stale(.anotherServer), "restarts", "cdb-fails-over", commit: [21]),
            Case(.stale(.riskRose), "approvals", commit: [23]),
            Case(.killError(.planNotFound), "dies") { scene in
                let plan = try await scene.prepare([21])
                _ = try await scene.engine.commit(plan.sqlExecID, on: scene.instance, for: "ci")
                return []
            },
            Case(.killError(.expired), "dies") { scene in
                let plan = try await scene.prepare([21])
                scene.time.advance(by: .seconds(601))
                return try await scene.reports(plan)
            },
            Case(.killError(.stale), "restarts", "cdb-restarts", commit: [21]),
            Case(.killError(.notPermitted), "dies") { scene in
                scene.engine.replace(scene.authority(obstacle: .notPermitted))
                return try await scene.reports([21])
            },
            Case(.killError(.planAltered), "dies") { scene in
                let plan = try await scene.prepare([21])
                scene.store.set { $0.changesDigests = true }
                return try await scene.reports(plan)
            },
            Case(.killError(.beingCommitted), "dies") { scene in
                let database = scene.database
                // Another killd is first.
                scene.store.set { $0.beforeClaim = { _ = try await database.claim($0, $1) } }
                return try await scene.reports([21])
            },
            Case(.killError(.notApproved), "approvals", commit: [22]),
            Case(.killError(.decided), "approvals") { scene in
                let plan = try await scene.prepare([22])
                _ = try await scene.engine.decide(
                    .cancelled, on: plan.name, digest: nil, comment: nil, by: Caller("standin"), request: nil,
                    instance: scene.instance)
                return try await scene.reports(plan)
            },
            Case(.killError(.decisionRefused), "approvals") { scene in
                let plan = try await scene.prepare([21])
                _ = try await scene.engine.commit(
                    .named(plan.name, digest: "another"), on: scene.instance, for: Caller("standin"))
                return []
            },
            Case(.killError(.outcomesNotStored), "dies") { scene in
                scene.store.set { $0.fails = true }
                return try await scene.reports([21])
            },
        ]

    private static let obstacles: [Case] = KillObstacle.allCases.map { obstacle in
        Case(.obstacle(obstacle), "dies") { scene in
            scene.engine.replace(scene.authority(obstacle: obstacle))
            return try await scene.reports([21])
        }
    }

    private static let servers: [Case] = [
        Case(.serverError(.unreachable), "connections", "cdb-unreachable", commit: [21]),
        Case(.serverError(.tooManyConnections), "connections", "cdb-full", commit: [21]),
        Case(.serverError(.loginRefused), "connections", "cdb-login", commit: [21]),
        Case(.serverError(.tlsUnavailable), "connections", "cdb-tls", commit: [21]),
        Case(.serverError(.privilegeMissing), "privileges", "cdb-no-process", commit: [21]),
        Case(.serverError(.privilegeMissing), "privileges", "cdb-no-admin", commit: [21]),
        Case(.serverError(.behindProxy), "connections", "cdb-proxy", commit: [21]),
        Case(.serverError(.unexpectedKind), "connections", "cdb-kind", commit: [21]),
        Case(.serverError(.startedMomentsAgo), "restarts", "cdb-young", commit: [21]),
        Case(.serverError(.connectionLost), "connections", "cdb-lost-later") { scene in
            let plan = try await scene.prepare([21])
            scene.time.advance(by: .seconds(30))
            return try await scene.reports(plan)
        },
        Case(.serverError(.timedOut), "connections", "cdb-hangs", commit: [21]),
        Case(.serverError(.resultTooLarge), "connections", "cdb-large", commit: [21]),
        Case(.serverError(.other), "connections", "cdb-senseless", commit: [21]),
        Case(.preparationError(.unknownConnectionID), "odp", commit: [3_221_487_700]),
        Case(.preparationError(.notPinnable), "odp", commit: [102]),
        Case(.preparationError(.serverSessionsUnsupported), "dies") { try await $0.serverSessions([(21, 1)]) },
        Case(.preparationError(.unknownServerSession), "odp") { try await $0.serverSessions([(101, 9)]) },
        Case(.preparationError(.sessionNamedTwice), "odp") { try await $0.serverSessions([(101, 1), (101, 2)]) },
        Case(.preparationError(.historyNeeded), "approvals") { scene in
            _ = try await scene.prepare(.threads([22]), recordHistory: false)
            return []
        },
    ]

    private static let tasks: [Case] = [
        Case(.taskEnding(.success), "logins", "rm-standin") { try await $0.task(.threads([22]), as: "dba") },
        Case(.taskEnding(.failure), "answers-to-kill") { try await $0.task(.threads([31]), as: nil) },
        Case(.taskEnding(.error), "logins", "rm-goes-away") { try await $0.task(.threads([21]), as: nil) },
        Case(.taskOutcome(.decided), "logins", "rm-standin") { try await $0.task(.threads([22]), as: "dba") },
        Case(.taskOutcome(.ignoredUser), "logins", "rm-standin") { scene in
            try await scene.task(.all(ignoring: ["batch"]), as: "dba")
        },
        Case(.taskOutcome(.loginRefused), "logins", "rm-standin") { scene in
            try await scene.task(.threads([21]), as: "nobody")
        },
    ]

    private static let risks: [Case] = [
        Case(.risk(.rowsToUndo), "risks") { try await $0.risk([21]) },
        Case(.risk(.unknownRowsToUndo), "risks") { try await $0.risk([22]) },
        Case(.risk(.preparedXA), "risks") { try await $0.risk([23]) },
        Case(.risk(.definitionChange), "risks") { try await $0.risk([24]) },
        Case(.risk(.sessions), "risks") { try await $0.risk([21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33, 34]) },
        Case(.risk(.shareOfSessions), "risks") { try await $0.risk([31, 32, 33, 34, 35, 36, 37]) },
        Case(.risk(.globalLock), "risks") { try await $0.risk([25]) },
        Case(.risk(.userLock), "risks") { try await $0.risk([26]) },
        Case(.risk(.changingStatement), "risks") { try await $0.risk([27]) },
        Case(.risk(.backupClient), "risks") { try await $0.risk([28]) },
        Case(.grade(.low), "risks") { try await $0.risk([31]) },
        Case(.grade(.medium), "risks") { try await $0.risk([27]) },
        Case(.grade(.high), "risks") { try await $0.risk([24]) },
    ]
}

extension Scene {
    /// Commits a plan.
    func reports(_ plan: KillPlan) async throws -> Set<Report> {
        let report = try await commit(plan)
        let guards = try await outcomes(of: plan.name).guards
        return Set<Report>(report.outcomes.values).union(guards.values.map(Report.killGuard))
    }

    func reports(_ ids: [ThreadID]) async throws -> Set<Report> { try await reports(prepare(ids)) }

    /// A plan whose Commit was interrupted when its claim was on record.
    func planOfCrash(_ ids: [ThreadID]) async throws -> KillPlan {
        let plan = try await prepare(ids)
        store.set { $0.diesAfterClaim = true }
        do {
            _ = try await commit(plan)
            XCTFail("nothing was interrupted")
        } catch is StoreError {}
        return plan
    }

    /// Goes on with a plan's Commit after killd was started anew.
    func reportsAfterRestart(_ plan: KillPlan) async throws -> Set<Report> {
        Set<Report>(
            try await engineAfterRestart().commit(plan.sqlExecID, on: instance, for: account).outcomes.values)
    }

    func pinnedXA(_ id: ThreadID) async throws -> Set<Report> {
        let details = try await prepare([id]).content.threads.first?.session?.details
        return [.preparedXA(Report.XA(try XCTUnwrap(details).preparedXA))]
    }

    func risk(_ ids: [ThreadID]) async throws -> Set<Report> {
        let plan = try await prepare(ids)
        let risk = try XCTUnwrap(plan.content.review?.risk)
        return Set([Report.grade(risk.grade)] + risk.reasons.map { .risk($0.kind) })
    }

    func serverSessions(_ names: [(ThreadID, UInt64)]) async throws -> Set<Report> {
        _ = try await prepare(
            .serverSessions(names.map { ServerSessionName(thread: $0.0, serverSession: $0.1) }))
        return []
    }

    /// Runs a session task to its end.
    ///
    /// - Parameter user: as whom; `nil` for killd.
    func task(
        _ selection: Selection, as user: String?, password: String = "kills-nobody"
    ) async throws -> Set<Report> {
        let runner = SessionTaskRunner(engine: engine, store: database, clock: time.clock) { _ in }
        let login = try user.map { try DatabaseLogin(user: $0, password: DatabasePassword(password)) }
        let tasks = try await runner.create(
            selection, on: [instance], by: login.map { .login($0) } ?? .killd, for: account)
        let task = try XCTUnwrap(tasks.first)
        let database = database
        try await eventually("the end of the task", pause: .milliseconds(1)) {
            try await database.sessionTask(task.id)?.state != .running
        }
        let found = try await database.sessionTask(task.id)
        let stored = try XCTUnwrap(found)
        guard case .ended(let ending, _) = stored.state else { return [] }
        let decided = stored.sessions.compactMap(\.outcome).compactMap { outcome in
            if case .decided(let decided) = outcome { decided } else { Outcome?.none }
        }
        let ofPlan = try await outcomes(of: task.plan).outcomes.values
        return Set<Report>(decided + ofPlan)
            .union(stored.sessions.compactMap(\.outcome).map { .taskOutcome(Report.TaskOutcome($0)) })
            .union([.taskEnding(ending)])
    }

    /// Runs a kill task for a second.
    func killTask(
        _ rule: KillRule, before: (KillTaskRunner) async throws -> Void = { _ in }
    ) async throws -> Set<Report> {
        let runner = KillTaskRunner(engine: engine, store: database, clock: time.clock) { _ in }
        try await runner.load([instance]) { _ in nil }
        try await before(runner)
        await runner.start()
        _ = try await runner.create(rule, lasting: .seconds(30), on: instance, for: account)
        let (database, clock) = (database, time.clock)
        var plans: [SessionKill.PlanSummary] = []
        let query = PlanQuery(instances: [instance.id], limit: 100)
        try await eventually("a plan of the task", pause: .milliseconds(1)) {
            plans = try await database.plans(query, at: clock.now())
            return plans.contains { $0.status == .committed || $0.status == .abandoned }
        }
        await runner.stop(within: .seconds(1))
        var reports: Set<Report> = []
        for plan in plans { reports.formUnion(Set<Report>(try await outcomes(of: plan.name).outcomes.values)) }
        return reports
    }
}
