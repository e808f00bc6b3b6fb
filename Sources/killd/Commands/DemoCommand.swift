struct DemoCommand: Command {
    static let name = "demo"
    static let summary = "demo"
    static let usage = ""
    static let options: [(spelling: String, meaning: String)] = []
    init(_ arguments: inout Arguments) {}
    func run() -> ExitStatus { .done }
}
