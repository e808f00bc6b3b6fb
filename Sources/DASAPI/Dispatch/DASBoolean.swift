/// A Boolean parameter as the SDKs write it: `true` (Java, Go), `True` (Python),
/// in any case of letters, or a Boolean of JSON.
public struct DASBoolean: Decodable, Sendable {
    public let value: Bool

    public init(_ value: Bool) { self.value = value }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        // `decode(Bool.self)` takes more spellings of text than this.
        if let text = try? container.decode(String.self) {
            guard let value = Self.value(of: text) else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "neither true nor false")
            }
            self.value = value
        } else {
            value = try container.decode(Bool.self)
        }
    }

    private static func value(of text: String) -> Bool? {
        // By bytes: comparing characters takes time quadratic in their combining marks.
        let letters = text.utf8.prefix(6).map { $0 | 0x20 }
        if letters.elementsEqual("true".utf8) { return true }
        if letters.elementsEqual("false".utf8) { return false }
        return nil
    }
}
