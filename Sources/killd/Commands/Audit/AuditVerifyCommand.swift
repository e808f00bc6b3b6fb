import AuditTrail
import Cryptography
import SQLiteStore
import SessionKill

/// `killd audit verify`.
struct AuditVerifyCommand: AuditSubcommand {
    private let store: String?
    private let configuration: String?
    private let texts: [String]
    private let publicKey: String?
    private let json: Bool

    init(_ arguments: inout Arguments) throws {
        store = try arguments.option("--store")
        configuration = try arguments.option("--config")
        texts = try arguments.options("--against")
        publicKey = try arguments.option("--public-key")
        json = arguments.flag("--json")
        guard publicKey == nil || !texts.isEmpty else {
            throw UsageError("--public-key needs a text with signed heads: --against FILE")
        }
    }

    func run() throws -> ExitStatus {
        let configuration = try configuration.map { try Configuration(file: $0) }
        // The texts first: what a killd writes meanwhile is in the store and not in them, never the other way round.
        var outside = OutsideHeads()
        let key = try publicKey.map { try Ed25519PublicKey(file: $0) }
        for text in texts { try outside.read(text, key: key) }
        let path = store ?? configuration?.store ?? "killd.sqlite"
        let requests = KeptRequests(configuration)
        let findings = try SQLiteStore.inspectAudit(path: path, known: outside.heads) { decision, plan in
            try requests.standing(of: decision, on: plan)
        }
        let report = AuditReport(findings, outside: outside, checksRequests: configuration != nil)
        Terminal.standardOutput.write(json ? VisibleText(trusted: report.json + "\n") : report.text)
        return report.isFine ? .done : .failed
    }
}

extension Ed25519PublicKey {
    /// - Throws: ``CommandFailure``.
    fileprivate init(file path: String) throws {
        guard let key = Ed25519PublicKey(pem: try [UInt8](contentsOf: path)) else {
            throw CommandFailure("\(path) holds no public key of Ed25519 (PEM, as `killd audit init-key` writes it)")
        }
        self = key
    }
}
