import Text

/// The name of a parameter, compared by its bytes.
typealias MemberName = ExactText

extension MemberName {
    /// What a name, or a value out of a few, may have in bytes before it is
    /// compared with `==` in code that the compiler writes.
    static var longest: Int { 128 }
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
