import Glibc

/// The one owner of a file descriptor, which it closes at its end.
public struct FileDescriptor: ~Copyable, Sendable {
    public let number: Int32

    /// - Parameter number: an open descriptor that nobody else closes.
    public init(owning number: Int32) { self.number = number }

    // Not repeated after EINTR: Linux has released the number by then, and another thread may own it (close(2)).
    deinit { close(number) }
}

/// Why a file cannot be opened or read.
public enum FileError: Error {
    /// - `number`: what the system set `errno` to.
    case system(number: Int32)
    /// The file has more bytes than were to be read.
    case tooLarge

    /// What the system set `errno` to.
    public var number: Int32 {
        switch self {
        case .system(let number): number
        case .tooLarge: EFBIG
        }
    }

    /// The same in the system's words.
    public var words: String { String(cString: strerror(number)) }
}

extension FileDescriptor {
    /// Opens a file, which no program started later inherits.
    ///
    /// - Parameters:
    ///   - flags: of open(2). A file that this creates can be read and written by
    ///     its owner only.
    /// - Throws: ``FileError/system(number:)``.
    public init(opening path: String, flags: Int32) throws(FileError) {
        let number = open(path, flags | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw .system(number: errno) }
        self.init(owning: number)
    }

    /// What is left to be read of the file.
    public func contents(mostBytes: Int) throws(FileError) -> [UInt8] {
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = read(number, &buffer, buffer.count)
            if count == 0 { return content }
            if count > 0 {
                content += buffer[..<count]
                guard content.count <= mostBytes else { throw .tooLarge }
            } else if errno != EINTR {
                throw .system(number: errno)
            }
        }
    }
}
