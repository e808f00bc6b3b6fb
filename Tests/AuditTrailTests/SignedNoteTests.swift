import Cryptography
import Foundation
import XCTest

@testable import AuditTrail

final class SignedNoteTests: XCTestCase {
    /// The example of Go's golang.org/x/mod/sumdb/note, whose form C2SP's signed notes have.
    func testANoteOfAnotherProgramVerifiesWithItsKeyAndWithNoOther() throws {
        let text = """
            If you think cryptography is the answer to your problem,
            then you don't know what your problem is.

            """
        let line = """
            — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
            """
        let key = try XCTUnwrap(Data(base64Encoded: "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")).dropFirst()
        let signature = try XCTUnwrap(SignedNote.Signature(line: Array(line.utf8)[...]))
        let note = SignedNote(text: text, signature: signature)
        XCTAssertEqual(note.note, "\(text)\n\(line)\n")
        XCTAssertTrue(try note.isSigned(by: try XCTUnwrap(Ed25519PublicKey(bytes: Array(key)))))
        let changed = SignedNote(text: text.replacing("problem", with: "question"), signature: signature)
        XCTAssertFalse(try changed.isSigned(by: try XCTUnwrap(Ed25519PublicKey(bytes: Array(key)))))
        let other = try Ed25519PrivateKey().publicKey
        XCTAssertFalse(try note.isSigned(by: other))
    }

    func testASignedHeadIsFoundInTheExportBehindWhoseLinesItStands() throws {
        let key = try Ed25519PrivateKey()
        let head = KnownHead(
            sequence: 7, hash: String(repeating: "a", count: 64), store: "5ea1",
            place: KnownHead.Place(file: "export", line: 0))
        let note = try SignedNote(head, key: key, name: "audit.example/killd")
        var search = HeadSearch(file: "export")
        for line in "{\"at\":1,\"kind\":\"created\",\"seq\":1}\n\n\(note.note)".split(
            separator: "\n", omittingEmptySubsequences: false)
        {
            search.take(Array(line.utf8)[...])
        }
        XCTAssertEqual(search.heads.map(\.sequence), [7])
        XCTAssertEqual(search.notes.map(\.head.store), ["5ea1"])
        let publicKey = try key.publicKey
        XCTAssertEqual(try search.notes.map { try $0.note.isSigned(by: publicKey) }, [true])
    }

    func testKeysAreReadAsOpenSSLWritesThemAndNoOthersAre() throws {
        let key = try Ed25519PrivateKey()
        guard let copy = Ed25519PrivateKey(pem: try key.pem) else { return XCTFail("no key") }
        let publicKey = try key.publicKey
        XCTAssertEqual(try copy.publicKey, publicKey)
        XCTAssertEqual(Ed25519PublicKey(pem: try publicKey.pem()), publicKey)
        XCTAssertTrue(try publicKey.verifies(try copy.signature(of: [1, 2, 3]), of: [1, 2, 3]))
        XCTAssertFalse(try publicKey.verifies(try copy.signature(of: [1, 2, 3]), of: [1, 2]))
        for text in ["", "no key", String(decoding: try publicKey.pem(), as: UTF8.self)] {
            guard case .none = Ed25519PrivateKey(pem: Array(text.utf8)) else { return XCTFail(text) }
        }
    }
}
