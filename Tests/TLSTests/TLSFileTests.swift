import Foundation
import TLS
import TestSupport
import XCTest

/// What files a server can be given, and what is said about the others.
final class TLSFileTests: XCTestCase {
    private func rejection(
        certificate: String, privateKey: String, clientAuthorities: String? = nil, file: StaticString = #filePath,
        line: UInt = #line
    ) -> TLSError? {
        do {
            _ = try TLSServerContext(
                certificate: certificate, privateKey: privateKey, clientAuthorities: clientAuthorities)
        } catch {
            return error
        }
        XCTFail("nothing was refused", file: file, line: line)
        return nil
    }

    func testEveryMistakeNamesItsFileAndWhatIsWrong() throws {
        let made = try TestCertificates()
        let server = made.server
        let text = made.file("text")
        try Data("no certificate\n".utf8).write(to: URL(fileURLWithPath: text))
        let damaged = made.file("damaged.pem")
        let pem = try String(contentsOfFile: server.certificate, encoding: .utf8)
        try Data((pem + pem.replacing("MII", with: "MIJ")).utf8).write(to: URL(fileURLWithPath: damaged))
        let encrypted = try [false, true].map { try made.makeEncryptedKey(traditional: $0) }
        let weak = try made.make("weak", key: .rsa(bits: 1024))
        let none = made.file("none")
        let folder = made.folderPath

        let mistakes: [(certificate: String, key: String, authorities: String?, role: TLSError.Role, says: String)] = [
            (none, server.key, nil, .certificate, "the file \(none) cannot be read: No such file or directory"),
            (folder, server.key, nil, .certificate, "cannot be read: Is a directory"),
            ("/dev/zero", server.key, nil, .certificate, "is larger than"),
            (text, server.key, nil, .certificate, "holds no certificate in PEM form"),
            (server.key, server.key, nil, .certificate, "holds no certificate in PEM form"),
            (damaged, server.key, nil, .certificate, "certificate 2 in the file \(damaged) is damaged"),
            (weak.certificate, weak.key, nil, .certificate, "ee key too small"),
            (server.certificate, none, nil, .privateKey, "No such file or directory"),
            (server.certificate, text, nil, .privateKey, "holds no private key in PEM form"),
            (server.certificate, server.certificate, nil, .privateKey, "holds no private key in PEM form"),
            (server.certificate, encrypted[0], nil, .privateKey, "is encrypted"),
            (server.certificate, encrypted[1], nil, .privateKey, "is encrypted"),
            (server.certificate, made.authority.key, nil, .privateKey, "does not fit the first certificate"),
            (server.certificate, weak.key, nil, .privateKey, "does not fit the first certificate"),
            (server.certificate, server.key, none, .authorities, "No such file or directory"),
            (server.certificate, server.key, text, .authorities, "holds no certificate in PEM form"),
        ]
        for (certificate, key, authorities, role, says) in mistakes {
            let error = rejection(certificate: certificate, privateKey: key, clientAuthorities: authorities)
            XCTAssertEqual(error?.role, role, says)
            XCTAssertEqual(error?.description.contains(says), true, "\(error?.description ?? "") lacks \(says)")
        }
    }

    func testAChainAndItsKeyMayStandInOneFile() throws {
        let made = try TestCertificates()
        let whole = made.file("whole.pem")
        let parts = [made.server.key, made.server.certificate, made.authority.certificate]
        let text = try parts.map { try String(contentsOfFile: $0, encoding: .utf8) }.joined()
        try Data(text.utf8).write(to: URL(fileURLWithPath: whole))
        let context = try TLSServerContext(certificate: whole, privateKey: whole, clientAuthorities: whole)
        XCTAssertEqual(context.warnings, [])
    }

    func testACertificateThatHasExpiredIsTakenWithAWarning() throws {
        let made = try TestCertificates()
        let pair = try made.makeExpired()
        let warnings = try TLSServerContext(certificate: pair.certificate, privateKey: pair.key).warnings
        XCTAssertEqual(warnings.count, 1)
        let expected = /the certificate in .+expired\.pem expired on \d{4}-\d{2}-\d{2}/
        XCTAssertNotNil(warnings.first?.wholeMatch(of: expected), "\(warnings)")
    }
}
