import MySQLSessions
import SQLiteStore
import ScriptedServers
import SessionKill
import TestSupport
import XCTest

/// The same scene on a real server and on a scripted one looks alike, and answers alike.
final class HonestyTests: XCTestCase {
    /// An idle session, one that holds a row's lock, one that waits for it, and one that sleeps in a statement.
    private struct RealScene {
        let clients: ClientSessions
        let idle, holder, waiter, sleeper: ThreadID
        let hosts: [ThreadID: String]
        let server: MySQLServer

        init(on real: RealServer, as user: String) async throws {
            clients = try await ClientSessions.open(4, on: real)
            let ids = await clients.threadIDs
            idle = ids[0]
            holder = ids[1]
            waiter = ids[2]
            sleeper = ids[3]
            for index in 0..<4 { try await clients.run("USE d", on: index) }
            try await clients.run("CREATE TABLE IF NOT EXISTS d.honest (id INT PRIMARY KEY, v INT) ENGINE=InnoDB")
            try await clients.run("REPLACE INTO d.honest VALUES (1, 0)")
            try await clients.run("BEGIN", on: 1)
            try await clients.run("UPDATE d.honest SET v = 1 WHERE id = 1", on: 1)
            try await clients.send("UPDATE d.honest SET v = 2 WHERE id = 1", on: 2)
            try await clients.send("SELECT SLEEP(60)", on: 3)
            // Without TLS, MySQL asks for a proof of the password that a wrong one is not even tried for.
            let server = MySQLServer(
                real.configuration(user: user, tls: real.kind == .mysql ? .required : .disabled))
            self.server = server
            var hosts: [ThreadID: String] = [:]
            try await eventually("the lock wait is shown", pause: .milliseconds(300)) { [ids] in
                let sessions = try await server.observe(.locks).sessions
                hosts = Dictionary(uniqueKeysWithValues: sessions.map { ($0.id, $0.identity.host) })
                return sessions.first { $0.id == ids[2] }?.details.transaction?.state == "LOCK WAIT"
                    && sessions.contains { $0.id == ids[3] && $0.details.command == "Query" }
            }
            self.hosts = hosts
        }

        var ids: [ThreadID] { [idle, holder, waiter, sleeper] }

        /// The same in a seed.
        func seed(_ kind: RealServer.Kind, showsPerformanceSchema: Bool) throws -> Seed {
            func host(_ id: ThreadID) -> String { hosts[id] ?? "" }
            return try Seed(
                json: Array(
                    """
                    {"instances":[{"id":"cdb-1","kind":"\(kind == .mysql ? "mysql" : "mariadb")",
                    "server":{"performanceSchema":\(showsPerformanceSchema),
                    "users":[{"name":"app2","password":"pw"}]},
                    "sessions":[
                    {"id":\(idle),"user":"app","host":"\(host(idle))","db":"d"},
                    {"id":\(holder),"user":"app","host":"\(host(holder))","db":"d","transaction":{"rows":1},
                     "holds":[{"kind":"row","object":"d.honest"}]},
                    {"id":\(waiter),"user":"app","host":"\(host(waiter))","db":"d",
                     "info":"UPDATE d.honest SET v = 2 WHERE id = 1","waitsFor":\(holder)},
                    {"id":\(sleeper),"user":"app","host":"\(host(sleeper))","db":"d","info":"SELECT SLEEP(60)",
                     "state":"User sleep"}
                    ]}]}
                    """.utf8))
        }
    }

    /// What clients see of a session, without what two moments or machines tell apart.
    private func shape(_ session: Session) -> String {
        let (identity, details) = (session.identity, session.details)
        let transaction = details.transaction.map {
            "\($0.state) with \($0.rowsModified ?? 0) rows\($0.id == nil ? "" : ", has an id")"
        }
        return """
            \(identity.user) \(identity.host) db \(details.database ?? "-") command \(details.command) \
            state \(details.state ?? "-") statement \(details.statement ?? "-") \
            seconds \(details.seconds == nil ? "-" : "+") transaction \(transaction ?? "-") XA \(details.preparedXA) \
            thread id \(identity.performanceSchemaThreadID == nil ? "-" : "+")
            """
    }

    private func shapeOfServer(_ observation: ServerObservation) -> [String] {
        let fingerprint = observation.fingerprint
        let mark = fingerprint.startMark?.wholeMatch(of: /[0-9a-f]{4}-[0-9a-f]{12}/) == nil ? "-" : "clock and node"
        return [
            "unique id \(fingerprint.uniqueID == nil ? "-" : "+"), start \(fingerprint.startedAt == nil ? "-" : "+")",
            "start mark \(mark), connections \(fingerprint.connectionCount == nil ? "-" : "+")",
            "uptime \(observation.uptime == nil ? "-" : "+"), sees all \(observation.seesAllSessions)",
            "lacks \(observation.missingKillPrivilege ?? "-")",
            "connection \(observation.connection == nil ? "-" : "+"), ids \(observation.connectionIDs == nil ? "-" : "+")",
            "own are listed \(observation.ownThreadIDs.isSubset(of: observation.sessions.map(\.id)))",
        ]
    }

    private func onBoth(
        showsPerformanceSchema: Bool,
        _ body: (RealScene, MySQLServer, ScriptedServer, SceneClock) async throws -> Void
    ) async throws {
        try await onEveryServer { real in
            let user = showsPerformanceSchema ? "killd_ps" : "killd"
            if showsPerformanceSchema {
                let root = try await real.administrator()
                let admin = real.kind == .mariadb ? "CONNECTION ADMIN" : "CONNECTION_ADMIN"
                try await root.query(RealServer.creation(of: user))
                try await root.query("GRANT PROCESS, \(admin) ON *.* TO \(user)@'%'")
                try await root.query("GRANT SELECT ON performance_schema.* TO \(user)@'%'")
                await root.close()
                try await real.remember(user)
            }
            let scene = try await RealScene(on: real, as: user)
            let time = SceneClock()
            let showsPerformanceSchema = showsPerformanceSchema && real.kind == .mysql
            let seed = try scene.seed(real.kind, showsPerformanceSchema: showsPerformanceSchema)
            let scripted = ScriptedServer(seed.instances[0].server, name: "cdb-1", clock: time.clock)
            try await body(scene, scene.server, scripted, time)
            await scene.server.close()
        }
    }

    func testSessionsAndTheirLocksLookAlike() async throws {
        for showsPerformanceSchema in [true, false] {
            try await onBoth(showsPerformanceSchema: showsPerformanceSchema) { scene, real, scripted, _ in
                let (first, second) = (try await real.observe(.locks), try await scripted.observe(.locks))
                XCTAssertEqual(shapeOfServer(first), shapeOfServer(second))
                for id in scene.ids {
                    let pair = [first, second].map { $0.sessions.first { $0.id == id }.map(shape) }
                    XCTAssertEqual(pair[0], pair[1])
                }
                func waits(_ observation: ServerObservation) -> Set<LockWait> {
                    Set(observation.lockWaits.known.filter { scene.ids.contains($0.waiter) })
                }
                XCTAssertEqual(waits(first), waits(second))
                XCTAssertEqual(
                    first.lockWaits.unexplained.intersection(scene.ids),
                    second.lockWaits.unexplained.intersection(scene.ids))
                let lists = [try await real.list(), try await scripted.list()].map { list in
                    list.sessions.filter { scene.ids.contains($0.id) }.map(shape)
                }
                XCTAssertEqual(lists[0].sorted(), lists[1].sorted())
            }
        }
    }

    func testKillsAreAnsweredAlike() async throws {
        for showsPerformanceSchema in [true, false] {
            try await onBoth(showsPerformanceSchema: showsPerformanceSchema) { scene, real, scripted, time in
                var answers: [[String]] = []
                for server in [real, scripted] as [any DatabaseServer] {
                    let answer = try await server.withConnection { connection in
                        let list = try await connection.observe(.sessions).sessions
                        func identity(_ id: ThreadID) throws -> SessionIdentity {
                            try XCTUnwrap(list.first { $0.id == id }).identity
                        }
                        var stranger = try identity(scene.sleeper)
                        stranger.user = "app2"
                        let gone = SessionIdentity(id: 4_000_000_000, user: "app", host: "10.0.0.7:1")
                        let victims = [try identity(scene.idle), stranger, gone]
                        let responses = await connection.kill(victims)
                        var present: Set<ThreadID> = [scene.idle]
                        try await eventually("its end", pause: .milliseconds(20)) {
                            present = try await connection.present(among: victims)
                            return !present.contains(scene.idle)
                        }
                        return responses.map { "\($0)" } + ["\(present.contains(4_000_000_000))"]
                    }
                    answers.append(answer)
                }
                XCTAssertEqual(answers[0], answers[1])
                let left = await scene.clients.threadIDs.count
                XCTAssertEqual(left, 4)
            }
        }
    }

    func testWhoMayNotIsRefusedAlike() async throws {
        try await onBoth(showsPerformanceSchema: false) { scene, real, scripted, _ in
            var answers: [[String]] = []
            let servers: [(any DatabaseServer, String)] = [(real, RealServer.password), (scripted, "pw")]
            for (server, password) in servers {
                let list = try await server.observe(.sessions).sessions
                let victim = try XCTUnwrap(list.first { $0.id == scene.idle })
                var answer: [String] = []
                let login = try DatabaseLogin(user: "app2", password: DatabasePassword(password))
                answer += try await server.withConnection(as: login) { connection in
                    let view = try await connection.observe(.server)
                    var words = ["\(view.seesAllSessions)", view.missingKillPrivilege ?? "-"]
                    do throws(ServerError) {
                        _ = try await connection.observe(.sessions)
                    } catch {
                        words.append("\(error.reason)")
                    }
                    return words + (await connection.kill([victim.identity])).map { "\($0)" }
                }
                do {
                    let wrong = try DatabaseLogin(user: "app2", password: DatabasePassword("wrong"))
                    try await server.withConnection(as: wrong) { _ in }
                } catch let error as ServerError {
                    answer.append("\(error.reason) \(error.code)")
                }
                answers.append(answer)
            }
            XCTAssertEqual(answers[0], answers[1])
        }
    }

    func testPlansEndAlike() async throws {
        try await onBoth(showsPerformanceSchema: true) { scene, real, scripted, time in
            let gone: ThreadID = 4_000_000_000
            var reports: [[ThreadID: Outcome]] = []
            for server in [real, scripted] as [any DatabaseServer] {
                let folder = try TestFolder()
                let isReal = server is MySQLServer
                let store = try await SQLiteStore.open(path: folder.file("plans.sqlite"), at: time.now)
                let engine = KillEngine(
                    store: store, settings: .init(planLifetime: 600, killWait: .seconds(5)),
                    clock: isReal ? .init(now: { time.now }, sleep: { try await Task.sleep(for: $0) }) : time.clock)
                let instance = Instance(id: InstanceID(rawValue: "cdb-1"), server: server, protectedUsers: [])
                let plan = try await engine.prepare(
                    .threads([scene.idle, gone, scene.holder]), on: instance, for: "ci", recordHistory: true)
                reports.append(try await engine.commit(plan.sqlExecID, on: instance, for: "ci").outcomes)
                // Who waited for the lock goes on.
                try await eventually("the waiter goes on", pause: .milliseconds(300)) {
                    let waiter = try await server.observe(.transactions).sessions.first { $0.id == scene.waiter }
                    return waiter.map { $0.details.command == "Sleep" && $0.details.transaction == nil } == true
                }
            }
            XCTAssertEqual(reports[0], reports[1])
        }
    }
}
