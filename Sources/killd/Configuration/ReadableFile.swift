import Glibc

/// A file that cannot be read, and why, in the system's words.
struct UnreadableFile: Error, CustomStringConvertible {
    let description: String

    fileprivate init(_ path: String, _ number: Int32) {
        let reader = number == EACCES ? " for killd's user (uid \(geteuid()))" : ""
        description = "\(path) cannot be read\(reader): \(String(cString: strerror(number)))"
    }
}

extension [UInt8] {
    /// Far more than a configuration, or anything that it names, has.
    private static var mostBytesOfFile: Int { 16 << 20 }

    /// What a file holds.
    init(contentsOf path: String) throws(UnreadableFile) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw UnreadableFile(path, errno) }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count == 0 { break }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw UnreadableFile(path, errno)
            }
            content += buffer[..<count]
            guard content.count <= Self.mostBytesOfFile else { throw UnreadableFile(path, EFBIG) }
        }
        self = content
    }
}
