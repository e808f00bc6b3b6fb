import Text

/// A search for heads of an audit in lines of any text: logs, dumps of webhooks, answers of the API, exports, the file
/// of heads.
///
/// In JSON a head is an object with `audit` and `hash`, or with `Entry` and `Hash`, and what stands in strings is none:
/// those may be a stranger's. Only what journald and other collectors wrap a line in is opened.
public struct HeadSearch: Sendable {
    public private(set) var heads: [KnownHead] = []
    /// Heads in the form of signed notes, of which the signatures are still to be verified.
    public private(set) var notes: [(note: SignedNote, head: KnownHead)] = []

    private let file: String
    private var line = 0
    /// The last lines, of which a note may be made.
    private var recent: [ArraySlice<UInt8>] = []

    public init(file: String) { self.file = file }

    /// Takes the next line, without its end.
    public mutating func take(_ bytes: ArraySlice<UInt8>) {
        line += 1
        let found = Self.heads(in: bytes).map { $0.at(KnownHead.Place(file: file, line: line)) }
        heads += found
        if let signature = SignedNote.Signature(line: bytes), recent.count >= 3,
            recent[recent.count - 1].isEmpty, recent[recent.count - 3].elementsEqual(SignedNote.firstLine.utf8),
            let head = Self.heads(in: recent[recent.count - 2]).first
        {
            let text = recent[(recent.count - 3)..<(recent.count - 1)].flatMap { Array($0) + [UInt8(ascii: "\n")] }
            notes.append(
                (
                    SignedNote(text: String(decoding: text, as: UTF8.self), signature: signature),
                    head.at(KnownHead.Place(file: file, line: line))
                ))
        }
        recent.append(bytes)
        if recent.count > 3 { recent.removeFirst() }
    }

    /// A whole file that is one JSON value over several lines, such as an answer that somebody kept; none if it is not.
    public static func heads(inDocument bytes: [UInt8], file: String) -> [KnownHead] {
        guard let value = JSONSlice(document: bytes[...]) else { return [] }
        return Found.heads(in: value).map { $0.at(KnownHead.Place(file: file, line: 1)) }
    }

    // MARK: One line

    fileprivate struct Found {
        var sequence: Int64
        var hash: String
        var store: String?

        func at(_ place: KnownHead.Place) -> KnownHead {
            KnownHead(sequence: sequence, hash: hash, store: store, place: place)
        }
    }

    private static func heads(in bytes: ArraySlice<UInt8>) -> [Found] {
        // Nearly every line of a log is another one.
        guard bytes.contains(word: "hash") else { return [] }
        var found: [Found] = []
        var rest = bytes
        while let start = rest.firstIndex(of: UInt8(ascii: "{")) {
            guard let value = JSONSlice(beginningOf: rest[start...]) else { break }
            found += Found.heads(inWords: rest[..<start]) + Found.heads(in: value)
            rest = rest[value.raw.endIndex...]
        }
        return found + Found.heads(inWords: rest)
    }
}

extension HeadSearch.Found {
    /// Members in which collectors of logs keep the line that a program wrote.
    private static let wrappers = ["MESSAGE", "message", "msg", "log"]

    fileprivate static func heads(in value: JSONSlice, depth: Int = 8) -> [Self] {
        guard depth > 0 else { return [] }
        if let elements = value.elements { return elements.flatMap { heads(in: $0, depth: depth - 1) } }
        guard let members = value.members else { return [] }
        // By bytes: over a stranger's combining marks String takes long.
        func member(_ name: String) -> JSONSlice? { members.first { ExactText($0.name) == ExactText(name) }?.value }
        var found: [Self] = []
        for (number, hash) in [("audit", "hash"), ("Entry", "Hash")] {
            guard let sequence = member(number).flatMap({ $0.integer ?? $0.string.flatMap { Int64($0) } }),
                let hash = member(hash)?.string, isHash(hash.utf8)
            else { continue }
            found.append(Self(sequence: sequence, hash: hash, store: member("store")?.string))
        }
        for (name, value) in members {
            if value.isString {
                // With its quotes; no text is longer than it stands there.
                guard value.raw.count > 66, wrappers.contains(where: { ExactText($0) == ExactText(name) }),
                    let text = value.string, text.utf8.count > 64
                else { continue }
                let line = Array(text.utf8)[...]
                if let start = line.firstIndex(of: UInt8(ascii: "{")),
                    let inner = JSONSlice(beginningOf: line[start...])
                {
                    found += heads(in: inner, depth: depth - 1)
                } else {
                    found += heads(inWords: line)
                }
            } else if value.hasParts {
                found += heads(in: value, depth: depth - 1)
            }
        }
        return found
    }

    /// Such as `audit=4711 hash=55b4…`, and what other languages print of a map.
    fileprivate static func heads(inWords bytes: ArraySlice<UInt8>) -> [Self] {
        guard bytes.contains(word: "hash") else { return [] }
        var found: [Self] = []
        var rest = bytes
        while let start = rest.firstIndex(ofWord: "hash") {
            let before = rest[..<start]
            rest = rest[(start + 4)...]
            var value = rest.drop(while: isPunctuation)
            guard value.count >= 64, isHash(value.prefix(64)) else { continue }
            let hash = String(decoding: value.prefix(64), as: UTF8.self)
            value = value.dropFirst(64)
            if let next = value.first, isLetterOrDigit(next) { continue }
            rest = value
            // Right before it the number, and before that what says that it is one.
            var digits = before
            while let last = digits.last, isPunctuation(last) { digits.removeLast() }
            let end = digits.endIndex
            while let last = digits.last, isDigit(last) { digits.removeLast() }
            guard let sequence = Int64(String(decoding: before[digits.endIndex..<end], as: UTF8.self)) else { continue }
            while let last = digits.last, isPunctuation(last) { digits.removeLast() }
            guard digits.hasSuffix("audit") || digits.hasSuffix("entry") else { continue }
            found.append(Self(sequence: sequence, hash: hash, store: nil))
        }
        return found
    }

    private static func isHash(_ text: some Collection<UInt8>) -> Bool {
        text.count == 64 && text.allSatisfy { isDigit($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func isPunctuation(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "\\"), UInt8(ascii: ":"), UInt8(ascii: "="),
            UInt8(ascii: " "), UInt8(ascii: ","), UInt8(ascii: "\t"):
            true
        default: false
        }
    }
}

extension ArraySlice<UInt8> {
    fileprivate func contains(word: StaticString) -> Bool { firstIndex(ofWord: word) != nil }

    /// Where a word begins, its first letter in whatever case.
    fileprivate func firstIndex(ofWord word: StaticString) -> Int? {
        let place = withUnsafeBufferPointer { bytes in
            word.withUTF8Buffer { word -> Int? in
                guard bytes.count >= word.count else { return nil }
                var index = 0
                while index <= bytes.count - word.count {
                    if bytes[index] | 0x20 == word[0],
                        (1..<word.count).allSatisfy({ bytes[index + $0] == word[$0] })
                    {
                        return index
                    }
                    index += 1
                }
                return nil
            }
        }
        return place.map { startIndex + $0 }
    }

    fileprivate func hasSuffix(_ word: StaticString) -> Bool {
        guard count >= word.utf8CodeUnitCount else { return false }
        let end = suffix(word.utf8CodeUnitCount)
        return end.firstIndex(ofWord: word) == end.startIndex
    }
}
