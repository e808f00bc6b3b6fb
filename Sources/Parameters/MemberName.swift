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
        guard left.text.utf8.count == right.text.utf8.count else { return false }
        var (left, right) = (left.text, right.text)
        return left.withUTF8 { left in right.withUTF8 { left.elementsEqual($0) } }
    }

    func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

/// Names, each once, in the order in which they came.
struct MemberNames {
    /// So many are looked through, which takes less time than hashing them.
    private static let few = 16

    private(set) var list: [MemberName] = []
    /// Of all names, once there are more than few.
    private var places: [MemberName: Int] = [:]

    func place(of name: MemberName) -> Int? {
        guard list.count <= Self.few else { return places[name] }
        let length = name.text.utf8.count
        return list.indices.first { list[$0].text.utf8.count == length && list[$0] == name }
    }

    mutating func insert(_ name: MemberName) -> (inserted: Bool, place: Int) {
        if let place = place(of: name) { return (false, place) }
        if list.isEmpty { list.reserveCapacity(Self.few / 2) }
        list.append(name)
        if list.count > Self.few {
            for place in places.count..<list.count { places[list[place]] = place }
        }
        return (true, list.count - 1)
    }
}
