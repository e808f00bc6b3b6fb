import AuditTrail
import Cryptography
import FileDescriptors
import Glibc

/// What texts outside of a store tell of its audit.
struct OutsideHeads {
    private(set) var heads: [KnownHead] = []
    /// Heads that are signed by the key.
    private(set) var signed: [KnownHead] = []
    /// Where a head is signed, and not by the key.
    private(set) var unsigned: [KnownHead.Place] = []
    private(set) var files = 0

    /// A longer line is none that killd wrote.
    private static let longestLine = 16 << 20

    /// - Parameter key: by which heads in signed notes are to be signed.
    /// - Throws: ``CommandFailure`` if the file cannot be read.
    mutating func read(_ path: String, key: Ed25519PublicKey?) throws {
        files += 1
        var search = HeadSearch(file: path)
        do throws(FileError) {
            try Self.forEachLine(of: path) { search.take($0) }
        } catch {
            throw CommandFailure("\(path) cannot be read: \(error.words)")
        }
        if search.heads.isEmpty, let content = try? [UInt8](contentsOf: path) {
            // An answer that somebody kept may stand over several lines.
            heads += HeadSearch.heads(inDocument: content, file: path)
        }
        heads += search.heads
        guard let key else { return }
        for (note, head) in search.notes {
            if try note.isSigned(by: key) { signed.append(head) } else { unsigned.append(head.place) }
        }
    }

    private static func forEachLine(
        of path: String, _ body: (ArraySlice<UInt8>) -> Void
    ) throws(FileError) {
        let file = try FileDescriptor(opening: path, flags: O_RDONLY)
        var waiting: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = Glibc.read(file.number, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system(number: errno) }
            guard count > 0 else { break }
            waiting += buffer[..<count]
            guard waiting.count <= longestLine else { throw .tooLarge }
            var start = waiting.startIndex
            while let end = waiting[start...].firstIndex(of: UInt8(ascii: "\n")) {
                body(waiting[start..<end])
                start = end + 1
            }
            waiting.removeFirst(start)
        }
        if !waiting.isEmpty { body(waiting[...]) }
    }
}
