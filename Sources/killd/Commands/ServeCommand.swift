import Glibc
import SessionKill
import Synchronization

/// `killd serve`: the server.
struct ServeCommand: Command {
    static let name = "serve"
    static let summary = "answers the API for the instances of a configuration"
    static let usage = "--config FILE"
    static let options = [
        (spelling: "--config FILE", meaning: "the configuration; `killd init` writes a first one")
    ]

    /// How long requests in flight may take to end after SIGTERM.
    private static let drainTime = Duration.seconds(30)

    private let file: String

    init(_ arguments: inout Arguments) throws {
        guard let file = try arguments.option("--config") else { throw UsageError("--config is needed") }
        self.file = file
    }

    func run() async throws -> ExitStatus {
        let log = Log.standard
        let stop = StopSignal(log: log)
        let service = try await Service(Configuration(file: file), log: log)
        try service.start()
        Terminal.standardOutput.write("{\"ready\":true,\"endpoint\":\"\(service.endpoint)\"}\n")
        let signal = await stop.signal()
        log.info("stopping", [("signal", signal == SIGINT ? "SIGINT" : "SIGTERM")])
        await service.stop(within: Self.drainTime)
        LogWriter.standardError.flush()
        return .done
    }
}

/// Waits for SIGTERM or SIGINT; a second one ends the process at once.
final class StopSignal: Sendable {
    private enum State {
        case running
        case awaited(CheckedContinuation<Int32, Never>)
        case stopped(Int32)
    }

    private let watch: Signals
    private let state: Received

    private final class Received: Sendable {
        let state = Mutex(State.running)
    }

    init(log: Log) {
        let received = Received()
        state = received
        watch = Signals([SIGTERM, SIGINT, SIGHUP]) { number in
            guard number != SIGHUP else {
                log.warning("SIGHUP: this version does not reload its configuration; restart it instead")
                return
            }
            let waiting = received.state.withLock { state -> CheckedContinuation<Int32, Never>? in
                switch state {
                case .running:
                    state = .stopped(number)
                    return nil
                case .awaited(let continuation):
                    state = .stopped(number)
                    return continuation
                case .stopped: _exit(128 + number)
                }
            }
            waiting?.resume(returning: number)
        }
    }

    func signal() async -> Int32 {
        await withCheckedContinuation { continuation in
            let earlier = state.state.withLock { state -> Int32? in
                if case .stopped(let number) = state { return number }
                state = .awaited(continuation)
                return nil
            }
            if let earlier { continuation.resume(returning: earlier) }
        }
    }
}
