import Glibc

/// A child process, owned: the leader of a process group of its own: Ctrl-C at
/// the terminal does not reach it. At the owner's end the whole group is killed.
struct ChildProcess: ~Copyable {
    let id: pid_t

    /// Starts the program.
    ///
    /// - Parameters:
    ///   - standardInput: `nil` for `/dev/null`.
    ///   - log: the file to which standard output and error are appended.
    init(
        _ command: Command, standardInput: Int32? = nil, log: String
    ) throws(PrivateDatabaseError) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let standardInput {
            posix_spawn_file_actions_adddup2(&actions, standardInput, STDIN_FILENO)
        } else {
            posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The calling thread may block signals, and killd ignores SIGPIPE; a child would inherit both.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var pipe = sigset_t()
        sigemptyset(&pipe)
        sigaddset(&pipe, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &pipe)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var id = pid_t()
        var vector = ([command.path] + command.arguments).map { strdup($0) } + [nil]
        defer { for argument in vector { free(argument) } }
        let result = posix_spawn(&id, command.path, &actions, &attributes, &vector, environ)
        guard result == 0 else {
            throw PrivateDatabaseError(.systemCall("posix_spawn \(command.path)", errorNumber: result))
        }
        self.id = id
    }

    // Nobody else waits for the child, so that its number is still its own here.
    deinit {
        kill(-id, SIGKILL)
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
    }

    func send(_ signal: Int32) { kill(id, signal) }

    /// Waits until the process has ended.
    ///
    /// - Returns: whether it ended with status 0; `nil` if it still runs at the
    ///   deadline.
    func succeeded(by deadline: ContinuousClock.Instant) -> Bool? {
        while true {
            var end = siginfo_t()
            // WNOWAIT leaves the dead child's number in use until the owner is done with it.
            waitid(P_PID, id_t(id), &end, WEXITED | WNOHANG | WNOWAIT)
            if end.si_signo == SIGCHLD {
                return end.si_code == CLD_EXITED && end._sifields._sigchld.si_status == 0
            }
            guard ContinuousClock.now < deadline else { return nil }
            pauseBetweenSnapshots()
        }
    }
}

/// One program with its arguments.
struct Command {
    var path: String
    var arguments: [String]
}

/// A child's end and a server's readiness are looked for this often.
func pauseBetweenSnapshots() {
    usleep(5_000)
}
