/// A name that equals another only if both are the same bytes.
///
/// `String` compares by canonical equivalence, which is wrong here twice over:
/// the Kelvin sign would pass for a `K`, and hashing or comparing a name of many
/// combining marks takes time quadratic in its length.
struct MemberName: Hashable {
    /// What a name, or a value out of a few, may have in bytes before it is
    /// compared with `==` in code that the compiler writes.
    static let longest = 128

    let text: String

    init(_ text: String) {
        self.text = text
    }

    static func == (left: MemberName, right: MemberName) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
