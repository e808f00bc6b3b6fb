import FileDescriptors
import Glibc

/// A file that cannot be read, and why, in the system's words.
struct UnreadableFile: Error, CustomStringConvertible {
    let description: String

    fileprivate init(_ path: String, _ error: FileError) {
        let reader = error.number == EACCES ? " for killd's user (uid \(geteuid()))" : ""
        description = "\(path) cannot be read\(reader): \(error.words)"
    }
}

extension [UInt8] {
    /// Far more than a configuration, or anything that it names, has.
    private static var mostBytesOfFile: Int { 16 << 20 }

    /// What a file holds.
    init(contentsOf path: String) throws(UnreadableFile) {
        do throws(FileError) {
            let file = try FileDescriptor(opening: path, flags: O_RDONLY)
            self = try file.contents(mostBytes: Self.mostBytesOfFile)
        } catch {
            throw UnreadableFile(path, error)
        }
    }
}
