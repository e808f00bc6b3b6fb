import APIClient
import Foundation
import Glibc

/// The killd program, and servers of it.
struct Killd {
    let path: String

    /// The program that was built together with this one.
    static func besideThisProgram() throws -> Killd {
        let path = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent("killd").path
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw BenchmarkError("build killd first: swift build -c release")
        }
        return Killd(path: path)
    }

    /// A configuration with one account and one instance at `databasePort`.
    ///
    /// - Parameters:
    ///   - settings: further keys at the top.
    ///   - das: whether clients of DAS have a listener.
    static func configuration(
        in folder: String, databasePort: UInt16, user: String = "killd", kind: String = "mysql",
        settings: [String: Int] = [:], tls: ServerCertificate? = nil, das: Bool = false
    ) throws -> String {
        let name = UUID().uuidString
        let file = "\(folder)/killd-\(name).json"
        var settings = settings.map { "\"\($0)\": \($1), " }.joined()
        if let tls {
            settings += #""tls": { "certificate": "\#(tls.certificate)", "privateKey": "\#(tls.key)" }, "#
        }
        if das { settings += #""das": { "listen": "127.0.0.1:0" }, "# }
        let text = """
            {
              "listen": "127.0.0.1:0", "store": "store-\(name).sqlite", \(settings)"requestsPerSecond": 1000000,
              "accounts": [{ "name": "bench", "uin": "1", "secretId": "AKIDBENCH", "secretKey": "SKBENCH",
                             "may": ["*"], "instances": ["*"] }],
              "instances": [{ "id": "cdb-bench", "host": "127.0.0.1", "port": \(databasePort), "user": "\(user)",
                              "kind": "\(kind)", "password": { "file": "password" }, "tls": "disabled" }]
            }
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        try Data("bench".utf8).write(to: URL(fileURLWithPath: folder + "/password"))
        return file
    }

    /// The path of the store that a configuration names.
    static func store(in configuration: String) throws -> String {
        let text = try String(contentsOfFile: configuration, encoding: .utf8)
        guard let match = text.firstMatch(of: /"store": "([^"]+)"/) else { throw BenchmarkError("no store") }
        return URL(fileURLWithPath: configuration).deletingLastPathComponent().appendingPathComponent(String(match.1))
            .path
    }

    /// A connection to a listener of killd's.
    static func conversation(port: UInt16) throws -> HTTPConversation {
        guard let endpoint = Endpoint("http://127.0.0.1:\(port)") else { throw BenchmarkError("no port: \(port)") }
        return try HTTPClient(endpoint: endpoint, timeout: 120).connect()
    }

    /// A running `killd serve`.
    final class Server {
        let process = Process()
        let endpoint: String
        let port: UInt16
        /// For clients of DAS; 0 without the listener.
        let dasPort: UInt16
        /// From the start of the process to its ready line.
        let startTime: Duration

        init(_ killd: Killd, configuration: String) throws {
            let output = Pipe()
            process.executableURL = URL(fileURLWithPath: killd.path)
            process.arguments = ["serve", "--config", configuration]
            process.standardOutput = output
            process.standardError = FileHandle.nullDevice
            let start = ContinuousClock.now
            try process.run()
            let line = output.fileHandleForReading.availableData
            startTime = ContinuousClock.now - start
            let ready = try JSONSerialization.jsonObject(with: line) as? [String: Any]
            guard let endpoint = ready?["endpoint"] as? String,
                let port = endpoint.split(separator: ":").last.flatMap({ UInt16($0) })
            else { throw BenchmarkError("killd serve did not become ready") }
            self.endpoint = endpoint
            self.port = port
            let das = ready?["das"] as? String
            dasPort = das?.split(separator: ":").last.flatMap { UInt16($0) } ?? 0
        }

        /// Resident memory in MiB.
        func residentMemory() throws -> Double {
            let status = try String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
            guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
                let kilobytes = line.split(separator: " ").dropFirst().first.flatMap({ Double($0) })
            else { throw BenchmarkError("no VmRSS") }
            return kilobytes / 1_024
        }

        func stop() {
            process.terminate()
            process.waitUntilExit()
        }

        /// Ends it as a crash does, and returns when it is gone.
        func kill() {
            Glibc.kill(process.processIdentifier, SIGKILL)
            // Not waitUntilExit, which looks only every 50 ms.
            while process.isRunning { usleep(100) }
        }
    }
}

func startUp(_ killd: Killd, in folder: String) throws -> [Measurement] {
    let configuration = try Killd.configuration(in: folder, databasePort: 1)
    let times = try (0..<21).map { _ in
        let server = try Killd.Server(killd, configuration: configuration)
        server.stop()
        return server.startTime / .milliseconds(1)
    }
    return [
        Measurement(name: "start to ready line, median of 21", killd: "\(decimal(median(times))) ms", goal: "≤ 50 ms")
    ]
}

func idleMemory(_ killd: Killd, in folder: String) throws -> [Measurement] {
    let server = try Killd.Server(killd, configuration: try Killd.configuration(in: folder, databasePort: 1))
    defer { server.stop() }
    Thread.sleep(forTimeInterval: 1)
    return [
        Measurement(
            name: "resident memory, idle", killd: "\(decimal(try server.residentMemory())) MiB", goal: "≤ 20 MiB")
    ]
}
