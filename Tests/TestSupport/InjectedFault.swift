import Foundation
import XCTest

/// A fault that strace injects into system calls of a running program, until it is removed.
public final class InjectedFault {
    private let strace: RunningProgram

    /// Attaches strace to a program's threads of one name, and returns when the fault is in place.
    ///
    /// - Parameters:
    ///   - fault: as strace's manual has it, `error=EIO` or `signal=SIGKILL:when=3`. The signal comes before the call
    ///     does anything, and each thread's calls are counted by themselves.
    ///   - call: a name of a system call.
    /// - Throws: `XCTSkip` in words where there is no strace, or where it may not do this.
    public init(_ fault: String, in call: String, onThreads name: String, of killd: KilldProcess) async throws {
        let program = "/usr/bin/strace"
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw XCTSkip("needs \(program) (apt install strace)")
        }
        let threads = try killd.threads(named: name)
        XCTAssertFalse(threads.isEmpty, "killd has no thread \(name)")
        let expressions = ["-e", "trace=\(call)", "-e", "inject=\(call):\(fault)"]
        let strace = try RunningProgram(
            program, ["-o", "/dev/null"] + expressions + threads.flatMap { ["-p", $0] })
        self.strace = strace
        try await eventually("strace's hold on \(name)") {
            // A thread may have ended meanwhile.
            let (held, gone) = try (strace.error.count(of: " attached"), strace.error.count(of: "No such process"))
            return held + gone == threads.count || !strace.isRunning
        }
        guard strace.isRunning else {
            let reason = try strace.error
            guard reason.contains("not permitted") else { throw ProgramError("strace: \(reason)") }
            throw XCTSkip("needs the right to trace other processes (ptrace): \(reason)")
        }
    }

    /// Lets the program's calls be again. Not needed once the program has ended.
    public func remove() async throws {
        // Every other signal is blocked in it, as in the thread that started it. The kernel lets go of the threads.
        strace.send(SIGKILL)
        try await eventually("strace's end") { !strace.isRunning }
    }
}

extension String {
    fileprivate func count(of part: String) -> Int { ranges(of: part).count }
}
