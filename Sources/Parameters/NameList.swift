import Text

/// Names, each once, in the order in which they came.
struct NameList {
    /// The most names that are looked through, which takes less time than hashing them.
    private static let few = 16

    private(set) var list: [ExactText] = []
    /// The indices of all names, once there are more than few.
    private var indices: [ExactText: Int] = [:]

    func index(of name: ExactText) -> Int? {
        guard list.count <= Self.few else { return indices[name] }
        let length = name.text.utf8.count
        return list.indices.first { list[$0].text.utf8.count == length && list[$0] == name }
    }

    mutating func insert(_ name: ExactText) -> (inserted: Bool, index: Int) {
        if let known = index(of: name) { return (false, known) }
        if list.isEmpty { list.reserveCapacity(Self.few / 2) }
        list.append(name)
        if list.count > Self.few {
            for index in indices.count..<list.count { indices[list[index]] = index }
        }
        return (true, list.count - 1)
    }
}
