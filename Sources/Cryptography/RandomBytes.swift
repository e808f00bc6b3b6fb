import COpenSSL
import Synchronization

/// Cryptographically secure random bytes from OpenSSL.
public func randomBytes(count: Int) throws(CryptographyError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    guard RAND_bytes(&bytes, Int32(count)) == 1 else { throw CryptographyError(operation: "RAND_bytes") }
    return bytes
}

/// A random text of `count` characters, each equally likely one of `alphabet`.
///
/// - Parameter alphabet: 1 to 256 ASCII characters.
public func randomText(count: Int, alphabet: String) throws(CryptographyError) -> String {
    let characters = Array(alphabet.utf8)
    // Bytes above the largest multiple of the alphabet's size would make its first characters likelier.
    let limit = 256 - 256 % characters.count
    var text: [UInt8] = []
    while text.count < count {
        for byte in try randomBytes(count: count) where Int(byte) < limit && text.count < count {
            text.append(characters[Int(byte) % characters.count])
        }
    }
    return String(decoding: text, as: UTF8.self)
}

/// A random (version 4) UUID in lower case, RFC 9562 section 5.4.
public func randomUUID() throws(CryptographyError) -> String {
    var bytes = try identifierBytes.take(16)
    bytes[6] = bytes[6] & 0x0F | 0x40
    bytes[8] = bytes[8] & 0x3F | 0x80
    return String(unsafeUninitializedCapacity: 36) { text in
        var position = 0
        for (index, byte) in bytes.enumerated() {
            if index == 4 || index == 6 || index == 8 || index == 10 {
                text[position] = UInt8(ascii: "-")
                position += 1
            }
            text[position] = hexadecimalDigit(byte >> 4)
            text[position + 1] = hexadecimalDigit(byte & 0x0F)
            position += 2
        }
        return position
    }
}

/// The supply for what must be unique but is no secret: OpenSSL takes longer for a
/// few bytes than for responding to the request that they name.
private let identifierBytes = RandomSupply()

/// Random bytes, fetched for many uses at a time. Each is given away once.
private final class RandomSupply: Sendable {
    private static let size = 4_096
    private let bytes = Mutex<[UInt8]>([])

    func take(_ count: Int) throws(CryptographyError) -> [UInt8] {
        try bytes.withLock { bytes throws(CryptographyError) in
            if bytes.count < count { bytes = try randomBytes(count: Self.size) }
            defer { bytes.removeLast(count) }
            return Array(bytes.suffix(count))
        }
    }
}
