import Foundation
import Glibc

/// What a thread costs as plans grow, for killd and for the bare loop: where
/// the server itself takes longer for each, nobody can be flat.
func killGrowth(_ killd: Killd, in folder: String) throws -> [Measurement] {
    let name = "cost of a thread in a Prepare and Commit of 10, 100, 1000, 10000"
    let goal = "100 to 10000: ≤ 1.5 times 1000's"
    let openFiles = 12_000
    let mayOpenFiles = allowOpenFiles(rlim_t(openFiles))
    let options = mayOpenFiles ? ["--max-connections=10100", "--open-files-limit=\(openFiles)"] : []
    return try onEachServer(name, goal: goal, options: options) { server in
        var sizes = [10, 100, 1_000, 10_000]
        var note = ""
        if let reason = mayOpenFiles ? largePlanObstacle(sizes.last!, on: server) : "no more open files are allowed" {
            sizes.removeLast()
            note = " (10000 not measured: \(reason))"
        }
        let service = try Killd.Server(
            killd,
            configuration: try Killd.configuration(
                in: folder, databasePort: server.port, settings: ["maximumThreads": 10_000, "killWaitSeconds": 60]))
        defer { service.stop() }
        let client = try KillClient(service)
        let loop = try server.connect(as: TargetServer.killer)

        var costs: [(size: Int, killd: Double, loop: Double)] = []
        for size in sizes {
            let turns = try KillTurns(
                size > 1_000 ? 3 : 5, of: size, on: server, killd: { try client.kill($0) },
                peer: { try killLoop($0, over: loop) })
            costs.append((size, turns.killd / .microseconds(size), turns.peer / .microseconds(size)))
        }
        let large = costs.filter { $0.size >= 100 }
        guard let thousand = costs.first(where: { $0.size == 1_000 }), let largest = large.map(\.killd).max() else {
            return []
        }
        func list(_ values: [Double]) -> String { values.map(whole).joined(separator: ", ") + " µs" }
        return [
            Measurement(
                name: "\(name), \(server.name)\(note)", killd: list(costs.map(\.killd)),
                peer: "bare loop of `KILL n`: \(list(costs.map(\.loop)))", ratio: decimal(largest / thousand.killd),
                goal: goal)
        ]
    }
}

/// Raises the limit for this process and the servers that it starts.
func allowOpenFiles(_ count: rlim_t) -> Bool {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &limit) == 0 else { return false }
    if limit.rlim_cur >= count { return true }
    limit.rlim_cur = count
    // Above the hard limit only root may go.
    limit.rlim_max = max(limit.rlim_max, count)
    return setrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &limit) == 0
}

/// Why the server cannot have so many sessions: it is tried.
func largePlanObstacle(_ count: Int, on server: TargetServer) -> String? {
    do {
        let sessions = try ClientSessions(count, on: server)
        guard sessions.threadIDs.count == count else { return "not all sessions could be opened" }
    } catch {
        return "\(error)"
    }
    do {
        try server.waitUntilApplicationIsGone()
        return nil
    } catch {
        return "\(error)"
    }
}
