/// A name that equals another only if both are the same bytes.
///
/// `String` compares by canonical equivalence, which is wrong here twice over:
/// the Kelvin sign would pass for a `K`, and hashing a name of many combining
/// marks takes time quadratic in its length.
struct MemberName: Hashable {
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
