/// `killd contract`: what clients may rely on, tried on a server.
struct ContractCommand: Command {
    static let name = "contract"
    static let summary = "sends fixtures to a server of the API and tells what comes back otherwise"
    static let usage = "verify FOLDER [OPTION]…"
    static let options =
        [
            (
                spelling: "verify FOLDER",
                meaning: "a folder of fixtures, or one of them; exit status 1 if anything differs"
            ),
            (spelling: "--das-endpoint URL", meaning: "where DAS is served; without it its fixtures are skipped"),
            (spelling: "--api API", meaning: "dbbrain or das: only fixtures of this one"),
            (spelling: "--only NAME", meaning: "only fixtures whose name, action or file has this in it"),
            (spelling: "--set NAME=VALUE", meaning: "what {{NAME}} stands for; several times"),
            (spelling: "--instance ID", meaning: "the same as --set instance=ID; at a stand-in cdb-standin by default"),
            (
                spelling: "--values FILE",
                meaning: "the same from a JSON file, which may also have the keys of \"people\""
            ),
            (
                spelling: "--seed NAME",
                meaning: "the seed with which the stand-in was started: fixtures that need it are sent"
            ),
            (spelling: "--destructive", meaning: "sends to a server that is no stand-in also what may end sessions"),
            (spelling: "--victims USER", meaning: "whose sessions these are; those of other users are left alone"),
            (spelling: "--junit FILE", meaning: "writes the results as JUnit's XML too"),
        ] + ClientOptions.options.filter { $0.spelling != "--json" }

    private let verify: ContractVerifyCommand

    init(_ arguments: inout Arguments) throws {
        switch arguments.subcommand() {
        case "verify": verify = try ContractVerifyCommand(&arguments)
        case let word?: throw UsageError("\"\(word)\" is not verify")
        case nil: throw UsageError("expected verify")
        }
    }

    func run() async throws -> ExitStatus { try verify.run() }
}
