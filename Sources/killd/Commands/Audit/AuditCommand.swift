/// `killd audit`: proves the audit of a store, or makes what others can prove it by.
struct AuditCommand: Command {
    static let name = "audit"
    static let summary = "checks the audit of a store, also beside a running killd; exports it, signed"
    static let usage = "verify | export | init-key [OPTION]…"
    static let options = [
        (spelling: "verify", meaning: "checks a store's audit; exit status 1 if something is not as killd wrote it"),
        (spelling: "  --store FILE", meaning: "the store; default: that of --config, or killd.sqlite"),
        (spelling: "  --config FILE", meaning: "the configuration, whose keys verify the requests kept with decisions"),
        (
            spelling: "  --against FILE",
            meaning: "a text with heads of the audit (log, answers, webhooks, export, heads file)"
        ),
        (spelling: "  --public-key FILE", meaning: "verifies the signed heads in the texts of --against"),
        (spelling: "  --json", meaning: "prints the findings as one line of JSON"),
        (spelling: "export", meaning: "prints the entries, and a head signed with Ed25519 (C2SP signed note)"),
        (spelling: "  --store FILE", meaning: "as above"),
        (spelling: "  --config FILE", meaning: "as above"),
        (spelling: "  --key FILE", meaning: "the private key, of init-key or `openssl genpkey -algorithm ed25519`"),
        (spelling: "  --key-name NAME", meaning: "under which it signs; default killd-audit"),
        (spelling: "init-key", meaning: "makes a key for export, and FILE.pub for those who check"),
        (spelling: "  --output FILE", meaning: "default killd-audit.pem; a file that exists is left alone"),
    ]

    private let subcommand: any AuditSubcommand

    init(_ arguments: inout Arguments) throws {
        switch arguments.subcommand() {
        case "verify": subcommand = try AuditVerifyCommand(&arguments)
        case "export": subcommand = try AuditExportCommand(&arguments)
        case "init-key": subcommand = try AuditKeyCommand(&arguments)
        case let word?: throw UsageError("\"\(word)\" is none of verify, export, init-key")
        case nil: throw UsageError("expected verify, export or init-key")
        }
    }

    func run() async throws -> ExitStatus { try subcommand.run() }
}

protocol AuditSubcommand: Sendable {
    init(_ arguments: inout Arguments) throws
    func run() throws -> ExitStatus
}
