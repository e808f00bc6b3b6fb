import Text

extension ParameterTree {
    /// Reads flattened parameters: `Threads.0=12`, `StatDimensions.0.Data.0=p`.
    ///
    /// Parts of a name that count from 0 make an array; all of its elements must
    /// be there. So a number that is too large cannot cost memory, and an element
    /// that got lost on the way is noticed.
    ///
    /// - Parameter pairs: unescaped; of a query or form, or a part of it.
    /// - Throws: ``ParameterError/repeated(path:)``, ``ParameterError/missing(path:)``
    ///   for an element that the array lacks, or ``ParameterError/unknown(path:)``
    ///   for a name with more than 32 parts.
    public init(flattened pairs: [FormPairs.Pair]) throws(ParameterError) {
        let root = FlattenedNode()
        for pair in pairs { try root.insert(pair) }
        self = .object(try root.members(path: []))
    }
}

/// A value, or the parts of one, while pairs are collected.
private final class FlattenedNode {
    private static let deepestNesting = 32

    private var value: String?
    private var children: [FlattenedNode] = []
    private var names = NameList()

    func insert(_ pair: FormPairs.Pair) throws(ParameterError) {
        let parts = pair.name.utf8.split(
            separator: UInt8(ascii: "."), maxSplits: Self.deepestNesting, omittingEmptySubsequences: false)
        guard parts.count <= Self.deepestNesting else { throw .unknown(path: pair.name) }
        var node = self
        for part in parts { node = node.child(ExactText(String(Substring(part)))) }
        guard node.value == nil else { throw .repeated(path: pair.name) }
        node.value = pair.value
    }

    private func child(_ name: ExactText) -> FlattenedNode {
        let (inserted, index) = names.insert(name)
        if inserted { children.append(FlattenedNode()) }
        return children[index]
    }

    func members(path: [String]) throws(ParameterError) -> [ParameterTree.Member] {
        var members: [ParameterTree.Member] = []
        for (name, child) in zip(names.list, children) {
            members.append(ParameterTree.Member(name: name.text, value: try child.tree(path: path + [name.text])))
        }
        return members
    }

    private func tree(path: [String]) throws(ParameterError) -> ParameterTree {
        if let value {
            guard children.isEmpty else { throw .repeated(path: path.joined(separator: ".")) }
            return .text(value)
        }
        guard names.list.allSatisfy(\.isArrayIndex) else { return .object(try members(path: path)) }
        var elements: [ParameterTree] = []
        for index in children.indices {
            let path = path + [String(index)]
            guard let child = names.index(of: ExactText(String(index))) else {
                throw .missing(path: path.joined(separator: "."))
            }
            elements.append(try children[child].tree(path: path))
        }
        return .array(elements)
    }
}

extension ExactText {
    /// Whether it is a number from 0 without needless zeros, of any size.
    fileprivate var isArrayIndex: Bool {
        let digits = text.utf8
        return digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            && (digits.count == 1 || digits.count > 1 && digits.first != UInt8(ascii: "0"))
    }
}
