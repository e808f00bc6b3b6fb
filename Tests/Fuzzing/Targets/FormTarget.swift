import Parameters

/// What is read from a query or form is read again from what is written of it,
/// and does not depend on the order of the pairs.
enum FormTarget {
    static func read(_ bytes: [UInt8]) {
        guard let pairs = try? FormPairs(bytes), let tree = try? ParameterTree(flattened: pairs.pairs) else { return }
        TypedRequests.read(tree)
    }

    static func check(_ bytes: [UInt8]) throws {
        let pairs: [FormPairs.Pair]
        do throws(ParameterError) {
            pairs = try FormPairs(bytes).pairs
        } catch {
            if case .malformedEscape(let offset) = error {
                try demand((0...bytes.count).contains(offset), "offset \(offset)")
            }
            return try TypedRequests.check(error)
        }
        let written = FormText(pairs)
        let again = try FormPairs(written.bytes).pairs
        try demand(
            again.elementsEqual(pairs) { $0.name.isSame(as: $1.name) && $0.value.isSame(as: $1.value) },
            "\(text(written.bytes)) is read as \(again)")

        let tree: ParameterTree
        do throws(ParameterError) {
            tree = try ParameterTree(flattened: pairs)
        } catch {
            try TypedRequests.check(error)
            let reversed = try? ParameterTree(flattened: pairs.reversed())
            return try demand(reversed == nil, "refused for \(error), but not in the other order")
        }
        let reversed = try ParameterTree(flattened: pairs.reversed())
        try demand(reversed.sorted.isSame(as: tree.sorted), "\(tree), in the other order \(reversed)")
        try TypedRequests.check(tree)
    }
}

extension String {
    /// Byte by byte: `==` takes canonically equivalent texts for equal.
    func isSame(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}

extension ParameterTree {
    /// With the members of each object in the order of their names.
    fileprivate var sorted: ParameterTree {
        switch self {
        case .object(let members):
            .object(
                members.map { Member(name: $0.name, value: $0.value.sorted) }
                    .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) })
        case .array(let elements): .array(elements.map(\.sorted))
        case .string, .number, .boolean, .null, .text: self
        }
    }

    func isSame(as other: ParameterTree) -> Bool {
        switch (self, other) {
        case (.object(let left), .object(let right)):
            left.elementsEqual(right) { $0.name.isSame(as: $1.name) && $0.value.isSame(as: $1.value) }
        case (.array(let left), .array(let right)): left.elementsEqual(right) { $0.isSame(as: $1) }
        case (.string(let left), .string(let right)), (.number(let left), .number(let right)),
            (.text(let left), .text(let right)):
            left.isSame(as: right)
        case (.boolean(let left), .boolean(let right)): left == right
        case (.null, .null): true
        default: false
        }
    }
}
