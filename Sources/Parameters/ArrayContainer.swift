/// The elements of an array, read one after the other.
struct ArrayContainer: UnkeyedDecodingContainer {
    private let elements: [ParameterTree]
    let codingPath: [any CodingKey]
    private(set) var currentIndex = 0

    init(_ elements: [ParameterTree], codingPath: [any CodingKey]) {
        self.elements = elements
        self.codingPath = codingPath
    }

    var count: Int? { elements.count }
    var isAtEnd: Bool { currentIndex == elements.count }

    /// Reads the element that is next; one that cannot be read stays next.
    private mutating func readNext<Content>(
        _ read: (ParameterValue) throws -> Content
    ) throws -> Content {
        let path = codingPath + [ParameterPath.Index(currentIndex)]
        guard !isAtEnd else { throw ParameterError.missing(path: ParameterPath.text(of: path)) }
        let content = try read(ParameterValue(elements[currentIndex], codingPath: path))
        currentIndex += 1
        return content
    }

    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd, elements[currentIndex] == .null else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode(_ type: Bool.Type) throws -> Bool {
        try readNext { try $0.decode(type) }
    }

    mutating func decode(_ type: String.Type) throws -> String {
        try readNext { try $0.decode(type) }
    }

    mutating func decode<T: FixedWidthInteger & Decodable>(_ type: T.Type) throws -> T {
        try readNext { try $0.decode(type) }
    }

    mutating func decode<T: BinaryFloatingPoint & LosslessStringConvertible & Decodable>(
        _ type: T.Type
    ) throws -> T {
        try readNext { try $0.decode(type) }
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try readNext { try $0.decode(type) }
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try readNext { try $0.container(keyedBy: type) }
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try readNext { try $0.unkeyedContainer() }
    }

    mutating func superDecoder() throws -> any Decoder {
        try readNext { $0 }
    }
}
