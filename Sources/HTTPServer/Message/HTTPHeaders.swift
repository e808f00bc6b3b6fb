/// Header fields in the order in which they stand in the message.
///
/// A request's fields stay in the bytes that came from the network and become
/// strings only when asked for.
public struct HTTPHeaders: Sendable {
    struct Field {
        let name: Range<Int>
        let value: Range<Int>
    }

    private(set) var bytes: [UInt8]
    private(set) var fields: [Field]

    /// Fields that a parser has found in `bytes`: names are tokens, values are
    /// valid UTF-8 without control characters.
    init(bytes: [UInt8], fields: [Field]) {
        self.bytes = bytes
        self.fields = fields
    }

    /// Headers without fields.
    public init() { self.init(bytes: [], fields: []) }

    var heldBytes: Int { bytes.capacity + fields.capacity * MemoryLayout<Field>.stride }

    /// Adds a field behind the others.
    ///
    /// Control characters in the value become spaces (RFC 9110 section 5.5), so
    /// that a value taken from a request cannot add fields to a response.
    public mutating func append(name: String, value: String) {
        let start = bytes.count
        bytes.append(contentsOf: name.utf8)
        let middle = bytes.count
        bytes.append(contentsOf: value.utf8)
        for index in middle..<bytes.count where !bytes[index].isFieldValueByte { bytes[index] = UInt8(ascii: " ") }
        fields.append(Field(name: start..<middle, value: middle..<bytes.count))
    }

    /// The value of the field of this name, in any case of letters, if it
    /// occurs exactly once; nil if it is absent or repeated.
    public subscript(name: String) -> String? {
        let found = fields(named: name)
        return found.count == 1 ? found.first.map { text($0.value) } : nil
    }

    /// Whether there is a field of this name, in any case of letters, or several.
    public func contains(_ name: String) -> Bool { fields(named: name).count > 0 }

    /// The values of all fields of this name, in any case of letters.
    func values(named name: String) -> [String] {
        guard let first = fields(named: name).first else { return [] }
        let name = bytes[first.name].map(\.asciiLowercased)
        return fields.filter { bytes[$0.name].lazy.map(\.asciiLowercased).elementsEqual(name) }.map { text($0.value) }
    }

    private func fields(named name: String) -> (first: Field?, count: Int) {
        var found: (first: Field?, count: Int) = (nil, 0)
        var name = name
        name.withUTF8 { name in
            bytes.withUnsafeBufferPointer { bytes in
                for field in fields where field.name.count == name.count {
                    guard UnsafeBufferPointer(rebasing: bytes[field.name]).isSameName(as: name) else { continue }
                    if found.count == 0 { found.first = field }
                    found.count += 1
                }
            }
        }
        return found
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
}

extension HTTPHeaders: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { fields.count }

    /// The name, in the case of letters of the message, and the value of a
    /// field.
    public subscript(position: Int) -> (name: String, value: String) {
        (text(fields[position].name), text(fields[position].value))
    }
}

extension HTTPHeaders: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral fields: (String, String)...) {
        self.init()
        for (name, value) in fields { append(name: name, value: value) }
    }
}

extension [UInt8] {
    /// Adds the fields as lines of a message.
    mutating func append(_ headers: HTTPHeaders) {
        for field in headers.fields {
            append(contentsOf: headers.bytes[field.name])
            append(contentsOf: ": ".utf8)
            append(contentsOf: headers.bytes[field.value])
            append(contentsOf: "\r\n".utf8)
        }
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Whether both are the same in any case of letters.
    ///
    /// - Parameter name: of the same length.
    fileprivate func isSameName(as name: UnsafeBufferPointer<UInt8>) -> Bool {
        for index in 0..<count where self[index] != name[index] {
            guard self[index].asciiLowercased == name[index].asciiLowercased else { return false }
        }
        return true
    }
}
