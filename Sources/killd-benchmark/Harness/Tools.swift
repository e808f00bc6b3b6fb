import Foundation

func find(_ program: String, package: String) throws -> String {
    for folder in ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/bin"] {
        let path = "\(folder)/\(program)"
        if FileManager.default.isExecutableFile(atPath: path) { return path }
    }
    throw BenchmarkError("\(program) is missing: install the package \(package)")
}

func run(_ program: String, _ arguments: [String]) throws -> String {
    try timedRun(program, arguments).output
}

/// - Returns: the time until the program closed its output, which it does at
///   its end: `waitUntilExit` looks for that only every 50 ms.
func timedRun(_ program: String, _ arguments: [String]) throws -> (output: String, time: Duration) {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardOutput = output
    let start = ContinuousClock.now
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    let time = ContinuousClock.now - start
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw BenchmarkError("\(program) failed") }
    return (String(decoding: data, as: UTF8.self), time)
}

/// What a process has computed so far, in seconds, to a hundredth.
func processorTime(of process: Int32) throws -> Double {
    let text = try String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
    // The name, in parentheses, may hold spaces; utime and stime are the fields 14 and 15 (proc(5)).
    let fields = text.split(separator: ")").last?.split(separator: " ").dropFirst(11).prefix(2)
        .compactMap { Double($0) }
    guard let fields, fields.count == 2 else { throw BenchmarkError("/proc/\(process)/stat cannot be read") }
    return (fields[0] + fields[1]) / Double(sysconf(Int32(_SC_CLK_TCK)))
}

func waitUntilListening(_ port: UInt16) throws {
    let deadline = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < deadline {
        if (try? LoopbackSocket.connected(to: port)) != nil { return }
        Thread.sleep(forTimeInterval: 0.01)
    }
    throw BenchmarkError("nothing listens on port \(port)")
}

func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
}
