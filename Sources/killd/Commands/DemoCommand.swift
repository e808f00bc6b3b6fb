/// `killd demo`: the main job on a real server, from nothing to nothing.
struct DemoCommand: Command {
    static let name = "demo"
    static let summary = "shows Prepare, approval and Commit on a private MariaDB that it starts and removes again"
    static let usage = "[--keep]"
    static let options = [
        (spelling: "--keep", meaning: "leave the server and the database running until Ctrl-C, to play with")
    ]

    private let keep: Bool

    init(_ arguments: inout Arguments) { keep = arguments.flag("--keep") }

    func run() async throws -> ExitStatus {
        let stop = StopSignal()
        let demo = try Demo(keep: keep)
        let story = Task { try await demo.tell() }
        let interrupt = Task {
            _ = await stop.signal()
            story.cancel()
        }
        defer { interrupt.cancel() }
        do {
            try await story.value
            return .done
        } catch is CancellationError {
            Terminal.standardOutput.write("\nStopped; everything the demo started is gone.\n")
            return .failed
        }
    }
}
