/// `killd version`.
struct VersionCommand: Command {
    static let name = "version"
    static let summary = "prints the version"
    static let usage = ""
    static let options: [(spelling: String, meaning: String)] = []

    static let version = "0.1.0"

    init(_ arguments: inout Arguments) {}

    func run() -> ExitStatus {
        Terminal.standardOutput.write("killd \(Self.version)\n")
        return .done
    }
}
