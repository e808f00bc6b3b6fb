/// Values by their names, for names that strangers send: they are compared by
/// their bytes, and longer ones than any name are not looked for.
public struct NameTable<Value: Sendable>: Sendable {
    // Inlinable, so that the lookups of each request are specialized, as they are in a dictionary.
    @usableFromInline let byName: [ExactText: Value]

    /// - Parameter merge: called for two values of one name, the earlier one first;
    ///   without it that one is kept.
    public init(
        _ values: some Sequence<(String, Value)>, merge: (Value, Value) -> Value = { first, _ in first }
    ) {
        byName = Dictionary(values.map { (ExactText($0), $1) }, uniquingKeysWith: merge)
    }

    @inlinable
    public subscript(name: String) -> Value? { name.canBeName ? byName[ExactText(name)] : nil }

    @inlinable
    public var values: some Collection<Value> { byName.values }
}

extension String {
    /// Whether it is no longer than a name of an action, a version, a region or a
    /// key can be: 128 bytes. What is done to longer ones would take time that a
    /// stranger determines.
    @inlinable
    public var canBeName: Bool { utf8.count <= 128 }
}
