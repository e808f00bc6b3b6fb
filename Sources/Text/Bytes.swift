// What is done to strangers' texts without looking for their characters: that takes time which grows faster than the
// text where it holds many combining marks.
extension String {
    /// The longest beginning of at most so many bytes that ends between two
    /// characters; between two Unicode scalars where a character has more than
    /// ``longestCharacter`` of them, or more bytes than asked for.
    public func beginning(bytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        let end = utf8.index(startIndex, offsetBy: max(0, limit))
        let cut = unicodeScalars.index(before: unicodeScalars.index(after: end))
        let start = unicodeScalars.index(cut, offsetBy: -Self.longestCharacter, limitedBy: startIndex) ?? startIndex
        // The scalars before the cut and the one behind it.
        let surroundings = String(self[start..<unicodeScalars.index(after: cut)])
        let lastCharacter = surroundings.index(before: surroundings.endIndex)
        guard lastCharacter > surroundings.startIndex else { return String(self[..<cut]) }
        let offset = surroundings.utf8.distance(from: surroundings.startIndex, to: lastCharacter)
        return String(self[..<utf8.index(start, offsetBy: offset)])
    }

    /// In Unicode scalars. Emoji that people write have up to ten.
    private static let longestCharacter = 32

    /// The first Unicode scalars, at most so many.
    public func beginning(scalars limit: Int) -> String { String(unicodeScalars.prefix(limit)) }

    /// Whether the bytes of `part` stand somewhere in these.
    public func hasBytes(of part: String) -> Bool {
        var text = self
        return text.withUTF8 { stands(Array(part.utf8), in: $0) }
    }
}

extension [UInt8] {
    /// Whether the bytes of `part` stand somewhere in these. `firstRange(of:)` is
    /// generic, and takes many times as long.
    public func hasBytes(of part: String) -> Bool {
        withUnsafeBufferPointer { stands(Array(part.utf8), in: $0) }
    }
}

/// By the algorithm of Knuth, Morris and Pratt, whose time grows with the sum of
/// both lengths only, whatever they hold.
private func stands(_ part: [UInt8], in bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    guard !part.isEmpty else { return true }
    // Of each beginning of `part`, the length of the longest other beginning with which it ends.
    var borders = [0]
    func extended(_ length: Int, by byte: UInt8) -> Int {
        var length = length
        while length > 0, part[length] != byte { length = borders[length - 1] }
        return part[length] == byte ? length + 1 : 0
    }
    for byte in part.dropFirst() { borders.append(extended(borders[borders.count - 1], by: byte)) }
    var length = 0
    for byte in bytes {
        length = extended(length, by: byte)
        if length == part.count { return true }
    }
    return false
}

extension Sequence<UInt8> {
    /// Whether these are the bytes of `text`, ASCII letters of either case alike.
    public func isSameWord(as text: String) -> Bool {
        func lowercased(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
        return elementsEqual(text.utf8) { lowercased($0) == lowercased($1) }
    }
}
