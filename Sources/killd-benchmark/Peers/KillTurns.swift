import Foundation

/// Kills of as many sessions by one way as by another, in turns, so that a change
/// of the machine's speed meets both.
struct KillTurns {
    private(set) var pairs: [(killd: Duration, peer: Duration)] = []

    /// - Parameters:
    ///   - sessions: how many are killed in each turn by either.
    ///   - command: what each of them has run before; nothing if nil.
    ///   - killd: kills what it is given and returns the time it took; so does `peer`.
    init(
        _ count: Int, of sessions: Int, thatRan command: String? = nil, on server: TargetServer,
        killd: ([UInt]) throws -> Duration, peer: ([UInt]) throws -> Duration
    ) throws {
        let bystanders = try Bystanders(on: server)
        func turn(_ kill: ([UInt]) throws -> Duration) throws -> Duration {
            let victims = try ClientSessions(sessions, on: server)
            if let command { try victims.run(command) }
            // Only the server ends them.
            let time = try withExtendedLifetime(victims) {
                let time = try kill(victims.threadIDs)
                try server.waitUntilApplicationIsGone()
                return time
            }
            try bystanders.check()
            return time
        }
        for _ in 0..<count { pairs.append((try turn(killd), try turn(peer))) }
    }

    var killd: Duration { median(pairs.map(\.killd)) }
    var peer: Duration { median(pairs.map(\.peer)) }
    var ratio: Double { median(pairs.map { $0.killd / $0.peer }) }

    /// - Parameter peer: what stands before its time.
    func measurement(_ name: String, peer: String, goal: String) -> Measurement {
        Measurement(
            name: "\(name), median of \(pairs.count) turns", killd: milliseconds(self.killd),
            peer: "\(peer): \(milliseconds(self.peer))", ratio: decimal(ratio), goal: goal)
    }
}

/// The bare way to end sessions: a loop that calls what a program in C would
/// call, from the sending of the first KILL to the last response.
func killLoop(
    _ threads: [UInt], over connection: DatabaseConnection, statement: String = "KILL"
) throws -> Duration {
    let start = ContinuousClock.now
    for thread in threads { try connection.execute("\(statement) \(thread)") }
    return ContinuousClock.now - start
}

/// Rows of both kinds of server; one that this machine cannot run gets a row
/// that says why.
func onEachServer(
    _ name: String, goal: String, options: [String] = [], _ measure: (TargetServer) throws -> [Measurement]
) throws -> [Measurement] {
    try TargetServer.Kind.allCases.flatMap { kind in
        do {
            let server = try TargetServer(kind, options: options)
            defer { server.stop() }
            return try measure(server)
        } catch let reason as NotMeasured {
            return [Measurement(name: "\(name), \(kind.rawValue)", killd: "\(reason)", goal: goal)]
        }
    }
}

func median(_ times: [Duration]) -> Duration { times.sorted()[times.count / 2] }

func milliseconds(_ time: Duration) -> String { "\(decimal(time / .milliseconds(1))) ms" }
