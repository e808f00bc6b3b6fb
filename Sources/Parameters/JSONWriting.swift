extension [UInt8] {
    /// Appends `text` as a JSON string, its quotes included (RFC 8259 section 7).
    public mutating func append(jsonString text: String) {
        append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { bytes in
            // What needs no escape is copied in one piece: that is almost always all of it.
            var start = 0
            for (index, byte) in bytes.enumerated() {
                guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
                append(contentsOf: bytes[start..<index])
                start = index + 1
                if byte < 0x20 {
                    self += "\\u00".utf8
                    self += (byte < 0x10 ? "0" : "").utf8
                    self += String(byte, radix: 16).utf8
                } else {
                    append(UInt8(ascii: "\\"))
                    append(byte)
                }
            }
            append(contentsOf: bytes[start...])
        }
        append(UInt8(ascii: "\""))
    }
}
