import Cryptography

/// `killd audit init-key`.
struct AuditKeyCommand: AuditSubcommand {
    private let output: String

    init(_ arguments: inout Arguments) throws {
        output = try arguments.option("--output") ?? "killd-audit.pem"
    }

    func run() throws -> ExitStatus {
        let key = try Ed25519PrivateKey()
        try key.pem.write(toNewFile: output)
        try key.publicKey.pem().write(toNewFile: output + ".pub")
        Terminal.standardOutput.write(
            """
            \(output) has been written, readable for you alone: `killd audit export --key \(output)` signs with it. Keep it \
            where those who can write the store cannot read it.
            \(output).pub is for those who check: killd audit verify --against EXPORT --public-key \(output).pub

            """)
        return .done
    }
}
