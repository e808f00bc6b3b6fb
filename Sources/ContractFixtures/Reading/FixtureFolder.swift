import FileDescriptors
import FoundationEssentials
import Glibc
import Text

/// A folder with fixtures (`.json`), recordings (`.jsonl`) and, below `seeds`, seeds for a stand-in.
public struct FixtureFolder: Sendable {
    /// In the order of their paths.
    public let fixtures: [Fixture]

    /// Far more than a fixture has.
    private static let mostBytes = 64 << 20

    /// - Parameter path: a folder, or one of its files.
    /// - Throws: ``FixtureError`` for the first file with a mistake.
    public init(_ path: String) throws(FixtureError) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw FixtureError(path, "", "cannot be read: \(String(cString: strerror(errno)))")
        }
        let files = status.st_mode & S_IFMT == S_IFDIR ? try Self.files(below: path) : [""]
        var fixtures: [Fixture] = []
        for file in files {
            let full = file.isEmpty ? path : "\(path)/\(file)"
            let name = file.isEmpty ? path : file
            let bytes = try Self.contents(of: full, named: name)
            fixtures.append(
                try full.hasSuffix(".jsonl")
                    ? Fixture(recording: bytes, file: name) : Fixture(json: bytes, file: name))
        }
        guard !fixtures.isEmpty else {
            throw FixtureError(path, "", "holds no fixtures: no file ends in .json or .jsonl")
        }
        self.fixtures = fixtures
    }

    private static func files(below folder: String) throws(FixtureError) -> [String] {
        let all: [String]
        do {
            all = try FileManager.default.subpathsOfDirectory(atPath: folder)
        } catch {
            throw FixtureError(folder, "", "cannot be read: \(error)")
        }
        return all.filter { file in
            (file.hasSuffix(".json") || file.hasSuffix(".jsonl"))
                && !file.split(separator: "/").dropLast().contains("seeds")
        }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static func contents(of path: String, named name: String) throws(FixtureError) -> [UInt8] {
        do throws(FileError) {
            let file = try FileDescriptor(opening: path, flags: O_RDONLY)
            return try file.contents(mostBytes: mostBytes)
        } catch {
            throw FixtureError(name, "", "cannot be read: \(error.words)")
        }
    }
}
