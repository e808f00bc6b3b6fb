/// Why a request's parameters were rejected.
///
/// Paths have the vendor's form: names and indices from 0, joined by full
/// stops, such as `Threads.1` or `StatDimensions.0.Data.0`. Names and values are
/// the caller's own text, of any length and content.
public enum ParameterError: Error, Hashable, Sendable {
    /// The body is not JSON as ``ParameterTree/init(json:)`` wants it. The
    /// offset counts bytes from 0.
    case malformed(offset: Int, reason: JSONDefect)
    /// The body is JSON, but no object.
    case notAnObject
    /// A pair of a query or form has no `=`.
    case malformedPair
    /// A query or form has more pairs than are read.
    case tooManyPairs
    /// A percent sign of a query or form is not followed by two hexadecimal
    /// digits, or what is escaped is no UTF-8. The offset counts bytes from 0.
    case malformedEscape(offset: Int)
    /// A query or form has this parameter twice, or both as a value and with
    /// parts of its own (`Threads` beside `Threads.0`).
    case `repeated`(path: String)
    /// The action does not define this parameter.
    case unknown(path: String)
    /// A required parameter is absent or null.
    case missing(path: String)
    /// The value is of another type than the parameter, or a number that the
    /// type cannot hold.
    case wrongType(path: String)
    /// The type is right, but not the value, here as text.
    case invalidValue(path: String, value: String)
}

/// What is wrong with a text that should have been JSON.
public enum JSONDefect: Hashable, Sendable {
    /// The text begins with a byte-order mark, which RFC 8259, section 8.1, lets
    /// a parser reject.
    case byteOrderMark
    /// The text ends before the value does.
    case unexpectedEnd
    /// No value, name or punctuation that may stand here begins with this byte.
    case unexpectedByte(UInt8)
    /// Something other than white space follows the value.
    case trailingText
    /// A number that RFC 8259, section 6, does not allow, such as `01` or `1.`.
    case invalidNumber
    /// A control character (below U+0020) stands in a string without an escape.
    case controlCharacter
    /// A backslash is followed by no escape of RFC 8259, section 7.
    case invalidEscape
    /// Half of a surrogate pair is escaped without the other half.
    case loneSurrogate
    /// A string is not UTF-8.
    case invalidUTF8
    /// An object has this name twice.
    case duplicateName(String)
    /// Arrays and objects are nested in each other more than 32 deep.
    case nestedTooDeeply
}
