/// `bytes` as lower-case hexadecimal text, two digits a byte.
public func hexadecimal(_ bytes: [UInt8]) -> String {
    String(unsafeUninitializedCapacity: bytes.count * 2) { buffer in
        var position = 0
        for byte in bytes {
            buffer[position] = hexadecimalDigit(byte >> 4)
            buffer[position + 1] = hexadecimalDigit(byte & 0x0F)
            position += 2
        }
        return position
    }
}

/// - Parameter value: 0 to 15.
func hexadecimalDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value
}

/// The bytes that lower- or upper-case hexadecimal text stands for, or `nil`
/// where it is anything else.
public func bytes(hexadecimal text: some StringProtocol) -> [UInt8]? {
    bytes(hexadecimalDigits: Array(text.utf8)[...])
}

/// The same of the text's bytes.
public func bytes(hexadecimalDigits digits: ArraySlice<UInt8>) -> [UInt8]? {
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2)
    for position in stride(from: digits.startIndex, to: digits.endIndex, by: 2) {
        guard let high = value(ofDigit: digits[position]), let low = value(ofDigit: digits[position + 1]) else {
            return nil
        }
        bytes.append(high << 4 | low)
    }
    return bytes
}

private func value(ofDigit digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
}
