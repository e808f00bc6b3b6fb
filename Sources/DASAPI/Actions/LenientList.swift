import SessionKill

/// The parameter `IgnoredUsers`.
///
/// A text that holds a list, as `['a','b']` (the vendor's page) or `["a","b"]`
/// (its SDKs), or in a JSON body the list itself.
///
/// What is malformed is found when the users are asked for, so that the response is
/// DAS's `InvalidParams` and not the gateway's, for whom it is a text.
struct UserList: Decodable, Sendable {
    private let value: Result<Set<String>, LenientList.Malformed>

    var users: Set<String> {
        get throws(DASError) { try LenientList.value(value, of: "IgnoredUsers") }
    }

    /// The most users of a list.
    static let mostUsers = 1_000
    /// The most bytes of one: MariaDB's have 128 characters at most.
    static let longestUser = 512
    private static let longestText = 65_536

    init(text: String) {
        value = Result { () throws(LenientList.Malformed) in
            try Self.users(
                LenientList.elements(of: text, longest: Self.longestText)
                    .map { element throws(LenientList.Malformed) in
                        guard case .quoted(let user) = element else { throw LenientList.Malformed() }
                        return user
                    })
        }
    }

    private static func users(_ users: [String]) throws(LenientList.Malformed) -> Set<String> {
        let areUsers = users.allSatisfy { user in
            (1...longestUser).contains(user.utf8.count) && !user.utf8.contains(0)
                && !user.unicodeScalars.allSatisfy(\.properties.isWhitespace)
        }
        guard users.count <= mostUsers, areUsers else { throw LenientList.Malformed() }
        return Set(users)
    }

    init(from decoder: any Decoder) throws {
        if let text = try? decoder.singleValueContainer().decode(String.self) {
            self = Self(text: text)
        } else {
            let users = try? [String](from: decoder)
            value = Result { () throws(LenientList.Malformed) in
                guard let users else { throw LenientList.Malformed() }
                return try Self.users(users)
            }
        }
    }
}

/// The parameter `SessionIds`.
///
/// A text that holds a list, as `[1,2]`, `['1','2']` or `["1","2"]`, or in a JSON
/// body the list itself.
///
/// Each id is from 1 to 4294967295 in decimal digits: MySQL cuts larger ones to
/// 32 bits and ends a stranger's session.
///
/// What is malformed is found when the ids are asked for, as with ``UserList``.
struct SessionIDList: Decodable, Sendable {
    private let value: Result<[ThreadID], LenientList.Malformed>

    /// The ids in the order of the request.
    var threads: [ThreadID] {
        get throws(DASError) { try LenientList.value(value, of: "SessionIds") }
    }

    /// The most bytes of a text: 100,000 ids of ten digits each, and what stands between them.
    private static let longestText = 2_000_000

    init(text: String) {
        value = Result { () throws(LenientList.Malformed) in
            try Self.threads(LenientList.elements(of: text, longest: Self.longestText).map(\.text))
        }
    }

    private static func threads(_ numbers: [String]) throws(LenientList.Malformed) -> [ThreadID] {
        try numbers.map { number throws(LenientList.Malformed) in
            let digits = number.utf8
            guard (1...10).contains(digits.count), digits.first != UInt8(ascii: "0"),
                digits.allSatisfy({ (0x30...0x39).contains($0) }), let id = UInt64(number).flatMap({ ThreadID($0) })
            else { throw LenientList.Malformed() }
            return id
        }
    }

    init(from decoder: any Decoder) throws {
        if let text = try? decoder.singleValueContainer().decode(String.self) {
            self = Self(text: text)
        } else {
            let numbers = try? [Number](from: decoder).map(\.text)
            value = Result { () throws(LenientList.Malformed) in
                guard let numbers else { throw LenientList.Malformed() }
                return try Self.threads(numbers)
            }
        }
    }

    /// A number, or a text with one.
    private struct Number: Decodable {
        let text: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                self.text = text
            } else {
                text = String(try container.decode(Int64.self))
            }
        }
    }
}

/// A list in a text that is almost JSON: elements are numbers, or stand between
/// quotation marks of either kind, the same at both ends.
///
/// Everything else is rejected: a list that is only half understood would spare
/// or end other sessions than were meant.
enum LenientList {
    struct Malformed: Error {}

    fileprivate static func value<Value>(
        _ result: Result<Value, Malformed>, of parameter: String
    ) throws(DASError) -> Value {
        switch result {
        case .success(let value): return value
        case .failure: throw .invalidParameters(.malformedList(parameter: parameter))
        }
    }

    enum Element: Equatable {
        case quoted(String)
        /// Decimal digits.
        case bare(String)

        var text: String {
            switch self {
            case .quoted(let text), .bare(let text): text
            }
        }
    }

    /// - Parameter longest: of the text, in bytes.
    static func elements(of text: String, longest: Int) throws(Malformed) -> [Element] {
        guard text.utf8.count <= longest else { throw Malformed() }
        var scanner = Scanner(bytes: Array(text.utf8))
        return try scanner.list()
    }

    private struct Scanner {
        let bytes: [UInt8]
        var position = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        mutating func list() throws(Malformed) -> [Element] {
            skipBlanks()
            try take("[")
            skipBlanks()
            var elements: [Element] = []
            if next != UInt8(ascii: "]") {
                while true {
                    elements.append(try element())
                    skipBlanks()
                    guard next == UInt8(ascii: ",") else { break }
                    position += 1
                    skipBlanks()
                }
            }
            try take("]")
            skipBlanks()
            guard next == nil else { throw Malformed() }
            return elements
        }

        private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

        private mutating func skipBlanks() {
            while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
        }

        private mutating func take(_ character: Unicode.Scalar) throws(Malformed) {
            guard next == UInt8(ascii: character) else { throw Malformed() }
            position += 1
        }

        private mutating func element() throws(Malformed) -> Element {
            if let mark = next, mark == UInt8(ascii: "'") || mark == UInt8(ascii: "\"") {
                return .quoted(try quoted(mark))
            }
            let start = position
            while let byte = next, (0x30...0x39).contains(byte) { position += 1 }
            guard position > start else { throw Malformed() }
            return .bare(String(decoding: bytes[start..<position], as: UTF8.self))
        }

        /// The escapes of JSON that stand for something a name can hold, and `\'`.
        private mutating func quoted(_ mark: UInt8) throws(Malformed) -> String {
            position += 1
            var text: [UInt8] = []
            while let byte = next, byte != mark {
                // Control characters are in nobody's name.
                guard byte >= 0x20 else { throw Malformed() }
                position += 1
                guard byte == UInt8(ascii: "\\") else {
                    text.append(byte)
                    continue
                }
                guard let escaped = next else { throw Malformed() }
                position += 1
                switch Unicode.Scalar(escaped) {
                case "\"", "'", "\\", "/": text.append(escaped)
                case "u": text += String(try scalar()).utf8
                default: throw Malformed()
                }
            }
            guard next == mark else { throw Malformed() }
            position += 1
            return String(decoding: text, as: UTF8.self)
        }

        /// What stands behind `\u`, and the second half of a pair.
        private mutating func scalar() throws(Malformed) -> Character {
            let first = try fourDigits()
            var value = UInt32(first)
            if UTF16.isLeadSurrogate(first) {
                try take("\\")
                try take("u")
                let second = try fourDigits()
                guard UTF16.isTrailSurrogate(second) else { throw Malformed() }
                value = 0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(value), value >= 0x20 else { throw Malformed() }
            return Character(scalar)
        }

        private mutating func fourDigits() throws(Malformed) -> UInt16 {
            guard bytes.count - position >= 4 else { throw Malformed() }
            let digits = bytes[position..<(position + 4)]
            position += 4
            let areHexadecimal = digits.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte & 0xDF)
            }
            guard areHexadecimal, let value = UInt16(String(decoding: digits, as: UTF8.self), radix: 16) else {
                throw Malformed()
            }
            return value
        }
    }
}
