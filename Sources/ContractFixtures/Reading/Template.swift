import Parameters
import Text

/// Texts in which `{{NAME}}` stands for a value that is known only when they are used.
public enum Template {
    /// Whether `{{name}}` can stand for it.
    public static func isName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    /// A text, in pieces.
    enum Piece: Equatable {
        case literal(String)
        case value(named: String)
    }

    static func pieces(of text: String) -> [Piece] {
        var pieces: [Piece] = []
        var rest = text.utf8[...]
        while let start = rest.firstRange(of: Array("{{".utf8)),
            let end = rest[start.upperBound...].firstRange(of: Array("}}".utf8))
        {
            let name = String(Substring(rest[start.upperBound..<end.lowerBound]))
            guard isName(name) else { break }
            if start.lowerBound > rest.startIndex {
                pieces.append(.literal(String(Substring(rest[..<start.lowerBound]))))
            }
            pieces.append(.value(named: name))
            rest = rest[end.upperBound...]
        }
        if !rest.isEmpty { pieces.append(.literal(String(Substring(rest)))) }
        return pieces
    }

    /// Whether the whole text stands for one value.
    static func isOneValue(_ text: String) -> Bool {
        let pieces = pieces(of: text)
        if pieces.count == 1, case .value = pieces[0] { return true }
        return false
    }
}

/// What `{{NAME}}` stands for.
public struct Values: Sendable {
    private var texts: [ExactText: String]

    public init(_ texts: [String: String] = [:]) {
        self.texts = texts.reduce(into: [:]) { $0[ExactText($1.key)] = $1.value }
    }

    public subscript(name: String) -> String? {
        get { texts[ExactText(name)] }
        set { texts[ExactText(name)] = newValue }
    }
}

/// There is no value of this name.
struct MissingValue: Error {
    let name: String
}

extension String {
    func filled(from values: Values) throws(MissingValue) -> String {
        var text = ""
        for piece in Template.pieces(of: self) {
            switch piece {
            case .literal(let literal): text += literal
            case .value(let name):
                guard let value = values[name] else { throw MissingValue(name: name) }
                text += value
            }
        }
        return text
    }
}

extension ParameterTree {
    /// With values in the place of their names; `{"number": TEXT}` becomes a number.
    func filled(from values: Values) throws(MissingValue) -> ParameterTree {
        switch self {
        case .string(let text): return .string(try text.filled(from: values))
        case .array(let elements):
            var filled: [ParameterTree] = []
            for element in elements { filled.append(try element.filled(from: values)) }
            return .array(filled)
        case .object(let members):
            if members.count == 1, members[0].name.isSame(as: "number"), case .string(let text) = members[0].value {
                return .number(try text.filled(from: values))
            }
            var filled: [Member] = []
            for member in members {
                filled.append(Member(name: member.name, value: try member.value.filled(from: values)))
            }
            return .object(filled)
        case .number, .boolean, .null, .text: return self
        }
    }

    /// Every text in it.
    var texts: [String] {
        switch self {
        case .string(let text), .text(let text): [text]
        case .array(let elements): elements.flatMap(\.texts)
        case .object(let members): members.flatMap(\.value.texts)
        case .number, .boolean, .null: []
        }
    }

    /// What stands at a path such as `Response.ProcessList.0.ID` or `Data.SessionList.[User=app].SessionId`, the first
    /// element of which this is a member.
    func value(at path: String) -> ParameterTree? {
        var value = self
        for key in path.split(separator: ".") {
            switch value {
            case .object(let members):
                guard let member = members.first(where: { $0.name.isSame(as: String(key)) }) else { return nil }
                value = member.value
            case .array(let elements):
                guard let element = Self.element(of: elements, at: key) else { return nil }
                value = element
            default: return nil
            }
        }
        return value
    }

    private static func element(of elements: [ParameterTree], at key: Substring) -> ParameterTree? {
        if let index = Int(key) { return elements.indices.contains(index) ? elements[index] : nil }
        guard key.first == "[", key.last == "]", let equals = key.firstIndex(of: "=") else { return nil }
        let (name, text) = (String(key[..<equals].dropFirst()), String(key[equals...].dropFirst().dropLast()))
        return elements.first { $0.value(at: name)?.scalar?.isSame(as: text) == true }
    }

    /// As a value that can be captured; nil for lists, objects and null.
    var scalar: String? {
        switch self {
        case .string(let text), .text(let text), .number(let text): text
        case .boolean(let value): value ? "true" : "false"
        case .array, .object, .null: nil
        }
    }

    /// JSON in one line.
    public var json: [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }

    private func append(to bytes: inout [UInt8]) {
        switch self {
        case .string(let text), .text(let text): bytes.append(jsonString: text)
        case .number(let text): bytes += text.utf8
        case .boolean(let value): bytes += (value ? "true" : "false").utf8
        case .null: bytes += "null".utf8
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes.append(jsonString: member.name)
                bytes.append(UInt8(ascii: ":"))
                member.value.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }
}
