import FileDescriptors
import Glibc

/// The figures that the kernel keeps of this process (proc(5)).
struct ProcessFigures: Sendable {
    /// Unix time in seconds.
    var startTime: Double
    /// Of all threads, in user and kernel mode, in seconds.
    var processorTime: Double
    var residentBytes: Double
    var openDescriptors: Int
    /// `nil` without a limit.
    var descriptorLimit: UInt64?

    /// - Returns: nil where /proc is missing.
    static func read() -> ProcessFigures? {
        // The second field is the name in brackets, which may hold anything.
        guard let status = text(of: "/proc/self/stat"), let end = status.lastIndex(of: ")") else { return nil }
        // From the third on.
        let fields = status[end...].split(separator: " ").dropFirst().map { Double($0) ?? 0 }
        guard fields.count > 21 else { return nil }
        // Not from /proc/stat, which a service with ProcSubset=pid does not see.
        let booted = seconds(CLOCK_REALTIME) - seconds(CLOCK_BOOTTIME)
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        var limit = rlimit()
        let hasLimit =
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
            && limit.rlim_cur != rlim_t.max
        return ProcessFigures(
            startTime: booted + fields[19] / ticks, processorTime: (fields[11] + fields[12]) / ticks,
            residentBytes: fields[21] * Double(sysconf(Int32(_SC_PAGESIZE))), openDescriptors: countDescriptors(),
            descriptorLimit: hasLimit ? UInt64(limit.rlim_cur) : nil)
    }

    private static func seconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private static func countDescriptors() -> Int {
        guard let folder = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Neither . and .. nor the folder itself, which is open only for this.
        return max(0, count - 3)
    }

    private static func text(of path: String) -> String? {
        let bytes = try? FileDescriptor(opening: path, flags: O_RDONLY).contents(mostBytes: 1_048_576)
        return bytes.map { String(decoding: $0, as: UTF8.self) }
    }
}
