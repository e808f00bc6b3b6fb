import SeededRandom
import APIClient
import CSQLite
import Foundation

/// Real crashes: killd is killed at random moments of its Commits, started anew
/// and asked to finish them. Prints what was dead then, what was reported, and
/// the errors after which a Commit had to be repeated.
///
/// Arguments: how many rounds, a seed, and `mysql` for MySQL in place of MariaDB.
///
/// - Throws: if anything did not hold.
func torture(_ killd: Killd, in folder: String, arguments: [String]) throws {
    let numbers = arguments.compactMap { UInt64($0) }
    let kind = arguments.contains("mysql") ? TargetServer.Kind.mysql : .mariadb
    let seed = numbers.dropFirst().first ?? UInt64.random(in: 0..<1_000_000)
    guard numbers.count + (kind == .mysql ? 1 : 0) == arguments.count, numbers.count <= 2 else {
        throw BenchmarkError("usage: killd-benchmark torture [rounds [seed]] [mysql]")
    }
    let torture = try Torture(killd, in: folder, on: TargetServer(kind), seed: seed)
    defer { torture.stop() }
    try torture.run(rounds: Int(numbers.first ?? 50))
}

private final class Torture {
    private let killd: Killd
    private let folder: String
    private let server: TargetServer
    private let seed: UInt64
    private var random: SplitMix64
    private let bystanders: Bystanders
    private var configuration: String
    private var service: Killd.Server
    /// From the sending of a Commit to its response.
    private var commitTime = Duration.milliseconds(1)
    /// From the sending of a Commit to the KILLs, as far as the crashes so far tell.
    private var killTime = Duration.milliseconds(1)

    private static let sessionCount = 200
    /// A store is looked through after every round, which takes longer the more is in it.
    private static let roundsOfAStore = 20
    /// How often a Commit is sent until it reports. An error says that there is no report yet, not that one is wrong.
    private static let mostAttempts = 20
    private static let pauseAfterError: UInt32 = 250_000

    init(_ killd: Killd, in folder: String, on server: TargetServer, seed: UInt64) throws {
        self.killd = killd
        self.folder = folder
        self.server = server
        self.seed = seed
        random = SplitMix64(seed: seed)
        bystanders = try Bystanders(on: server)
        configuration = try Killd.configuration(in: folder, databasePort: server.port)
        service = try Killd.Server(killd, configuration: configuration)
    }

    func stop() {
        service.kill()
        server.stop()
    }

    // MARK: Rounds

    func run(rounds: Int) throws {
        print("\(server.name), seed \(seed): \(rounds) crashes in Commits of \(Self.sessionCount) sessions")
        try measureCommits()
        var sum = Summary()
        let start = ContinuousClock.now
        for number in 1...max(1, rounds) {
            if number % Self.roundsOfAStore == 0 { try beginNewStore() }
            let round = try crash()
            print("round \(number): \(round)")
            for error in Set(round.errors).sorted() {
                print("round \(number), seed \(seed): \(round.errors.count { $0 == error }) × \(error)")
            }
            for violation in round.violations { print("round \(number), seed \(seed): VIOLATION: \(violation)") }
            sum.add(round)
            fflush(nil)
        }
        print("\(sum), \(decimal((ContinuousClock.now - start) / .seconds(1) / Double(max(1, rounds)))) s a round")
        guard sum.violations == 0 else { throw BenchmarkError("\(sum.violations) violations, seed \(seed)") }
    }

    private func measureCommits() throws {
        var times: [Duration] = []
        for _ in 0..<5 {
            let victims = try ClientSessions(Self.sessionCount, on: server)
            let ticket = try prepare(victims.threadIDs)
            let start = ContinuousClock.now
            let response = try commit(ticket)
            times.append(ContinuousClock.now - start)
            guard response.threads == victims.threadIDs else { throw BenchmarkError("a Commit answered \(response)") }
        }
        commitTime = median(times)
        killTime = commitTime / 2
    }

    private func beginNewStore() throws {
        service.kill()
        let store = try Killd.store(in: configuration)
        for suffix in ["", "-wal", "-shm", ".lock"] { unlink(store + suffix) }
        unlink(configuration)
        configuration = try Killd.configuration(in: folder, databasePort: server.port)
        service = try Killd.Server(killd, configuration: configuration)
    }

    private func crash() throws -> Round {
        let victims = try ClientSessions(Self.sessionCount, on: server)
        return try withExtendedLifetime(victims) {
            let ids = victims.threadIDs
            let ticket = try prepare(ids)
            // Half of them anywhere, and a little longer than a Commit takes: also the moment right after its response
            // is one. The others about where the KILLs are sent, which takes a small part of the time.
            let (isAimed, fraction) = (random.next() & 1 == 1, Double(random.next() >> 11) / Double(1 << 53))
            let moment = isAimed ? killTime * (0.7 + fraction * 0.6) : commitTime * (fraction * 1.2)
            let request = try SignedCall.commit(ticket, port: service.port).message
            let connection = try LoopbackSocket.connected(to: service.port)
            connection.setDeadline(seconds: 60)
            let start = ContinuousClock.now
            try connection.send(request)
            usleep(UInt32(max(0, (moment - (ContinuousClock.now - start)) / .microseconds(1))))
            service.kill()
            let listedAtCrash = try listed()

            var round = Round(moment: moment, deadAtCrash: ids.count { !listedAtCrash.contains($0) })
            if isAimed, round.deadAtCrash == 0 { killTime = killTime * 1.05 }
            if isAimed, round.deadAtCrash == ids.count { killTime = killTime / 1.05 }
            var body: [UInt8] = []
            while let bytes = connection.receive() { body += bytes }
            if let end = body.firstRange(of: Array("\r\n\r\n".utf8)) {
                if let response = try? KillResponse(Array(body[end.upperBound...])) {
                    round.add(response)
                    round.wasReported = response.error == nil
                } else {
                    round.errors.append("a response that breaks off")
                }
            }
            service = try Killd.Server(killd, configuration: configuration)
            for _ in 0..<2 { try repeatCommit(ticket, &round) }
            try check(&round, ids, ticket)
            return round
        }
    }

    /// Commits a plan until that gives a report.
    private func repeatCommit(_ ticket: String, _ round: inout Round) throws {
        for _ in 0..<Self.mostAttempts {
            let response = try commit(ticket)
            round.add(response)
            guard response.error != nil else { return }
            usleep(Self.pauseAfterError)
        }
        round.violations.append("a Commit gave no report in \(Self.mostAttempts) attempts")
    }

    private func check(_ round: inout Round, _ ids: [UInt], _ ticket: String) throws {
        let alive = try listed()
        let store = try Killd.store(in: configuration)
        let outcomes = try outcomes(of: ticket, in: store)
        let threads = ids.filter { outcomes[$0].map(Round.dead.contains) == true }
        if Set(round.reports).count > 1 {
            round.violations.append("a Commit reported in several ways: \(round.reports)")
        }
        if round.reports.contains(where: { $0.threads != threads }) {
            round.violations.append("a Commit reported \(round.reports), the store has \(threads.count) threads")
        }
        for (outcome, ids) in Dictionary(grouping: ids, by: { outcomes[$0] ?? "nothing" }) {
            round.outcomes[outcome] = ids.count
            let wrong = ids.filter { alive.contains($0) == Round.dead.contains(outcome) }
            guard let first = wrong.first else { continue }
            round.violations.append(
                "\(wrong.count) are \(alive.contains(first) ? "alive" : "dead"), reported as \(outcome), such as \(first)"
            )
        }
        do { try bystanders.check() } catch { round.violations.append("\(error)") }
        let check = try query("PRAGMA integrity_check", in: store)
        if check.map(\.first) != ["ok"] { round.violations.append("the store is damaged: \(check)") }
    }

    // MARK: What is asked

    /// Those of the sessions to kill that the server lists.
    private func listed() throws -> Set<UInt> {
        let list = try server.column(
            of: "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '\(TargetServer.application)'")
        return Set(list.compactMap { UInt($0) })
    }

    private func outcomes(of ticket: String, in store: String) throws -> [UInt: String] {
        let rows = try query(
            """
            SELECT thread_id, outcome FROM threads
            WHERE plan = (SELECT id FROM plans WHERE sql_exec_id = '\(ticket)') AND outcome IS NOT NULL
            """, in: store)
        return rows.reduce(into: [:]) { outcomes, row in
            if let id = UInt(row[0]) { outcomes[id] = row[1] }
        }
    }

    private func prepare(_ threads: [UInt]) throws -> String {
        // killd may refuse for some seconds to prepare on a server that has just started.
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            let response = try exchange(SignedCall.prepare(threads, port: service.port))
            if let ticket = response.ticket { return ticket }
            guard ContinuousClock.now < deadline else { throw BenchmarkError("a Prepare answered \(response)") }
            usleep(100_000)
        }
    }

    private func commit(_ ticket: String) throws -> KillResponse {
        try exchange(SignedCall.commit(ticket, port: service.port))
    }

    private func exchange(_ request: SignedCall) throws -> KillResponse {
        try KillResponse(Killd.conversation(port: service.port).exchange(request.message).body)
    }
}

/// One crash and what came of it.
private struct Round: CustomStringConvertible {
    let moment: Duration
    let deadAtCrash: Int
    /// The responses without an error.
    var reports: [KillResponse] = []
    var errors: [String] = []
    /// Whether the first Commit reported before the crash.
    var wasReported = false
    var outcomes: [String: Int] = [:]
    var violations: [String] = []

    /// The outcomes that say that a session has ended of its KILL, or may have.
    static let dead: Set = ["killed", "rolling-back", "xa-prepared", "xa-unknown", "already-committed", "ended"]

    mutating func add(_ response: KillResponse) {
        if let error = response.error { errors.append(error) } else { reports.append(response) }
    }

    var description: String {
        "killed after \(milliseconds(moment)), \(deadAtCrash) dead then; reported \(counted(outcomes))"
    }
}

private struct Summary: CustomStringConvertible {
    private var untouched = 0
    private var amidst = 0
    private var finished = 0
    private var answered = 0
    private var outcomes: [String: Int] = [:]
    private var errors = 0
    private(set) var violations = 0

    mutating func add(_ round: Round) {
        switch round.deadAtCrash {
        case 0: untouched += 1
        case round.outcomes.values.reduce(0, +): finished += 1
        default: amidst += 1
        }
        if round.wasReported { answered += 1 }
        errors += round.errors.count
        outcomes.merge(round.outcomes, uniquingKeysWith: +)
        violations += round.violations.count
    }

    var description: String {
        """
        at the crash none was dead in \(untouched) rounds, some in \(amidst), all in \(finished), of which \(answered) \
        had been answered; reported \(counted(outcomes)); \(errors) errors before a report; \(violations) violations
        """
    }
}

private func counted(_ numbers: [String: Int]) -> String {
    numbers.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
}

/// All rows of what `sql` returns, as text.
private func query(_ sql: String, in store: String) throws -> [[String]] {
    var handle: OpaquePointer?
    var statement: OpaquePointer?
    defer {
        sqlite3_finalize(statement)
        sqlite3_close(handle)
    }
    func failure() -> BenchmarkError { BenchmarkError("\(store): \(String(cString: sqlite3_errmsg(handle)))") }
    guard sqlite3_open_v2(store, &handle, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK,
        sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK
    else { throw failure() }
    var rows: [[String]] = []
    while true {
        switch sqlite3_step(statement) {
        case SQLITE_ROW:
            rows.append(
                (0..<sqlite3_column_count(statement)).map { column in
                    sqlite3_column_text(statement, column).map { String(cString: $0) } ?? ""
                })
        case SQLITE_DONE: return rows
        default: throw failure()
        }
    }
}
