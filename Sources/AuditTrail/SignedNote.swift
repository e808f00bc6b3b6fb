import Cryptography
import FoundationEssentials

/// The head of an audit as a signed note (c2sp.org/signed-note): a text, an empty line, and a line with a signature
/// over the text.
public struct SignedNote: Sendable {
    /// The first line of the text. The second is the head.
    static let firstLine = "killd-audit-1"

    /// With the line feed at its end: all that is signed.
    public let text: String
    public let signature: Signature

    public struct Signature: Sendable {
        /// Of the key: without blanks and without `+`.
        public let name: String
        /// In Base64: four bytes that tell the key, and the signature.
        let base64: String
    }

    init(text: String, signature: Signature) {
        self.text = text
        self.signature = signature
    }

    /// Signs a head.
    ///
    /// - Parameter name: of the key: not empty, without blanks and without `+`.
    public init(
        _ head: KnownHead, key: borrowing Ed25519PrivateKey, name: String
    ) throws(CryptographyError) {
        let text = "\(Self.firstLine)\n\(head.line)\n"
        let bytes = try Self.keyID(name: name, try key.publicKey) + key.signature(of: Array(text.utf8))
        self.init(
            text: text, signature: Signature(name: name, base64: Data(bytes).base64EncodedString()))
    }

    /// The note, the line feed at its end included.
    public var note: String { "\(text)\n— \(signature.name) \(signature.base64)\n" }

    /// Whether it is signed by a key.
    public func isSigned(by key: Ed25519PublicKey) throws(CryptographyError) -> Bool {
        guard let bytes = Data(base64Encoded: signature.base64).map({ Array($0) }),
            bytes.count > 4, Array(bytes[..<4]) == (try Self.keyID(name: signature.name, key))
        else { return false }
        return try key.verifies(Array(bytes[4...]), of: Array(text.utf8))
    }

    /// What tells keys of one name apart.
    private static func keyID(name: String, _ key: Ed25519PublicKey) throws(CryptographyError) -> [UInt8] {
        // 1 stands for Ed25519.
        Array(try Digest.sha256.hash(Array(name.utf8) + [UInt8(ascii: "\n"), 1] + key.bytes)[..<4])
    }

    /// Whether a key can have the name.
    public static func canBeKeyName(_ name: String) -> Bool {
        !name.isEmpty && !name.unicodeScalars.contains { $0 == "+" || $0.properties.isWhitespace || $0.value < 0x20 }
    }
}

extension SignedNote.Signature {
    /// - Parameter line: without its end; nil for any other line.
    init?(line: ArraySlice<UInt8>) {
        // By bytes: by characters a stranger's combining marks would take long.
        let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].elementsEqual("—".utf8), !parts[2].isEmpty,
            let name = String(validating: parts[1], as: UTF8.self), SignedNote.canBeKeyName(name),
            let base64 = String(validating: parts[2], as: UTF8.self)
        else { return nil }
        self.name = name
        self.base64 = base64
    }
}
