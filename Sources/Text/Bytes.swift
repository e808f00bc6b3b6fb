import CLinux

// What is done to strangers' texts without looking for their characters: that takes time which grows faster than the
// text where it holds many combining marks.
extension String {
    /// The longest beginning of at most so many bytes that ends between two
    /// characters; between two Unicode scalars where a character has more than
    /// ``longestCharacter`` of them, or more bytes than asked for.
    public func beginning(bytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        let end = utf8.index(startIndex, offsetBy: max(0, limit))
        return beginning(before: unicodeScalars.index(before: unicodeScalars.index(after: end)))
    }

    /// The longest beginning of at most so many Unicode scalars that ends between
    /// two characters, with the same exceptions.
    public func beginning(scalars limit: Int) -> String {
        guard let cut = unicodeScalars.index(startIndex, offsetBy: max(0, limit), limitedBy: endIndex),
            cut < endIndex
        else { return self }
        return beginning(before: cut)
    }

    /// - Parameter cut: between two Unicode scalars, not the end.
    private func beginning(before cut: Index) -> String {
        let start = unicodeScalars.index(cut, offsetBy: -Self.longestCharacter, limitedBy: startIndex) ?? startIndex
        // The scalars before the cut and the one behind it.
        let surroundings = String(self[start..<unicodeScalars.index(after: cut)])
        let lastCharacter = surroundings.index(before: surroundings.endIndex)
        guard lastCharacter > surroundings.startIndex else { return String(self[..<cut]) }
        let offset = surroundings.utf8.distance(from: surroundings.startIndex, to: lastCharacter)
        return String(self[..<utf8.index(start, offsetBy: offset)])
    }

    /// The most Unicode scalars of a character. Emoji that people write have up to ten.
    private static let longestCharacter = 32

    /// Whether the bytes of `part` stand somewhere in these.
    public func hasBytes(of part: String) -> Bool {
        var text = self
        return text.withUTF8 { $0.hasBytes(of: part) }
    }
}

extension [UInt8] {
    /// Whether the bytes of `part` stand somewhere in these. `firstRange(of:)` is
    /// generic, and takes many times as long.
    public func hasBytes(of part: String) -> Bool {
        withUnsafeBufferPointer { $0.hasBytes(of: part) }
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// By memmem(3), whose time in glibc grows with the sum of both lengths only,
    /// whatever they hold: parts of more than 256 bytes are found by the two-way
    /// algorithm, and shorter ones are compared at most once at each byte.
    fileprivate func hasBytes(of part: String) -> Bool {
        guard !part.isEmpty else { return true }
        var part = part
        return part.withUTF8 { clinux_memmem(baseAddress, count, $0.baseAddress, $0.count) != nil }
    }
}

extension Sequence<UInt8> {
    /// Whether these are the bytes of `text`, ASCII letters of either case alike.
    // Inlinable: the type of each request's content is compared so, and unspecialized that took 15,000 of its 220,000
    // instructions.
    @inlinable
    public func isSameWord(as text: String) -> Bool {
        func lowercased(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
        return elementsEqual(text.utf8) { lowercased($0) == lowercased($1) }
    }
}
