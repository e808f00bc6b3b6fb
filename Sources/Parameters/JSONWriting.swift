extension [UInt8] {
    /// Appends `text` as a JSON string, its quotes included (RFC 8259 section 7).
    public mutating func append(jsonString text: String) {
        append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { bytes in
            var rest = bytes[...]
            while let index = rest.firstIndex(where: { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C }) {
                append(contentsOf: rest[..<index])
                append(escapeOf: rest[index])
                rest = rest[(index + 1)...]
            }
            append(contentsOf: rest)
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
