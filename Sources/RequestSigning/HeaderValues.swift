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
        guard utf8.first.map(isBlank) == true || utf8.last.map(isBlank) == true else { return self }
        let start = utf8.drop(while: isBlank)
        guard let last = start.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(Substring(start[...last]))
    }

    /// The text, and in lower case if that is another.
    var asSentAndLowerCased: [String] {
        guard !utf8.allSatisfy(isLowerCaseASCII) else { return [self] }
        let lowerCased = lowercased()
        return isSame(as: lowerCased) ? [self] : [self, lowerCased]
    }
}

/// Whether a byte is of ASCII and no capital.
private func isLowerCaseASCII(_ byte: UInt8) -> Bool { byte < 0x80 && !(0x41...0x5A).contains(byte) }
