import Text

/// Reads typed requests from a ``ParameterTree``, strictly.
///
/// - A name that the type's `CodingKeys` do not have is an unknown parameter.
/// - Null counts as absent: `nil` for an optional, missing for a required one.
/// - Nothing is converted: `1` is no `Bool`, `"1"` and `1.0` are no `Int`, and a
///   number that the type cannot hold is of the wrong type.
/// - A type that is `RawRepresentable` by a `String`, such as an enumeration, has
///   no value of more than 128 bytes.
/// - In queries and forms a number is the text that JSON would have there, and a
///   `Bool` any of the spellings of the official SDKs: `true`, `True` (Python,
///   .NET), `1` (PHP); `false`, `False`, `0`, nothing at all (PHP).
///
/// When several things are wrong with an object, its unknown names are reported
/// first and then its parameters in the order in which the type reads them, which
/// is the order of declaration where the compiler wrote `init(from:)`.
///
/// A type that checks its own values throws from `init(from:)`: whatever it
/// throws becomes ``ParameterError/invalidValue(path:value:)`` with the value's
/// path and text, unless it is a `DecodingError` that says something else.
public struct ParameterDecoder: Sendable {
    public init() {}

    /// The value of `type` that `tree` stands for.
    public func decode<T: Decodable>(
        _ type: T.Type, from tree: ParameterTree
    ) throws(ParameterError) -> T {
        try ParameterValue(tree, codingPath: []).decode(type)
    }
}

/// A value in the tree and the way to it.
struct ParameterValue: Decoder, SingleValueDecodingContainer {
    private let tree: ParameterTree
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    init(_ tree: ParameterTree, codingPath: [any CodingKey]) {
        self.tree = tree
        self.codingPath = codingPath
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let members) = tree else { throw mismatch }
        return KeyedDecodingContainer(try ObjectContainer(members, codingPath: codingPath))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let elements) = tree else { throw mismatch }
        return ArrayContainer(elements, codingPath: codingPath)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        self
    }

    func decodeNil() -> Bool {
        if case .null = tree { true } else { false }
    }

    func decode(_ type: Bool.Type) throws(ParameterError) -> Bool {
        switch tree {
        case .boolean(let value): return value
        case .text(let text) where text.canBeName:
            switch text {
            case "true", "True", "1": return true
            case "false", "False", "0", "": return false
            default: throw mismatch
            }
        default: throw mismatch
        }
    }

    func decode(_ type: String.Type) throws(ParameterError) -> String {
        switch tree {
        case .string(let text), .text(let text): return text
        default: throw mismatch
        }
    }

    /// Whether it is a text that no enumeration has a case for. The `==` by which
    /// the compiler finds the case takes time quadratic in combining marks.
    private var hasLongText: Bool {
        switch tree {
        case .string(let text), .text(let text): !text.canBeName
        default: false
        }
    }

    func decode<T: FixedWidthInteger & Decodable>(_ type: T.Type) throws(ParameterError) -> T {
        guard let text = tree.number, let value = T(text) else { throw mismatch }
        return value
    }

    func decode<T: BinaryFloatingPoint & LosslessStringConvertible & Decodable>(
        _ type: T.Type
    ) throws(ParameterError) -> T {
        guard let text = tree.number, let value = T(text), value.isFinite else { throw mismatch }
        return value
    }

    func decode<T: Decodable>(_ type: T.Type) throws(ParameterError) -> T {
        if hasLongText, type is any RawRepresentable<String>.Type { throw invalid(at: codingPath) }
        do {
            return try T(from: self)
        } catch let error as ParameterError {
            throw error
        } catch let error as DecodingError {
            throw rejection(for: error)
        } catch {
            throw invalid(at: codingPath)
        }
    }
}

// MARK: - Errors

extension ParameterValue {
    private var mismatch: ParameterError {
        let path = ParameterPath.text(of: codingPath)
        return decodeNil() ? .missing(path: path) : .wrongType(path: path)
    }

    /// The meaning of an error that a type's own `init(from:)` threw.
    private func rejection(for error: DecodingError) -> ParameterError {
        switch error {
        case .dataCorrupted(let context):
            invalid(at: context.codingPath)
        case .typeMismatch(_, let context):
            .wrongType(path: ParameterPath.text(of: context.codingPath))
        case .valueNotFound(_, let context):
            .missing(path: ParameterPath.text(of: context.codingPath))
        case .keyNotFound(let key, let context):
            .missing(path: ParameterPath.text(of: context.codingPath + [key]))
        @unknown default:
            invalid(at: codingPath)
        }
    }

    private func invalid(at keys: [any CodingKey]) -> ParameterError {
        // A type that does not care for paths may well give an empty one.
        let path = keys.count < codingPath.count ? codingPath : keys
        var value = tree
        for key in path.dropFirst(codingPath.count) {
            guard let child = value.child(at: key) else { break }
            value = child
        }
        return .invalidValue(path: ParameterPath.text(of: path), value: value.description)
    }
}

extension ParameterTree {
    /// The text of a number.
    fileprivate var number: String? {
        switch self {
        case .number(let text): text
        case .text(let text) where JSONParser.isNumber(text): text
        default: nil
        }
    }

    fileprivate func child(at key: any CodingKey) -> ParameterTree? {
        switch self {
        case .object(let members):
            let name = ExactText(key.stringValue)
            return members.first { ExactText($0.name) == name }?.value
        case .array(let elements):
            guard let index = key.intValue, elements.indices.contains(index) else { return nil }
            return elements[index]
        case .string, .number, .boolean, .null, .text:
            return nil
        }
    }
}
