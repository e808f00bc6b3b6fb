import HTTPServer
import Parameters
import RequestSigning
import Text

extension IncomingDASRequest {
    /// The server's string to sign for an error, of which clients compare the end
    /// with their own.
    ///
    /// The request of a kill carries a database password, which must not come
    /// back: it is replaced before the text is made. Of V3 the text has a hash
    /// only, but everything else that goes into the hash is known to whoever sees
    /// the request's head, so it could be used to try passwords.
    func echo(of signature: CommonDASParameters.Signature) throws(DASError) -> String {
        switch signature {
        case .v1:
            let redacted = pairs.map { (name: $0.name, value: isPassword($0.name) ? Self.redacted : $0.value) }
            let text = RPCSignedRequest(httpMethod: http.method, parameters: redacted, signature: "").stringToSign
            guard text.utf8.count > Self.longestEcho else { return text }
            return text.beginning(bytes: Self.longestEcho) + "..."
        case .v3(let signed):
            guard !pairs.contains(where: { isPassword($0.name) }), !hasPasswordInJSON else {
                return "ACS3-HMAC-SHA256\n\(Self.redacted)"
            }
            do {
                return try signed.stringToSign()
            } catch {
                throw .internalError(cause: error)
            }
        }
    }

    /// Whether the body may have a parameter of a password. It is not parsed for
    /// that: of a name with an escape nobody knows.
    private var hasPasswordInJSON: Bool {
        guard case .json(let bytes) = body else { return false }
        return bytes.contains(UInt8(ascii: "\\")) || isPassword(bytes)
    }

    /// A response must not repeat a long request. Whoever calls an action with
    /// ordinary parameters sees all of the text; in bytes.
    private static let longestEcho = 4_096

    /// The text in place of a password, without a colon: the Python core SDK takes
    /// what stands behind the last one.
    private static let redacted = "REDACTED"
}

/// Whether a parameter of this name holds a password, however it is spelled.
private func isPassword(_ name: String) -> Bool { isPassword(Array(name.utf8)) }

private func isPassword(_ name: [UInt8]) -> Bool {
    let word = Array("password".utf8)
    return name.indices.contains { start in
        // Most letters are none of the first.
        name[start] | 0x20 == word[0] && name[start...].prefix(word.count).map { $0 | 0x20 } == word
    }
}
