import FileDescriptors
import Glibc

extension [UInt8] {
    /// Writes a file that must not be there yet, for its owner's eyes only.
    ///
    /// - Throws: ``CommandFailure``.
    func write(toNewFile path: String) throws(CommandFailure) {
        try write(to: path, flags: O_WRONLY | O_CREAT | O_EXCL)
    }

    /// Writes a file in the place of the one that may be there.
    ///
    /// - Throws: ``CommandFailure``.
    func write(toFile path: String) throws(CommandFailure) {
        try write(to: path, flags: O_WRONLY | O_CREAT | O_TRUNC)
    }

    private func write(to path: String, flags: Int32) throws(CommandFailure) {
        let file: FileDescriptor
        do throws(FileError) {
            file = try FileDescriptor(opening: path, flags: flags)
        } catch {
            let words = error.number == EEXIST ? " exists already and was left as it is" : ": \(error.words)"
            throw CommandFailure("\(path)\(words)")
        }
        let written = Glibc.write(file.number, self, count)
        guard written == count, fsync(file.number) == 0 || errno == EINVAL else {
            // A file that takes a part only has met the end of the disk, of which no call says anything yet.
            let reason = written >= 0 && written < count ? ENOSPC : errno
            throw CommandFailure("\(path): \(String(cString: strerror(reason)))")
        }
    }
}
