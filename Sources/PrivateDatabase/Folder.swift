import FileDescriptors
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
    do throws(FileError) {
        let file = try FileDescriptor(opening: path, flags: O_RDONLY)
        lseek(file.number, max(0, lseek(file.number, 0, SEEK_END) - 4_096), SEEK_SET)
        return String(decoding: try file.contents(mostBytes: 65_536), as: UTF8.self)
    } catch {
        return "\(path): \(error.words)"
    }
}
