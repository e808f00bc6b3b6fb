import TestSupport
import XCTest

/// What killd needs of a machine: with every further library goes a package to install and, in a static build, its
/// size. Foundation alone brings 40 MB of ICU.
final class LinkageTests: XCTestCase {
    /// Those of glibc, which every program has.
    private static let system: Set = ["libc", "libm", "libdl", "librt", "libpthread"]
    private static let swift: Set = ["libdispatch", "libBlocksRuntime", "libFoundationEssentials"]

    func testKilldNeedsOpenSSLSQLiteAndAMySQLClientAndNothingElse() async throws {
        let environment = ProcessInfo.processInfo.environment
        let isSanitized = environment["TSAN_OPTIONS"] != nil || environment["ASAN_OPTIONS"] != nil
        try XCTSkipIf(isSanitized && environment["KILLD_PROGRAM"] == nil, "a sanitizer needs libraries of its own")
        let section = try await FinishedProgram.run(
            "/usr/bin/env", ["readelf", "--dynamic", "--wide", KilldProcess.path])
        XCTAssertEqual(section.status, 0, section.error)
        let needed = section.output.matches(of: /\(NEEDED\).*\[([^\].]+)\.so/).map { String($0.1) }
        XCTAssertTrue(needed.contains("libswiftCore"), section.output)
        let others = Set(needed).subtracting(Self.system).subtracting(Self.swift)
            .filter { !$0.hasPrefix("libswift") && !$0.hasPrefix("ld-linux") }
        // Debian has MariaDB's client library, Ubuntu MySQL's.
        let client = others.contains("libmysqlclient") ? "libmysqlclient" : "libmariadb"
        XCTAssertEqual(others, ["libcrypto", "libssl", "libsqlite3", client])
    }
}
