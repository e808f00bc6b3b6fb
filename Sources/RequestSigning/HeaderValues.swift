/// Whether a byte is one of the blanks that may surround a header's value, RFC
/// 9110 section 5.6.3.
func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
}

extension String {
    /// Whether two texts are the same bytes.
    ///
    /// `==` takes canonically equivalent texts for equal, and time quadratic in
    /// the combining marks of one: a tenth of a second for those of a header.
    func isSame(as other: String) -> Bool { utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8) }

    /// The text without blanks at its ends.
    var withoutSurroundingBlanks: String {
        let start = utf8.drop(while: isBlank)
        guard let last = start.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(Substring(start[...last]))
    }

    /// Whether two names of headers are the same, without regard to the case of
    /// ASCII letters.
    func isSameHeaderName(as lowerCaseName: String) -> Bool {
        utf8.count == lowerCaseName.utf8.count
            && zip(utf8, lowerCaseName.utf8).allSatisfy { byte, lower in
                byte == lower || ((0x41...0x5A).contains(byte) && byte | 0x20 == lower)
            }
    }
}
