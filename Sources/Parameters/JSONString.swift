/// Strings: RFC 8259, section 7.
extension JSONParser {
    /// The string that begins at the position, its escapes resolved.
    mutating func parseString() throws(ParameterError) -> String {
        position += 1
        // Most strings are one run without escapes and are copied once.
        var text = try parseRun()
        while !skip(UInt8(ascii: "\"")) {
            text.unicodeScalars.append(try parseEscape())
            text += try parseRun()
        }
        return text
    }

    /// Everything up to the next quotation mark or backslash. Neither can stand
    /// inside a multi-byte character, so each run is UTF-8 in itself or invalid.
    private mutating func parseRun() throws(ParameterError) -> String {
        let start = position
        var bits: UInt8 = 0
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
            guard byte >= 0x20 else { throw malformed(.controlCharacter) }
            bits |= byte
            position += 1
        }
        guard position < bytes.count else { throw malformed(.unexpectedEnd) }
        // ASCII needs no further look.
        if bits < 0x80 { return String(decoding: bytes[start..<position], as: UTF8.self) }
        guard let run = String(validating: bytes[start..<position], as: UTF8.self) else {
            throw malformed(.invalidUTF8, at: offsetOfInvalidUTF8(in: bytes[start..<position]))
        }
        return run
    }

    private func offsetOfInvalidUTF8(in run: ArraySlice<UInt8>) -> Int {
        var offset = run.startIndex
        var decoder = UTF8()
        var remaining = run.makeIterator()
        while case .scalarValue(let scalar) = decoder.decode(&remaining) { offset += UTF8.width(scalar) }
        return offset
    }

    private mutating func parseEscape() throws(ParameterError) -> Unicode.Scalar {
        let start = position
        position += 1
        guard let kind = next else { throw malformed(.unexpectedEnd) }
        position += 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(kind)
        case UInt8(ascii: "b"): return "\u{08}"
        case UInt8(ascii: "f"): return "\u{0C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try parseEscapedScalar(at: start)
        default: throw malformed(.invalidEscape, at: start)
        }
    }

    /// The scalar of a `\uXXXX` escape, or of two that form a surrogate pair.
    private mutating func parseEscapedScalar(at start: Int) throws(ParameterError) -> Unicode.Scalar {
        let first = try parseCodeUnit(ofEscapeAt: start)
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard UTF16.isLeadSurrogate(first), skip(UInt8(ascii: "\\")), skip(UInt8(ascii: "u")) else {
            throw malformed(.loneSurrogate, at: start)
        }
        let second = try parseCodeUnit(ofEscapeAt: position - 2)
        guard UTF16.isTrailSurrogate(second) else { throw malformed(.loneSurrogate, at: start) }
        return UTF16.decode(UTF16.EncodedScalar([first, second]))
    }

    private mutating func parseCodeUnit(ofEscapeAt start: Int) throws(ParameterError) -> UInt16 {
        var codeUnit: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = next else { throw malformed(.unexpectedEnd) }
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw malformed(.invalidEscape, at: start)
            }
            codeUnit = codeUnit << 4 | UInt16(digit)
            position += 1
        }
        return codeUnit
    }
}
