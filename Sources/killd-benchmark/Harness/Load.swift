import APIClient
import Foundation

/// Sends the call over kept-alive connections, again and again, and returns
/// the responses a second. Needs the program wrk.
func load(
    _ call: SignedCall, on port: UInt16, scheme: String = "http", connections: Int = 32, seconds: Int,
    in folder: String
) throws -> Double {
    try measureLoad(call, on: port, scheme: scheme, connections: connections, seconds: seconds, in: folder).rate
}

struct LoadFigures {
    /// Responses a second.
    let rate: Double
    /// The time that one response in a hundred takes at least, in milliseconds.
    let p99: Double
}

func measureLoad(
    _ call: SignedCall, on port: UInt16, scheme: String = "http", connections: Int = 32, seconds: Int,
    in folder: String
) throws -> LoadFigures {
    let script = folder + "/request.lua"
    var text = "wrk.method = \"POST\"\nwrk.body = [[\(String(decoding: call.body, as: UTF8.self))]]\n"
    for (name, value) in [("Host", call.host)] + call.headers { text += "wrk.headers[\"\(name)\"] = [[\(value)]]\n" }
    try Data(text.utf8).write(to: URL(fileURLWithPath: script))
    let output = try run(
        find("wrk", package: "wrk"),
        ["-t1", "-c\(connections)", "-d\(seconds)s", "--latency", "-s", script, "\(scheme)://127.0.0.1:\(port)/"])
    guard let match = output.firstMatch(of: /Requests\/sec:\s+([0-9.]+)/), let rate = Double(match.1),
        let latency = output.firstMatch(of: /99%\s+([0-9.]+)(us|ms|s)/), let p99 = Double(latency.1),
        !output.contains("Non-2xx"), !output.contains("Socket errors")
    else { throw BenchmarkError("wrk: \(output)") }
    return LoadFigures(rate: rate, p99: p99 * (latency.2 == "us" ? 0.001 : latency.2 == "ms" ? 1 : 1_000))
}
