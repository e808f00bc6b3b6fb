/// The languages that messages are written in.
public enum Language: CaseIterable, Hashable, Sendable {
    case english
    case chinese

    /// The language that a request asks for in `X-TC-Language` (or `Language`,
    /// with signatures of version 1): `zh-CN` is Chinese; anything else, and
    /// silence, is English, as at the vendor.
    public init(requested value: String?) {
        // Bounded before it is compared: `==` takes time quadratic in the combining marks of a text.
        self = value?.utf8.count == 5 && value == "zh-CN" ? .chinese : .english
    }
}
