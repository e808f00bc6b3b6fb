import Text

/// The types of content that the APIs read (RFC 9110 section 8.3.1).
public enum MediaType: Sendable {
    case json, form, other
}

extension HTTPRequest {
    /// The type of the content without its parameters, in any case of letters; nil
    /// if `Content-Type` is absent or repeated.
    public var mediaType: MediaType? {
        headers["Content-Type"].map { value -> MediaType in
            // By bytes: comparing characters takes time quadratic in their combining marks.
            let type = value.utf8.prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: " ") }
            if type.isSameWord(as: "application/json") { return .json }
            return type.isSameWord(as: "application/x-www-form-urlencoded") ? .form : .other
        }
    }
}
