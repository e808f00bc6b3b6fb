import FileDescriptors
import Glibc
import SessionKill

/// The location of a store that is there or is to be: found fit for one as far as that can be told
/// without creating or changing anything.
struct StoreLocation {
    /// Absolute and free of symbolic links, so that every name of a store leads to
    /// the same lock.
    let path: String

    init(of path: String) throws(StoreError) {
        self.path = try Self.canonical(path)
        // Also where the store is there: SQLite keeps its WAL beside it, and killd its lock.
        try Self.require(W_OK | X_OK, of: Self.folder(of: self.path), "the folder", "write to")
        guard access(self.path, F_OK) == 0 else { return }
        try Self.checkRegularFile(at: self.path)
        try Self.require(R_OK | W_OK, of: self.path, "the store", "read and write")
    }

    private static func canonical(_ path: String) throws(StoreError) -> String {
        if let resolved = resolve(path) { return resolved }
        guard errno == ENOENT else { throw StoreError(.cannotWrite, "cannot open \(path): \(systemErrorText())") }
        guard let name = path.split(separator: "/").last else { throw StoreError(.cannotWrite, "\(path) is no file") }
        let folder = self.folder(of: path)
        guard let resolved = resolve(folder) else {
            let isMissing = errno == ENOENT
            throw StoreError(
                .cannotWrite,
                isMissing
                    ? "the folder \(folder) is not there; create it, or name another place"
                    : "the folder \(folder) cannot be used: \(systemErrorText())")
        }
        return resolved + "/" + name
    }

    private static func resolve(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// The folder, with the slash at the end, which means the same folder.
    static func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    }

    /// Requires a regular file: folders, pipes and devices cannot be stores.
    private static func checkRegularFile(at path: String) throws(StoreError) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw StoreError(.cannotWrite, "cannot look at \(path): \(systemErrorText())")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw StoreError(.cannotWrite, "\(path) is no regular file")
        }
    }

    private static func require(
        _ rights: Int32, of path: String, _ what: String, _ work: String
    ) throws(StoreError) {
        guard faccessat(AT_FDCWD, path, rights, AT_EACCESS) != 0 else { return }
        let reason = errno
        let remedy = reason == EACCES ? "; let it \(work) \(path) (chown, chmod), or name another place" : ""
        throw StoreError(
            .cannotWrite,
            """
            killd's user (uid \(geteuid())) cannot \(work) \(what) \(path): \
            \(String(cString: strerror(reason)))\(remedy)
            """)
    }
}

/// What a process finds where it would open a store.
public enum StoreStanding: Hashable, Sendable {
    /// A store that nobody has open, or room for a new one.
    case free
    /// A store that a process holds: a killd that runs.
    case inUse
}

extension SQLiteStore {
    /// Finds out whether a store could be opened at `path`, as far as that can be
    /// told without creating or changing anything.
    ///
    /// - Throws: why it could not.
    public static func standing(of path: String) throws(StoreError) -> StoreStanding {
        try attempting("open the store \(path)") {
            let location = try StoreLocation(of: path)
            let lock = Glibc.open(location.path + ".lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
            if lock >= 0 {
                defer { Glibc.close(lock) }
                // Shared, and let go at once: it is in nobody's way but that of a killd that starts in this instant.
                if flock(lock, LOCK_SH | LOCK_NB) != 0, errno == EWOULDBLOCK { return .inUse }
            }
            guard access(location.path, F_OK) == 0 else { return .free }
            let file = try FileDescriptor(ofStore: location.path, flags: O_RDONLY)
            try StoreFile.checkDatabase(file, at: location.path)
            return .free
        }
    }
}
