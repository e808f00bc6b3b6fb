import Glibc
import SessionKill
import Synchronization

/// `killd serve`: the server.
struct ServeCommand: Command {
    static let name = "serve"
    static let summary = "answers the API for the instances of a configuration"
    static let usage = "--config FILE [--accept-rollback]"
    static let options = [
        (spelling: "--config FILE", meaning: "the configuration; `killd init` writes a first one"),
        (
            spelling: "--accept-rollback",
            meaning: "goes on with a store that is older than its heads file, which the audit tells"
        ),
    ]

    /// How long requests in flight may take to end after SIGTERM.
    private static let drainTime = Duration.seconds(30)

    private let file: String
    private let acceptsRollback: Bool

    init(_ arguments: inout Arguments) throws {
        guard let file = try arguments.option("--config") else { throw UsageError("--config is needed") }
        self.file = file
        acceptsRollback = arguments.flag("--accept-rollback")
    }

    func run() async throws -> ExitStatus {
        let log = Log.standard
        let manager = ServiceManager()
        // Of several reloads that are asked for while one is done, one more is done.
        let (reloads, reloading) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let stop = StopSignal(onHangUp: { reloading.yield() })
        let service = try await Service(Configuration(file: file), acceptsRollback: acceptsRollback, log: log)
        try service.start()
        // A supervisor that does not listen is no reason not to serve.
        Terminal.standardOutput.announce(Self.readyLine(service))
        manager.ready("answers at \(service.endpoint)")

        let reloader = Task { [file] in
            for await _ in reloads {
                manager.reloading()
                manager.ready(await service.tryToReload(file: file))
            }
        }
        let signal = await stop.signal()
        reloader.cancel()
        manager.stopping()
        log.info("stopping", [("signal", signal == SIGINT ? "SIGINT" : "SIGTERM")])
        await service.stop(within: Self.drainTime)
        LogWriter.standardError.flush()
        return .done
    }

    private static func readyLine(_ service: Service) -> String {
        let das = service.dasEndpoint.map { ",\"das\":\"\($0)\"" } ?? ""
        let operations = service.operationsEndpoint.map { ",\"operations\":\"\($0)\"" } ?? ""
        return "{\"ready\":true,\"endpoint\":\"\(service.endpoint)\"\(das)\(operations)}\n"
    }
}

extension Service {
    /// - Returns: what became of it, in a line.
    fileprivate func tryToReload(file: String) async -> String {
        do {
            try await reload(file: file)
            return "answers at \(endpoint), with the configuration as it was reloaded last"
        } catch {
            return "answers at \(endpoint); the last reload was refused: \(error.description.visible)"
        }
    }
}

/// The wait for SIGTERM or SIGINT; a second one ends the process at once.
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

    /// - Parameter onHangUp: called for each SIGHUP, which does not end the process.
    init(onHangUp: @escaping @Sendable () -> Void = {}) {
        let received = Received()
        state = received
        watch = Signals([SIGTERM, SIGINT, SIGHUP]) { number in
            guard number != SIGHUP else { return onHangUp() }
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
