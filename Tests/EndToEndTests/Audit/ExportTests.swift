import Foundation
import TestSupport
import XCTest

final class ExportTests: XCTestCase {
    func testAnExportIsSignedByAKeyOfKilldOrOfOpenSSLAndProvesTheStoreToWhoHasThePublicKey() async throws {
        let scene = try await AuditScene()
        let folder = scene.folder
        let made = try await KilldProcess.run(["audit", "init-key", "--output", folder.file("one")])
        XCTAssertEqual(made.status, 0, made.error)
        let rights = try FileManager.default.attributesOfItem(atPath: folder.file("one"))[.posixPermissions] as? Int
        XCTAssertEqual(rights, 0o600)
        let again = try await KilldProcess.run(["audit", "init-key", "--output", folder.file("one")])
        XCTAssertTrue(again.error.contains("exists already and was left as it is"), again.error)
        for arguments in [
            ["genpkey", "-algorithm", "ed25519", "-out", folder.file("two")],
            ["pkey", "-in", folder.file("two"), "-pubout", "-out", folder.file("two.pub")],
            ["genpkey", "-algorithm", "RSA", "-out", folder.file("rsa")],
        ] {
            let openssl = try await FinishedProgram.run("/usr/bin/openssl", arguments)
            XCTAssertEqual(openssl.status, 0, openssl.error)
        }
        for key in ["one", "two"] {
            let export = try await KilldProcess.run(
                ["audit", "export", "--store", scene.store, "--key", folder.file(key)])
            XCTAssertEqual(export.status, 0, export.error)
            try folder.write(Data(export.output.utf8), to: "export")
            let lines = export.output.split(separator: "\n", omittingEmptySubsequences: false)
            XCTAssertEqual(
                lines.prefix(11).map(String.init),
                try scene.rows("SELECT payload FROM audit_entries ORDER BY seq").map(\.[0]))
            XCTAssertEqual(lines[11], "")
            XCTAssertEqual(lines[12], "killd-audit-1")
            XCTAssertTrue(lines[15].hasPrefix("— killd-audit "), export.output)
            let arguments = ["--against", folder.file("export"), "--public-key"]
            let proven = try await scene.verify(arguments + [folder.file(key + ".pub")])
            XCTAssertEqual(proven.status, 0, proven.output)
            XCTAssertTrue(
                proven.output.contains("all on this chain; 1 signed by the key, the last at 11"), proven.output)
            let other = try await scene.verify(arguments + [folder.file(key == "one" ? "two.pub" : "one.pub")])
            XCTAssertEqual(other.status, 1)
            XCTAssertTrue(
                other.output.contains("BROKEN   \(folder.file("export")):16: the head there is not signed by the key"),
                other.output)
        }
        let rsa = try await KilldProcess.run(["audit", "export", "--store", scene.store, "--key", folder.file("rsa")])
        XCTAssertTrue(rsa.error.contains("holds no private key of Ed25519"), rsa.error)
        try await scene.forge("UPDATE audit_entries SET payload = replace(payload, 'bob', 'eve') WHERE seq = 3")
        let broken = try await KilldProcess.run([
            "audit", "export", "--store", scene.store, "--key", folder.file("one"),
        ])
        XCTAssertEqual(broken.status, 1)
        XCTAssertFalse(broken.output.contains("— "), broken.output)
    }

    /// With what the page `Audit` tells people to type.
    func testTheChainCanBeCheckedByHand() async throws {
        let scene = try await AuditScene()
        let page = try String(
            contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("../../../Sources/killd/killd.docc/Audit.md"), encoding: .utf8)
        let script = try XCTUnwrap(page.firstMatch(of: /```sh\n(previous=[\s\S]*?)```/)?.1)
        func check() async throws -> String {
            let shell = try await FinishedProgram.run(
                "/bin/sh", ["-c", "cd \(scene.folder.path); PATH=$PATH:/usr/bin:/bin; \(script)"])
            XCTAssertEqual(shell.error, "")
            return shell.output
        }
        let fine = try await check()
        XCTAssertEqual(fine, "")
        try await scene.forge("UPDATE audit_entries SET payload = replace(payload, 'bob', 'eve') WHERE seq = 3")
        let altered = try await check()
        XCTAssertEqual(altered, "entry 3: the payload was altered\n")
    }
}
