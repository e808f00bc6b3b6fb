import Foundation
import Synchronization

/// Idle sessions, which end with this value at the latest.
struct ClientSessions {
    private let connections: [DatabaseConnection]

    var threadIDs: [UInt] { connections.map(\.threadID) }

    init(_ count: Int, on server: TargetServer, as user: String = TargetServer.application) throws {
        let opened = Mutex<[DatabaseConnection]>([])
        let failure = Mutex<(any Error)?>(nil)
        // While one waits for the server, another can compute its response to the challenge.
        let openers = 4
        DispatchQueue.concurrentPerform(iterations: openers) { opener in
            do {
                for _ in stride(from: opener, to: count, by: openers) {
                    let connection = try server.connect(as: user)
                    opened.withLock { $0.append(connection) }
                }
            } catch {
                failure.withLock { $0 = error }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
        // As every list of sessions shows them.
        connections = opened.withLock { $0 }.sorted { $0.threadID < $1.threadID }
    }

    /// Runs a statement on each of them.
    func run(_ sql: String) throws { for connection in connections { try connection.execute(sql) } }

    /// Whether all of them still answer.
    func allAnswer() -> Bool {
        connections.allSatisfy { (try? $0.value(of: "SELECT CONNECTION_ID()")) == "\($0.threadID)" }
    }
}

/// Sessions that nobody means to kill.
struct Bystanders {
    /// A user of their own: pt-kill chooses its victims by the user.
    static let user = "bystander"
    private let sessions: ClientSessions

    init(on server: TargetServer) throws {
        sessions = try ClientSessions(20, on: server, as: Self.user)
    }

    func check() throws {
        guard sessions.allAnswer() else { throw BenchmarkError("a bystander was hit") }
    }
}
