import Foundation
import PrivateDatabase

/// Prints killd's figures as ratios against named peers, measured in one run on
/// one machine: alone, a figure says more about the machine than about killd.
///
/// Arguments choose among `start`, `memory`, `requests`, `instances`, `tls`,
/// `signatures`, `verification`, `prepares`, `kills`, `guards`, `latency`, `odp`, `tools`,
/// `growth`, `store`, `plans`, `connections`, `das` and `strangers`.
///
/// With `torture` as the first argument it measures nothing and has killd crash.
@main
struct Program {
    static func main() {
        // The client library says farewell also to a server that has ended the session.
        signal(SIGPIPE, SIG_IGN)
        do {
            try inTemporaryFolder { folder in
                let arguments = Array(CommandLine.arguments.dropFirst())
                let killd = try Killd.besideThisProgram()
                if arguments.first == "torture" {
                    try torture(killd, in: folder, arguments: Array(arguments.dropFirst()))
                } else {
                    try measure(arguments, of: killd, in: folder)
                }
            }
        } catch {
            print("\nkilld-benchmark: \(error)")
            exit(1)
        }
    }

    private static func inTemporaryFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "killd-benchmark-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    /// - Parameter wanted: the measurements to make; all if it is empty.
    private static func measure(_ wanted: [String], of killd: Killd, in folder: String) throws {
        print("killd's figures, \(Machine.description)\n")
        print("| figure | killd | peer | ratio | goal |")
        print("| --- | --- | --- | --- | --- |")
        let measurements: KeyValuePairs<String, (Killd, String) throws -> [Measurement]> = [
            "start": startUp, "memory": idleMemory, "requests": signedRequests, "instances": instanceLists,
            "tls": encryption,
            "signatures": signatureVersions, "verification": verification,
            "prepares": durablePrepares, "kills": kills, "guards": guards, "latency": killsFarAway, "odp": proxyKills,
            "tools": killTools, "growth": killGrowth, "store": killsWithFullStore, "plans": planLists,
            "connections": connections,
            "das": das, "strangers": strangers,
        ]
        for (name, measure) in measurements where wanted.isEmpty || wanted.contains(name) {
            for measurement in try measure(killd, folder) { print(measurement.row) }
            // Rows may be minutes apart: whoever reads from a pipe sees each when it is there.
            fflush(nil)
        }
    }
}

/// One row of the table.
struct Measurement {
    let name: String
    let killd: String
    var peer = "–"
    var ratio = "–"
    let goal: String

    var row: String { "| \(name) | \(killd) | \(peer) | \(ratio) | \(goal) |" }
}

enum Machine {
    static var description: String {
        let memory = ProcessInfo.processInfo.physicalMemory / (1 << 30)
        let date = Date().formatted(.iso8601.year().month().day())
        return "\(date), \(ProcessInfo.processInfo.activeProcessorCount) cores, \(memory) GiB of memory"
    }
}

/// The benchmark cannot be run here.
struct BenchmarkError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

/// A figure with two places behind the point.
func decimal(_ value: Double) -> String { value.formatted(.number.precision(.fractionLength(2)).grouping(.never)) }

func whole(_ value: Double) -> String { value.formatted(.number.precision(.fractionLength(0)).grouping(.never)) }
