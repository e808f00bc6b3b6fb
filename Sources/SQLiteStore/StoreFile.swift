import FileDescriptors
import Glibc
import SessionKill

/// Owns the right to use one store: exclusive locks (`flock`) on the file
/// `<store>.lock` and on the store itself, so that two killd never share a store.
///
/// The locks end with their owner, a killed process included. SQLite's own
/// locks, which are of another kind (`fcntl`), are left alone, so that people can
/// read a store in use with the sqlite3 program.
struct StoreFile: ~Copyable {
    /// Absolute and free of symbolic links, so that every name of a store leads to the same lock.
    let path: String
    private let lock: FileDescriptor
    /// Whatever name leads to the file, hard links included. Closing it drops all
    /// locks that SQLite holds on the database in this process
    /// (sqlite.org/howtocorrupt.html, 2.2), so it must outlive the connection.
    private let database: FileDescriptor

    /// Takes the lock beside the store, creates the store, empty and for the
    /// owner's eyes only, if there is none, and locks it too.
    ///
    /// The lock beside it comes first: who does not get it must not have opened
    /// and closed the store.
    init(path: String) throws(StoreError) {
        let path = try StoreLocation(of: path).path
        // The name is a guess of ours: a link there may lead to anybody's file.
        let lock = try FileDescriptor(ofStore: path + ".lock", flags: O_RDWR | O_CREAT | O_NOFOLLOW)
        try Self.lock(lock, named: path + ".lock")
        let exists = access(path, F_OK) == 0
        let database = try FileDescriptor(ofStore: path, flags: exists ? O_RDWR : O_RDWR | O_CREAT | O_EXCL)
        try Self.lock(database, named: path)
        if exists { try Self.checkDatabase(database, at: path) } else { try Self.makeNameDurable(of: path) }
        self.path = path
        self.lock = lock
        self.database = database
    }

    private static func lock(_ file: borrowing FileDescriptor, named path: String) throws(StoreError) {
        guard flock(file.number, LOCK_EX | LOCK_NB) != 0 else { return }
        guard errno != EWOULDBLOCK else {
            throw StoreError(.busy, "another process holds the store: \(path) is locked")
        }
        throw StoreError(.cannotWrite, "cannot lock \(path): \(systemErrorText())")
    }

    /// The first 16 bytes of every database (sqlite.org/fileformat2.html, 1.3.1).
    private static let databaseHeader = Array("SQLite format 3\0".utf8)

    /// Refuses a write-protected file, which SQLite would open for reading
    /// without a word, and one that does not begin as a database does: SQLite
    /// takes one of a few bytes for an empty database and writes over it.
    static func checkDatabase(_ file: borrowing FileDescriptor, at path: String) throws(StoreError) {
        var beginning = [UInt8](repeating: 0, count: databaseHeader.count)
        let count = read(file.number, &beginning, beginning.count)
        guard count >= 0 else { throw StoreError(.cannotWrite, "cannot read \(path): \(systemErrorText())") }
        guard count == 0 || beginning == databaseHeader else {
            throw StoreError(.damaged, "the file is no database")
        }
    }

    /// A new file outlives a power failure only once its folder is on disk too.
    private static func makeNameDurable(of path: String) throws(StoreError) {
        let folder = StoreLocation.folder(of: path)
        let descriptor = try FileDescriptor(ofStore: folder, flags: O_RDONLY | O_DIRECTORY)
        guard fsync(descriptor.number) == 0 else {
            throw StoreError(.cannotWrite, "cannot sync \(folder): \(systemErrorText())")
        }
    }
}

/// The files that SQLite has open of a store: the database and its WAL, which
/// is there as long as the store is open.
///
/// SQLite goes on writing to a file that was deleted or renamed, or whose place
/// another has taken, and nobody would find again what it wrote.
struct OpenFiles {
    private struct Identity: Equatable {
        let device: dev_t
        let inode: ino_t

        /// The file at `path`; `nil` if there is none.
        init?(_ path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            device = status.st_dev
            inode = status.st_ino
        }
    }

    private let files: [(path: String, identity: Identity)]

    static let none = OpenFiles(files: [])

    private init(files: [(path: String, identity: Identity)]) { self.files = files }

    init(of store: borrowing StoreFile) throws(StoreError) {
        var files: [(String, Identity)] = []
        for path in [store.path, store.path + "-wal"] {
            guard let identity = Identity(path) else { throw StoreError(.cannotWrite, "\(path) is not there") }
            files.append((path, identity))
        }
        self.files = files
    }

    /// Whether whoever opens the store now gets the same files.
    var areInPlace: Bool { files.allSatisfy { Identity($0.path) == $0.identity } }
}

extension FileDescriptor {
    init(ofStore path: String, flags: Int32) throws(StoreError) {
        do throws(FileError) {
            try self.init(opening: path, flags: flags)
        } catch {
            let reason =
                switch error {
                case .system(number: ELOOP): "it is a symbolic link; remove it"
                case .system(let number): String(cString: strerror(number))
                case .tooLarge: "it is too large"
                }
            throw StoreError(.cannotWrite, "cannot open \(path): \(reason)")
        }
    }
}

func systemErrorText() -> String { String(cString: strerror(errno)) }
