import TestSupport
import Foundation
import PrivateDatabase
import XCTest

final class PrivateDatabaseTests: XCTestCase {
    private func needMariaDB() throws {
        let places = ["/usr/sbin", "/usr/bin", "/usr/local/sbin"]
        guard places.contains(where: { FileManager.default.isExecutableFile(atPath: "\($0)/mariadbd") }) else {
            throw XCTSkip("mariadbd is not installed (apt install mariadb-server)")
        }
    }

    /// The first bytes that a server sends to a TCP client, or `nil` if none listens.
    private func greeting(of port: UInt16) throws -> [UInt8]? {
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(client) }
        var deadline = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &deadline, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafeBytes(of: &address) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) {
                connect(client, $0.baseAddress, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(client, &bytes, bytes.count)
        return Array(bytes.prefix(max(0, count)))
    }

    func testServesOnLoopbackUntilStoppedAndLeavesNothingBehind() throws {
        try needMariaDB()
        let database = try PrivateDatabase.start(.mariadb)
        XCTAssertEqual(try XCTUnwrap(greeting(of: database.port)).dropFirst(4).first, 10)
        XCTAssertTrue(FileManager.default.fileExists(atPath: database.socket))
        database.stop()
        XCTAssertNil(try greeting(of: database.port))
        XCTAssertFalse(FileManager.default.fileExists(atPath: database.folder))
        database.stop()
    }

    func testRunsMySQLFromATree() throws {
        guard let root = ProcessInfo.processInfo.environment["KILLD_MYSQL_ROOT"], geteuid() == 0 else {
            throw XCTSkip("MySQL: needs KILLD_MYSQL_ROOT (a Debian tree with mysql-server) and root for chroot")
        }
        let database = try PrivateDatabase.start(.mysql(root: root))
        XCTAssertEqual(try XCTUnwrap(greeting(of: database.port)).dropFirst(4).first, 10)
        database.stop()
        XCTAssertFalse(FileManager.default.fileExists(atPath: database.folder))
    }

    func testARestartedServerHasItsPortAndItsData() throws {
        try needMariaDB()
        let database = try PrivateDatabase.start(.mariadb)
        let mark = "\(database.folder)/data/mark"
        XCTAssertTrue(FileManager.default.createFile(atPath: mark, contents: nil))
        let before = try XCTUnwrap(greeting(of: database.port))
        try database.restart()
        let after = try XCTUnwrap(greeting(of: database.port))
        XCTAssertTrue(FileManager.default.fileExists(atPath: mark))
        XCTAssertNotEqual(before, after, "salt and thread id differ between any two greetings")
        database.stop()
        XCTAssertThrowsError(try database.restart())
    }

    func testTheReleaseOfTheObjectEndsTheServer() throws {
        try needMariaDB()
        let port = try PrivateDatabase.start(.mariadb).port
        XCTAssertNil(try greeting(of: port))
    }

    func testAnUnknownOptionIsReportedWithTheServersOwnWords() throws {
        try needMariaDB()
        XCTAssertThrowsError(try PrivateDatabase.start(.mariadb, options: ["--no-such-option"])) { error in
            XCTAssertTrue("\(error)".contains("no-such-option"), "\(error)")
        }
    }

    func testAMySQLTreeThatIsNotThereIsRefused() throws {
        let root = FileManager.default.temporaryDirectory.path + "/killd-no-such-root"
        XCTAssertThrowsError(try PrivateDatabase.start(.mysql(root: root))) { error in
            XCTAssertTrue("\(error)".contains(root), "\(error)")
        }
    }

    func testNoServerSurvivesAKilledProcess() throws {
        try needMariaDB()
        let role = "KILLD_TEST_HOLDS_DATABASE"
        if ProcessInfo.processInfo.environment[role] != nil {
            // The process to be killed: this very test, run again below.
            let database = try PrivateDatabase.start(.mariadb)
            try FileHandle.standardOutput.write(contentsOf: Data("holds \(database.port) \(database.folder)\n".utf8))
            while true { sleep(60) }
        }
        let holder = Process()
        holder.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        holder.arguments = ["PrivateDatabaseTests.PrivateDatabaseTests/testNoServerSurvivesAKilledProcess"]
        holder.environment = ProcessInfo.processInfo.environment.merging([role: "1"]) { $1 }
        let output = Pipe()
        holder.standardOutput = output
        try holder.run()
        defer { kill(holder.processIdentifier, SIGKILL) }
        var text = ""
        // XCTest's own lines come on the same stream.
        while !text.contains(/holds .*\n/) {
            let bytes = output.fileHandleForReading.availableData
            guard !bytes.isEmpty else { return XCTFail("the holder ended: \(text)") }
            text += String(decoding: bytes, as: UTF8.self)
        }
        let line = try XCTUnwrap(text.firstMatch(of: /holds (\d+) (\S+)\n/)).output
        let port = try XCTUnwrap(UInt16(line.1))
        let folder = String(line.2)
        XCTAssertNotNil(try greeting(of: port))

        kill(holder.processIdentifier, SIGKILL)
        XCTAssertTrue(try eventually { try greeting(of: port) == nil })
        XCTAssertTrue(eventually { !FileManager.default.fileExists(atPath: folder) })
    }
}
