import COpenSSL

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
    var bytes = try randomBytes(count: 16)
    bytes[6] = bytes[6] & 0x0F | 0x40
    bytes[8] = bytes[8] & 0x3F | 0x80
    let digits = hexadecimal(bytes).utf8
    var text: [UInt8] = []
    text.reserveCapacity(36)
    for (position, digit) in digits.enumerated() {
        if [8, 12, 16, 20].contains(position) { text.append(UInt8(ascii: "-")) }
        text.append(digit)
    }
    return String(decoding: text, as: UTF8.self)
}
