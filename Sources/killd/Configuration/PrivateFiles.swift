import Glibc
import Parameters

extension Configuration {
    /// The files that hold secrets, or what people may not see, and that others
    /// than their owner and group can read or write.
    var exposedFiles: [ExposedFile] {
        let store = ["", "-wal", "-shm"].map { self.store + $0 }
        return (privateFiles + store).compactMap(ExposedFile.init)
    }
}

/// A file that every user of the machine can read or write.
struct ExposedFile: Sendable {
    let path: String
    let finding: String

    /// `nil` if it is not exposed, or not there.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        let ways = [(S_IROTH, "read"), (S_IWOTH, "written")].filter { status.st_mode & $0.0 != 0 }.map(\.1)
        guard !ways.isEmpty else { return nil }
        self.path = path
        finding =
            "\(path) can be \(ways.joined(separator: " and ")) by every user of this machine; "
            + "run: chmod o-rwx \(path)"
    }
}

extension ParameterTree {
    /// The paths of all secrets that stand in files of their own, as they are
    /// written in a configuration.
    var secretFiles: [String] {
        switch self {
        case .object(let members):
            members.flatMap { member -> [String] in
                if case .string(let path) = member.value, ["file", "privateKey"].contains(member.name) {
                    return [path]
                }
                return member.value.secretFiles
            }
        case .array(let elements): elements.flatMap(\.secretFiles)
        case .string, .number, .boolean, .null, .text: []
        }
    }
}
