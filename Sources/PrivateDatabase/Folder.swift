import Glibc

extension DatabaseProgram {
    /// Where the folder of a private database is made: `TMPDIR`, or inside the
    /// tree that the server sees.
    var temporaryFolder: String {
        switch self {
        case .mariadb: getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        case .mysql(let root): "\(root)/tmp"
        }
    }
}

/// Makes a folder that nobody else can read.
func makeTemporaryFolder(in parent: String) throws(PrivateDatabaseError) -> String {
    var path = Array("\(parent)/killd-database-XXXXXX".utf8CString)
    guard mkdtemp(&path) != nil else { throw PrivateDatabaseError(systemCall: "mkdtemp in \(parent)") }
    return String(decoding: path.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// The last 4 KB of a log, or why it cannot be read.
func endOfFile(_ path: String) -> String {
    let number = open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { return "\(path): \(String(cString: strerror(errno)))" }
    defer { close(number) }
    let size = 4_096
    lseek(number, max(0, lseek(number, 0, SEEK_END) - size), SEEK_SET)
    var bytes = [UInt8](repeating: 0, count: size)
    let count = read(number, &bytes, size)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
}
