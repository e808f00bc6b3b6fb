import Foundation
import XCTest

/// A file system of two megabytes in memory, which a test can fill up. At its owner's end it is unmounted.
public final class SmallDisk {
    private let folder: TestFolder
    public var path: String { folder.path }

    /// - Throws: `XCTSkip` in words where mounting is not allowed.
    public static func mount() async throws -> SmallDisk {
        let folder = try TestFolder()
        let mount = try await FinishedProgram.run(
            "/bin/mount", ["-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", folder.path])
        guard mount.status == 0 else {
            guard ["permission denied", "not permitted", "superuser"].contains(where: mount.error.contains) else {
                throw ProgramError("mount: \(mount.error)")
            }
            throw XCTSkip("needs the right to mount a file system: \(mount.error)")
        }
        return SmallDisk(folder)
    }

    private init(_ folder: TestFolder) { self.folder = folder }

    deinit {
        // Lazily: a program under test may still have a file open.
        let unmount = try? Process.run(URL(fileURLWithPath: "/bin/umount"), arguments: ["--lazy", path])
        unmount?.waitUntilExit()
    }

    /// Writes until not one byte more has room.
    public func fill() throws {
        let file = open(fillerPath, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw POSIXError(.EIO) }
        defer { close(file) }
        var size = 64 * 1024
        let zeros = [UInt8](repeating: 0, count: size)
        while size > 0 {
            if write(file, zeros, size) <= 0 { size /= 2 }
        }
    }

    public func makeRoom() throws { try FileManager.default.removeItem(atPath: fillerPath) }

    private var fillerPath: String { folder.file("filler") }
}
