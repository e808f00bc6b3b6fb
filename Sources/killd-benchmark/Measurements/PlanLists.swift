import APIClient
import Foundation

/// The first page of plans where there are many, where there is no more than that page, and where there is none.
func planLists(_ killd: Killd, in folder: String) throws -> [Measurement] {
    let plans = 100_000
    let services = try [plans, 20, 0].map { count in
        let configuration = try Killd.configuration(in: folder, databasePort: 1)
        // killd makes the store itself.
        try Killd.Server(killd, configuration: configuration).stop()
        if count > 0 { try insertFinishedPlans(count, into: try Killd.store(in: configuration)) }
        return try Killd.Server(killd, configuration: configuration)
    }
    defer { for service in services { service.stop() } }
    var turns: [[Double]] = []
    for turn in 0..<5 {
        var times = [Double](repeating: 0, count: services.count)
        for index in turn.isMultiple(of: 2) ? Array(services.indices) : services.indices.reversed() {
            let port = services[index].port
            times[index] =
                1e6 / (try load(SignedCall.planList(port: port), on: port, connections: 1, seconds: 2, in: folder))
        }
        turns.append(times)
    }
    func time(_ index: Int) -> String { "\(whole(median(turns.map { $0[index] }))) µs" }
    let name = "DescribeKillPlans, first page of 20, store with \(plans) plans (wrk -t1 -c1), median of 5 turns"
    return [(2, "killd, empty store", "≤ 1.2"), (1, "killd, store with 20 plans", "–")].map { index, peer, goal in
        Measurement(
            name: name, killd: time(0), peer: "\(peer): \(time(index))",
            ratio: decimal(median(turns.map { $0[0] / $0[index] })), goal: goal)
    }
}
