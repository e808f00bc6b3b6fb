import FileDescriptors
import Glibc

/// A process that kills the server and removes its folder when this process is gone, however
/// it went: a shell that reads from a socket whose other end only we hold.
///
/// `PR_SET_PDEATHSIG` would not do: it is sent when the *thread* that started
/// the child ends.
struct Guardian: ~Copyable {
    private let socket: FileDescriptor
    private let shell: ChildProcess

    /// Each line names the process group to kill, an empty one none.
    private static let script = """
        while read -r group; do last=$group; done
        if [ -n "$last" ]; then kill -s KILL -- "-$last"; fi
        rm -rf -- "$1"
        """

    init(of folder: String) throws(PrivateDatabaseError) {
        let pair = try ConnectedPair()
        shell = try ChildProcess(
            Command(path: "/bin/sh", arguments: ["-c", Self.script, "killd-guardian", folder]),
            standardInput: pair.far.number, log: "/dev/null")
        socket = pair.near
    }

    func guardGroup(of server: borrowing ChildProcess) throws(PrivateDatabaseError) {
        try send("\(server.id)\n")
    }

    /// To be called when the server was reaped: its number may soon be somebody else's.
    func guardNothing() throws(PrivateDatabaseError) { try send("\n") }

    private func send(_ line: String) throws(PrivateDatabaseError) {
        let bytes = Array(line.utf8)
        // A few bytes into an empty socket are sent whole or not at all.
        guard Glibc.send(socket.number, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw PrivateDatabaseError(systemCall: "send to the guardian")
        }
    }

    // The shell does its work now, and is not killed before that is done.
    deinit {
        shutdown(socket.number, Int32(SHUT_RDWR))
        _ = shell.succeeded(by: .now + .seconds(10))
    }
}
