/// The parameters of one request as they were sent, whatever the encoding was.
///
/// The parser of an encoding builds such a tree, and ``ParameterDecoder`` reads
/// typed requests from it: what an encoding lets a caller say is decided in one
/// place, what an action takes in another.
public enum ParameterTree: Hashable, Sendable {
    /// Members in the order in which they were sent; no name occurs twice.
    case object([Member])
    case array([ParameterTree])
    case string(String)
    /// A number as its JSON text. Only the type that is asked for decides
    /// whether it fits: nothing is rounded, and `1.0` is not taken for `1`.
    case number(String)
    case boolean(Bool)
    case null
    /// A value of a query or a form, where everything is text: only the type
    /// that is asked for decides what it means.
    case text(String)

    /// A named value in an object.
    public struct Member: Hashable, Sendable {
        public let name: String
        public let value: ParameterTree

        public init(name: String, value: ParameterTree) {
            self.name = name
            self.value = value
        }
    }
}

extension ParameterTree: CustomStringConvertible {
    /// The value as short text for a message: a string without quotes, an empty
    /// array as `[]`. Not JSON: nothing is escaped.
    public var description: String {
        switch self {
        case .object(let members): "{\(members.map { "\($0.name):\($0.value)" }.joined(separator: ","))}"
        case .array(let elements): "[\(elements.map(\.description).joined(separator: ","))]"
        case .string(let text), .number(let text), .text(let text): text
        case .boolean(let value): value ? "true" : "false"
        case .null: "null"
        }
    }
}
