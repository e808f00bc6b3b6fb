extension [UInt8] {
    /// Appends `text` as a JSON string, its quotes included (RFC 8259 section 7).
    public mutating func append(jsonString text: String) {
        append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { bytes in
            var start = 0
            for index in 0..<bytes.count where bytes[index] < 0x20 || bytes[index] == 0x22 || bytes[index] == 0x5C {
                append(contentsOf: bytes[start..<index])
                append(escapeOf: bytes[index])
                start = index + 1
            }
            append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start...]))
        }
        append(UInt8(ascii: "\""))
    }

    private mutating func append(escapeOf byte: UInt8) {
        append(UInt8(ascii: "\\"))
        guard byte < 0x20 else { return append(byte) }
        self += (byte < 0x10 ? "u000" : "u00").utf8
        self += String(byte, radix: 16).utf8
    }
}
