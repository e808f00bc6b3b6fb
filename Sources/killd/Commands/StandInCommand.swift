import StandInKeys
import FileDescriptors
import FoundationEssentials
import Glibc
import HTTPServer
import ScriptedServers
import StandIn

/// `killd stand-in`: a killd for tests of its clients.
struct StandInCommand: Command {
    static let name = "stand-in"
    static let summary = "plays killd over scripted servers, for tests of its clients; kills nobody"
    static let usage = """
        [--port N] [--das-port N] [--control-port N] [--listen-address ADDRESS] [--seed FILE] [--ready-file FILE] [--loose NAME]…
        | --record FILE --upstream URL [--port N] [--listen-address ADDRESS] [--ready-file FILE]
        """
    static let options =
        [
            (spelling: "--port N", meaning: "for clients of DBbrain; 0, the default, for a free one"),
            (spelling: "--das-port N", meaning: "for clients of DAS; the same"),
            (spelling: "--control-port N", meaning: "for what tests ask of it besides; always on 127.0.0.1"),
            (spelling: "--listen-address ADDRESS", meaning: "for the clients; 127.0.0.1 by default"),
            (spelling: "--seed FILE", meaning: "the instances, their sessions and the accounts; without, some that do"),
            (spelling: "--ready-file FILE", meaning: "gets the ready line too, once it is true"),
            (
                spelling: "--loose NAME",
                meaning: "leaves a check out: \(LooseCheck.allCases.map(\.rawValue).joined(separator: ", "))"
            ),
        ] + RecordedUpstream.options

    private let ports: (dbbrain: UInt16, das: UInt16, control: UInt16)
    private let host: String
    private let seedFile: String?
    private let readyFile: String?
    private let loose: Set<LooseCheck>
    private let recorded: RecordedUpstream?

    init(_ arguments: inout Arguments) throws {
        guard try arguments.option("--config") == nil else {
            throw UsageError(
                """
                the stand-in reads no configuration and ends no session of a real instance; that is done by: \
                killd serve --config FILE
                """)
        }
        ports = (
            try arguments.port("--port"), try arguments.port("--das-port"), try arguments.port("--control-port")
        )
        host = try arguments.option("--listen-address") ?? "127.0.0.1"
        seedFile = try arguments.option("--seed")
        readyFile = try arguments.option("--ready-file")
        loose = Set(
            try arguments.options("--loose").map { name throws(UsageError) in
                guard let check = LooseCheck(rawValue: name) else {
                    let names = LooseCheck.allCases.map(\.rawValue).joined(separator: ", ")
                    throw UsageError("--loose: expected one of \(names), found \"\(name)\"")
                }
                return check
            })
        recorded = try RecordedUpstream(&arguments)
        guard recorded == nil || seedFile == nil && loose.isEmpty && ports.das == 0 && ports.control == 0
        else {
            throw UsageError(
                "--record scripts nothing: --seed, --loose, --das-port and --control-port do not go together with it")
        }
    }

    func run() async throws -> ExitStatus {
        if let recorded {
            return try await recorded.run(at: ListenAddress(host: host, port: ports.dbbrain)) { endpoint in
                try tell("{\"endpoint\":\"\(endpoint)\",\"ready\":true}\n")
            }
        }
        let stop = StopSignal()
        let seed = try readSeed()
        let server = try StandInServer(
            .init(
                seed: seed, loose: loose, listen: ListenAddress(host: host, port: ports.dbbrain),
                dasListen: ListenAddress(host: host, port: ports.das), controlPort: ports.control,
                version: VersionCommand.version))
        try server.start()
        Terminal.standardError.announce("killd stand-in: it kills nobody: its servers and sessions are scripted\n")
        for check in LooseCheck.allCases where loose.contains(check) {
            Terminal.standardError.announce("killd stand-in: --loose \(check.rawValue): \(check.meaning)\n")
        }
        try tell(ReadyLine(server, seed, loose).text())
        // What it has in memory is of use to nobody any more: nothing is drained.
        _ = await stop.signal()
        return .done
    }

    private func tell(_ line: String) throws {
        if let readyFile { try line.replace(fileAt: readyFile) }
        Terminal.standardOutput.announce(line)
    }

    private func readSeed() throws -> Seed {
        guard let seedFile else { return try .standard() }
        let content: [UInt8]
        do throws(UnreadableFile) {
            content = try [UInt8](contentsOf: seedFile)
        } catch {
            throw CommandFailure("\(error.description)")
        }
        do throws(SeedError) {
            return try Seed(json: content)
        } catch {
            throw CommandFailure("\(seedFile): \(error.description)")
        }
    }
}

/// What a stand-in says once it answers.
private struct ReadyLine: Encodable {
    let ready = true
    let endpoint: String
    let das: String
    let control: String
    let secretId: String
    let secretKey: String
    let region: String?
    let instance: String?
    let loose: [String]?

    init(_ server: StandInServer, _ seed: Seed, _ loose: Set<LooseCheck>) {
        endpoint = server.endpoint
        das = server.dasEndpoint
        control = server.controlEndpoint
        secretId = StandInKey.prefix
        secretKey = StandInKey.secretKey
        region = seed.instances.first?.region
        instance = seed.instances.first?.id
        self.loose = loose.isEmpty ? nil : loose.map(\.rawValue).sorted()
    }

    func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }
}

extension String {
    /// Makes this the content of a file, which nobody ever sees a part of.
    fileprivate func replace(fileAt path: String) throws(CommandFailure) {
        let draft = "\(path).\(getpid())"
        try Array(utf8).write(toNewFile: draft)
        guard rename(draft, path) == 0 else {
            let reason = String(cString: strerror(errno))
            unlink(draft)
            throw CommandFailure("\(path): \(reason)")
        }
    }
}

extension Arguments {
    fileprivate mutating func port(_ name: String) throws(UsageError) -> UInt16 {
        guard let number = try number(name) else { return 0 }
        guard let port = UInt16(exactly: number) else {
            throw UsageError("\(name): expected a port from 0 to 65535, found \(String(number))")
        }
        return port
    }
}
