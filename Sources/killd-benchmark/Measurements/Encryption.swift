import APIClient
import Foundation

/// A certificate for 127.0.0.1 that is signed by itself.
struct ServerCertificate {
    enum Key: String {
        case rsa = "RSA 2048"
        case p256 = "ECDSA P-256"
    }

    let certificate: String
    let key: String

    init(_ kind: Key, in folder: String) throws {
        certificate = "\(folder)/\(kind).pem"
        key = "\(folder)/\(kind).key"
        let options = kind == .rsa ? ["rsa:2048"] : ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try find("openssl", package: "openssl"))
        process.arguments =
            ["req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=benchmark"]
            + ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate, "-newkey"] + options
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw BenchmarkError("openssl req failed") }
    }
}

/// TLS against nginx with the same certificate.
func encryption(_ killd: Killd, in folder: String) throws -> [Measurement] {
    var measurements: [Measurement] = []
    for key in [ServerCertificate.Key.rsa, .p256] {
        let certificate = try ServerCertificate(key, in: folder)
        let server = try Killd.Server(
            killd, configuration: try Killd.configuration(in: folder, databasePort: 1, tls: certificate))
        defer { server.stop() }
        let nginx = try Nginx(answerSize: 167, tls: certificate, in: folder)
        defer { nginx.stop() }

        func compare(
            _ name: String, _ count: (_ port: UInt16) throws -> (answers: Double, rate: Double)
        ) throws {
            // In turns, so that a change of the machine's speed meets both.
            var turns: [(killd: Load, nginx: Load)] = []
            for _ in 0..<5 {
                turns.append(
                    (
                        try Load({ try processorTime(of: server.process.processIdentifier) }) {
                            try count(server.port)
                        },
                        try Load(nginx.processorTime) { try count(nginx.port) }
                    ))
            }
            func measurement(
                _ what: String, _ text: (Double) -> String, _ value: KeyPath<Load, Double>
            ) -> Measurement {
                Measurement(
                    name: "\(name), \(what), \(key.rawValue), median of 5 turns",
                    killd: text(median(turns.map { $0.killd[keyPath: value] })),
                    peer: "nginx, one worker, `return 200`: \(text(median(turns.map { $0.nginx[keyPath: value] })))",
                    ratio: decimal(median(turns.map { $0.killd[keyPath: value] / $0.nginx[keyPath: value] })),
                    goal: "–")
            }
            measurements.append(measurement("a second", whole, \.rate))
            measurements.append(measurement("processor time of each", { whole($0) + " µs" }, \.processorTime))
        }
        for (kind, isResumed) in [("full", false), ("resumed", true)] {
            try compare("\(kind) TLS 1.3 handshakes with a request each (4 × openssl s_time)") { port in
                try handshakes(isResumed: isResumed, on: port, trusting: certificate)
            }
        }
        let request = try SignedCall.missingParameter(port: server.port)
        try compare("signed requests over TLS (wrk -t1 -c32)") { port in
            let rate = try load(request, on: port, scheme: "https", seconds: 2, in: folder)
            return (rate * 2, rate)
        }
    }
    return measurements
}

/// The work of a server under a load.
private struct Load {
    /// Responses a second.
    let rate: Double
    /// Of the server for each response, in microseconds: unlike the rate, it does
    /// not depend on what the clients and others on the machine take.
    let processorTime: Double

    init(_ processorTime: () throws -> Double, _ count: () throws -> (answers: Double, rate: Double)) throws {
        let before = try processorTime()
        let (answers, rate) = try count()
        self.rate = rate
        self.processorTime = (try processorTime() - before) / answers * 1_000_000
    }
}

/// Lets four clients connect again and again, for two seconds each.
///
/// - Returns: the connections, and how many there were a second.
private func handshakes(
    isResumed: Bool, on port: UInt16, trusting certificate: ServerCertificate
) throws -> (answers: Double, rate: Double) {
    let seconds = 2
    let program = try find("openssl", package: "openssl")
    let clients = try (0..<4).map { _ in
        let client = Process()
        let output = Pipe()
        client.executableURL = URL(fileURLWithPath: program)
        client.arguments = [
            "s_time", "-connect", "127.0.0.1:\(port)", "-CAfile", certificate.certificate, "-verify", "1", "-tls1_3",
            "-www", "/", "-time", "\(seconds)", isResumed ? "-reuse" : "-new",
        ]
        client.standardOutput = output
        client.standardError = FileHandle.nullDevice
        try client.run()
        return (client, output)
    }
    // Until the last has ended: s_time counts in whole seconds only.
    let counts = try clients.map { client, output -> Double in
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        client.waitUntilExit()
        // A sign for each connection: r where the session was resumed, * where not.
        guard let count = text.matches(of: /(\d+) connections in \d+ real seconds/).last.flatMap({ Double($0.1) }),
            text.contains(isResumed ? "rrr" : "***")
        else { throw BenchmarkError("openssl s_time: \(text)") }
        return count
    }
    let count = counts.reduce(0, +)
    return (count, count / Double(seconds))
}
