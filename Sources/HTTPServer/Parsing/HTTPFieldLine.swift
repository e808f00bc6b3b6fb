extension HTTPHeaders.Field {
    /// Reads a field line (RFC 9112 section 5).
    ///
    /// - Parameter line: where the line is in `bytes`, without its CRLF.
    init(_ bytes: Span<UInt8>, at line: Range<Int>) throws(HTTPProtocolError) {
        var index = line.lowerBound
        while index < line.upperBound, bytes[index].isTokenByte { index += 1 }
        // Also rejects folded lines, which begin with white space, and white space before the colon.
        guard index > line.lowerBound, index < line.upperBound, bytes[index] == UInt8(ascii: ":") else {
            throw HTTPProtocolError(.badRequest, "a field line does not begin with a name and a colon")
        }
        let name = line.lowerBound..<index
        let value = bytes.trimming((index + 1)..<line.upperBound)
        // No fault ends this: see `fieldValueFault`.
        let (bits, faults) = bytes.withUnsafeBufferPointer { bytes in
            var (bits, faults): (UInt8, UInt8) = (0, 0)
            for byte in UnsafeBufferPointer(rebasing: bytes[value]) {
                bits |= byte
                faults |= byte.fieldValueFault
            }
            return (bits, faults)
        }
        guard faults == 0 else { throw HTTPProtocolError(.badRequest, "a field value has a control character") }
        guard bits < 0x80 || bytes.isUTF8(at: value) else {
            throw HTTPProtocolError(.badRequest, "a field value is not UTF-8")
        }
        self.init(name: name, value: value)
    }
}

extension Span<UInt8> {
    fileprivate func isUTF8(at range: Range<Int>) -> Bool {
        withUnsafeBufferPointer { String(validating: $0[range], as: UTF8.self) != nil }
    }
}
