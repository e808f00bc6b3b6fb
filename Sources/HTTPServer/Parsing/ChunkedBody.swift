/// A body in the chunked coding (RFC 9112 section 7.1), decoded as it arrives.
///
/// Chunk extensions and trailer fields are checked, counted and dropped.
package struct ChunkedBody: Sendable {
    private enum Position {
        case size(digits: Int)
        case spaceBehindSize
        case chunkExtension
        case endOfSizeLine
        case data
        case endOfData
        case lineFeedBehindData
        case trailerLine
    }

    private var position = Position.size(digits: 0)
    private var remaining = 0
    private var extensionBytes = 0
    private var trailerBytes = 0
    private var line: [UInt8] = []
    package private(set) var content: [UInt8] = []

    package init() {}

    /// The bytes of the content, and of the chunk that is being read.
    var knownBytes: Int { content.count + remaining }

    var heldBytes: Int { content.capacity + line.capacity }

    package enum Progress {
        case needsInput
        /// The chunk that comes is more than is allowed.
        case needsAllowance
        case complete
    }

    /// More digits than any size within the limits has, leading zeros included.
    private static let mostSizeDigits = 12

    /// Reads from `input`, from `index` on, up to the end of the body at most.
    ///
    /// - Parameter allowed: of the content, in bytes.
    package mutating func read(
        _ input: Span<UInt8>, from index: inout Int, allowed: Int, limits: HTTPLimits
    ) throws(HTTPProtocolError) -> Progress {
        while index < input.count {
            if case .data = position {
                guard knownBytes <= allowed else { return .needsAllowance }
                let count = min(remaining, input.count - index)
                content.append(input.extracting(index..<(index + count)))
                index += count
                remaining -= count
                if remaining == 0 { position = .endOfData }
                continue
            }
            let byte = input[index]
            index += 1
            if try readCoding(byte, limits: limits) { return .complete }
        }
        return .needsInput
    }

    /// Reads a byte that is not data.
    ///
    /// - Returns: whether the body is complete.
    private mutating func readCoding(_ byte: UInt8, limits: HTTPLimits) throws(HTTPProtocolError) -> Bool {
        switch (position, byte) {
        case (.size(let digits), _):
            try readSize(byte, digits: digits, limits: limits)
        case (.spaceBehindSize, UInt8(ascii: ";")):
            position = .chunkExtension
        case (.spaceBehindSize, _) where byte.isSpaceOrTab:
            try countExtensionByte(limits: limits)
        case (.chunkExtension, .carriageReturn):
            position = .endOfSizeLine
        case (.chunkExtension, _) where byte.isFieldValueByte:
            try countExtensionByte(limits: limits)
        case (.endOfSizeLine, .lineFeed):
            position = remaining == 0 ? .trailerLine : .data
        case (.endOfData, .carriageReturn):
            position = .lineFeedBehindData
        case (.lineFeedBehindData, .lineFeed):
            position = .size(digits: 0)
        case (.trailerLine, _):
            return try readTrailer(byte, limits: limits)
        default:
            throw HTTPProtocolError(.badRequest, "the chunked coding is broken")
        }
        return false
    }

    private mutating func readSize(_ byte: UInt8, digits: Int, limits: HTTPLimits) throws(HTTPProtocolError) {
        if let digit = byte.hexadecimalDigit {
            guard digits < Self.mostSizeDigits else {
                throw HTTPProtocolError(.badRequest, "a chunk size has too many digits")
            }
            remaining = remaining * 16 + digit
            guard remaining <= limits.bodyBytes - content.count else {
                throw HTTPProtocolError(.contentTooLarge, "the body is longer than \(limits.bodyBytes) bytes")
            }
            position = .size(digits: digits + 1)
            return
        }
        switch byte {
        case _ where digits == 0: throw HTTPProtocolError(.badRequest, "a chunk has no size")
        case .carriageReturn: position = .endOfSizeLine
        case UInt8(ascii: ";"): position = .chunkExtension
        case _ where byte.isSpaceOrTab: position = .spaceBehindSize
        default: throw HTTPProtocolError(.badRequest, "a chunk size is not a hexadecimal number")
        }
    }

    private mutating func countExtensionByte(limits: HTTPLimits) throws(HTTPProtocolError) {
        extensionBytes += 1
        guard extensionBytes <= limits.chunkedOverheadBytes else {
            throw HTTPProtocolError(.badRequest, "the chunk extensions are too long")
        }
    }

    private mutating func readTrailer(_ byte: UInt8, limits: HTTPLimits) throws(HTTPProtocolError) -> Bool {
        trailerBytes += 1
        guard trailerBytes <= limits.chunkedOverheadBytes else {
            throw HTTPProtocolError(.requestHeaderFieldsTooLarge, "the trailer fields are too long")
        }
        line.append(byte)
        guard byte == .lineFeed else { return false }
        guard line.dropLast().last == .carriageReturn else {
            throw HTTPProtocolError(.badRequest, "a line does not end with CRLF")
        }
        if line.count == 2 { return true }
        _ = try HTTPHeaders.Field(line.span, at: 0..<(line.count - 2))
        line.removeAll(keepingCapacity: true)
        return false
    }
}
