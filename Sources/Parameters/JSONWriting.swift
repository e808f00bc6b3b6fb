extension [UInt8] {
    /// Appends `text` as a JSON string, its quotes included (RFC 8259 section 7).
    public mutating func append(jsonString text: String) {
        append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                append(UInt8(ascii: "\\"))
                append(byte)
            case 0..<0x20:
                self += "\\u00".utf8
                self += (byte < 0x10 ? "0" : "").utf8
                self += String(byte, radix: 16).utf8
            default: append(byte)
            }
        }
        append(UInt8(ascii: "\""))
    }
}
