import FileDescriptors
import Glibc
import XCTest

final class FileDescriptorTests: XCTestCase {
    private var folder = ""

    override func setUp() {
        var path = Array("/tmp/killd-descriptors-XXXXXX".utf8CString)
        XCTAssertNotNil(mkdtemp(&path))
        folder = String(decoding: path.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    override func tearDown() {
        unlink(folder + "/file")
        rmdir(folder)
    }

    /// Makes a file of so many bytes.
    private func makeFile(bytes count: Int) throws -> String {
        let file = try FileDescriptor(opening: folder + "/file", flags: O_WRONLY | O_CREAT | O_TRUNC)
        XCTAssertEqual(write(file.number, [UInt8](repeating: 0x78, count: count), count), count)
        return folder + "/file"
    }

    private func reason(_ body: () throws(FileError) -> Void) -> String {
        do throws(FileError) {
            try body()
            return "none"
        } catch {
            return "\(error)"
        }
    }

    func testADescriptorIsClosedAtTheEndOfItsOwner() throws {
        func numberOfClosed() throws -> Int32 {
            let file = try FileDescriptor(opening: "/dev/null", flags: O_RDONLY)
            XCTAssertEqual(fcntl(file.number, F_GETFD), FD_CLOEXEC)
            return file.number
        }
        let number = try numberOfClosed()
        XCTAssertEqual(fcntl(number, F_GETFD), -1)
        XCTAssertEqual(errno, EBADF)
    }

    func testAFileIsReadWholeOrNotAtAll() throws {
        let path = try makeFile(bytes: 100_000)
        let file = try FileDescriptor(opening: path, flags: O_RDONLY)
        XCTAssertEqual(try file.contents(mostBytes: 100_000).count, 100_000)
        XCTAssertEqual(try file.contents(mostBytes: 0), [], "what was left to read")
        let again = try FileDescriptor(opening: path, flags: O_RDONLY)
        XCTAssertEqual(reason { () throws(FileError) in _ = try again.contents(mostBytes: 99_999) }, "tooLarge")
    }

    func testWhyAFileCannotBeOpenedOrReadIsTold() throws {
        let absent = folder + "/absent"
        XCTAssertEqual(
            reason { () throws(FileError) in _ = try FileDescriptor(opening: absent, flags: O_RDONLY) },
            "system(number: \(ENOENT))")
        let directory = try FileDescriptor(opening: folder, flags: O_RDONLY | O_DIRECTORY)
        XCTAssertEqual(
            reason { () throws(FileError) in _ = try directory.contents(mostBytes: 1) }, "system(number: \(EISDIR))")
    }

    func testAFileThatIsMadeIsItsOwnersAlone() throws {
        let path = try makeFile(bytes: 1)
        var status = stat()
        XCTAssertEqual(stat(path, &status), 0)
        XCTAssertEqual(status.st_mode & 0o777 & ~0o600, 0)
    }
}
