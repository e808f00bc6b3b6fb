import AuditTrail
import Cryptography
import SQLiteStore

/// `killd audit export`.
struct AuditExportCommand: AuditSubcommand {
    private let store: String?
    private let configuration: String?
    private let key: String
    private let name: String

    init(_ arguments: inout Arguments) throws {
        store = try arguments.option("--store")
        configuration = try arguments.option("--config")
        guard let key = try arguments.option("--key") else {
            throw UsageError("--key is needed: what `killd audit init-key` writes")
        }
        self.key = key
        name = try arguments.option("--key-name") ?? "killd-audit"
        guard SignedNote.canBeKeyName(name) else {
            throw UsageError("--key-name: expected a name without blanks and without +")
        }
    }

    func run() throws -> ExitStatus {
        guard let signer = Ed25519PrivateKey(pem: try [UInt8](contentsOf: key)) else {
            throw CommandFailure("\(key) holds no private key of Ed25519 that is not encrypted (PEM)")
        }
        if let exposed = ExposedFile(key) { Terminal.standardError.write("killd audit: \(exposed.finding)\n") }
        let path = try store ?? configuration.map { try Configuration(file: $0).store } ?? "killd.sqlite"
        var lines: [UInt8] = []
        let chain = try SQLiteStore.readAudit(path: path) { line in
            lines += line
            lines.append(UInt8(ascii: "\n"))
            guard lines.count >= 1 << 20 else { return }
            try Self.write(&lines)
        }
        try Self.write(&lines)
        guard chain.faults.count == 0, chain.entries > 0 else {
            throw CommandFailure("the audit is not whole, and was not signed; see: killd audit verify --store \(path)")
        }
        let head = KnownHead(
            sequence: chain.last, hash: chain.lastHash, store: chain.store,
            place: KnownHead.Place(file: path, line: 0))
        let note = try SignedNote(head, key: signer, name: name).note
        Terminal.standardOutput.write(asItCame: "\n\(note)")
        return .done
    }

    private static func write(_ lines: inout [UInt8]) throws {
        Terminal.standardOutput.write(asItCame: String(decoding: lines, as: UTF8.self))
        lines.removeAll(keepingCapacity: true)
        if let failure = Terminal.standardOutput.failure {
            throw CommandFailure("the export could not be written: \(failure)")
        }
    }
}
