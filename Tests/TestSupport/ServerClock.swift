import Foundation
import XCTest

/// The clock of a server that a test starts: that of the machine, set back or forward by whole seconds.
///
/// A library that is loaded before the C library answers the server in its place.
public final class ServerClock: Sendable {
    /// By which the server finds it.
    let environment: [String: String]
    private let folder: URL
    private let shift: URL

    /// - Throws: `XCTSkip` if this machine has no C compiler, or lacks what the server needs.
    public init(of kind: RealServer.Kind) throws {
        let parent = kind == .mysql ? "\(try RealServer.mySQLRoot())/tmp" : FileManager.default.temporaryDirectory.path
        let name = "killd-clock-\(UUID().uuidString)"
        folder = URL(fileURLWithPath: parent).appendingPathComponent(name)
        // In the chroot it goes by another path.
        let seen = kind == .mysql ? "/tmp/\(name)" : folder.path
        environment = ["LD_PRELOAD": "\(seen)/clock.so", "KILLD_CLOCK_SHIFT": "\(seen)/shift"]
        shift = folder.appendingPathComponent("shift")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        try set(0)
        let source = folder.appendingPathComponent("clock.c")
        try Data(Self.source.utf8).write(to: source)
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        compiler.arguments = [
            "cc", "-shared", "-fPIC", "-O1", "-o", folder.appendingPathComponent("clock.so").path, source.path,
        ]
        try compiler.run()
        compiler.waitUntilExit()
        guard compiler.terminationStatus == 0 else { throw XCTSkip("a server's clock: needs a C compiler, cc") }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// Sets the clock to so many seconds after the machine's.
    public func set(_ seconds: Int) throws { try Data("\(seconds)".utf8).write(to: shift) }

    private static let source = #"""
        #include <fcntl.h>
        #include <stdlib.h>
        #include <sys/syscall.h>
        #include <sys/time.h>
        #include <time.h>
        #include <unistd.h>

        static long shift(void) {
            const char *path = getenv("KILLD_CLOCK_SHIFT");
            int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
            if (file < 0) return 0;
            char text[32];
            ssize_t length = read(file, text, sizeof text - 1);
            close(file);
            if (length <= 0) return 0;
            text[length] = 0;
            return atol(text);
        }

        int clock_gettime(clockid_t clock, struct timespec *time) {
            int result = syscall(SYS_clock_gettime, clock, time);
            if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += shift();
            return result;
        }

        int gettimeofday(struct timeval *restrict now, void *restrict zone) {
            struct timespec time;
            clock_gettime(CLOCK_REALTIME, &time);
            now->tv_sec = time.tv_sec;
            now->tv_usec = time.tv_nsec / 1000;
            return 0;
        }

        time_t time(time_t *now) {
            struct timespec time;
            clock_gettime(CLOCK_REALTIME, &time);
            if (now) *now = time.tv_sec;
            return time.tv_sec;
        }
        """#
}
