import Glibc

/// A text, or several, that equals another only if both are the same bytes.
///
/// `String` goes by canonical equivalence, which is wrong for names twice over:
/// servers and clients tell é as one code point from é as two, and a `K` from the
/// Kelvin sign; and comparing, hashing or ordering a stranger's text takes time
/// quadratic in its combining marks.
///
/// A property that is marked `@Exact` counts so in the equality that the compiler
/// writes for its type; ``ExactText`` is an element of a set, or a key.
@frozen
@propertyWrapper
public struct Exact<Value: ComparableByBytes>: Sendable {
    public var wrappedValue: Value

    @inlinable
    public init(wrappedValue: Value) { self.wrappedValue = wrappedValue }

    @inlinable
    public init(_ value: Value) { wrappedValue = value }
}

public typealias ExactText = Exact<String>

// What is inlinable here is used for each session of a list: unspecialized it would take several times as long.
extension Exact: Hashable {
    @inlinable
    public static func == (left: Exact, right: Exact) -> Bool { left.wrappedValue.isSame(as: right.wrappedValue) }

    @inlinable
    public func hash(into hasher: inout Hasher) { wrappedValue.hashBytes(into: &hasher) }
}

extension ExactText {
    public var text: String { wrappedValue }
}

/// The order of the bytes of UTF-8.
extension ExactText: Comparable {
    public static func < (left: ExactText, right: ExactText) -> Bool {
        var (left, right) = (left.text, right.text)
        return left.withUTF8 { left in
            right.withUTF8 { right in
                guard let leftStart = left.baseAddress, let rightStart = right.baseAddress else {
                    return left.count < right.count
                }
                let order = memcmp(leftStart, rightStart, min(left.count, right.count))
                return order == 0 ? left.count < right.count : order < 0
            }
        }
    }
}

extension ExactText: ExpressibleByStringLiteral, ExpressibleByUnicodeScalarLiteral,
    ExpressibleByExtendedGraphemeClusterLiteral
{
    public init(stringLiteral text: String) { wrappedValue = text }
}

// MARK: What can be compared so

/// What ``Exact`` compares.
public protocol ComparableByBytes: Sendable {
    /// Whether both are the same bytes.
    func isSame(as other: Self) -> Bool
    func hashBytes(into hasher: inout Hasher)
}

/// Not `elementsEqual`, which goes from byte to byte: that took 3,900 of the 152,000
/// instructions of a request.
///
/// - Parameter right: as many bytes as `left`.
@usableFromInline
func haveSameBytes(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let leftStart = left.baseAddress, let rightStart = right.baseAddress else { return left.count == right.count }
    return memcmp(leftStart, rightStart, left.count) == 0
}

extension String: ComparableByBytes {
    @inlinable
    public func isSame(as other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        var (left, right) = (self, other)
        return left.withUTF8 { left in right.withUTF8 { right in haveSameBytes(left, right) } }
    }

    @inlinable
    public func hashBytes(into hasher: inout Hasher) {
        var text = self
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        // Stands in no UTF-8, so that what is hashed next cannot be taken for a part of the text.
        hasher.combine(0xFF as UInt8)
    }
}

extension Optional: ComparableByBytes where Wrapped: ComparableByBytes {
    @inlinable
    public func isSame(as other: Wrapped?) -> Bool {
        switch (self, other) {
        case (nil, nil): true
        case (let left?, let right?): left.isSame(as: right)
        case (nil, _?), (_?, nil): false
        }
    }

    @inlinable
    public func hashBytes(into hasher: inout Hasher) {
        hasher.combine(self == nil)
        self?.hashBytes(into: &hasher)
    }
}

extension Array: ComparableByBytes where Element: ComparableByBytes {
    public func isSame(as other: [Element]) -> Bool {
        count == other.count && zip(self, other).allSatisfy { $0.isSame(as: $1) }
    }

    public func hashBytes(into hasher: inout Hasher) {
        hasher.combine(count)
        for element in self { element.hashBytes(into: &hasher) }
    }
}

// MARK: Coded as the value itself

extension Exact: Encodable where Value: Encodable {
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(wrappedValue)
    }
}

extension Exact: Decodable where Value: Decodable {
    public init(from decoder: any Decoder) throws {
        wrappedValue = try decoder.singleValueContainer().decode(Value.self)
    }
}

// The code that the compiler writes for `Codable` calls these: a missing text is left out, as without the wrapper.
extension KeyedEncodingContainer {
    public mutating func encode(_ value: ExactText, forKey key: Key) throws {
        try encode(value.wrappedValue, forKey: key)
    }

    public mutating func encode(_ value: Exact<String?>, forKey key: Key) throws {
        try encodeIfPresent(value.wrappedValue, forKey: key)
    }
}

extension KeyedDecodingContainer {
    public func decode(_ type: ExactText.Type, forKey key: Key) throws -> ExactText {
        Exact(try decode(String.self, forKey: key))
    }

    public func decode(_ type: Exact<String?>.Type, forKey key: Key) throws -> Exact<String?> {
        Exact(try decodeIfPresent(String.self, forKey: key))
    }
}
