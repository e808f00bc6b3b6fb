/// Where the audit holds what was done. Whoever keeps it can prove later that the audit was not rewritten.
public struct AuditReceipt: Hashable, Sendable {
    /// The number of the entry, from 1.
    public let entry: Int64
    /// The entry's hash, which binds all before it: 64 lower-case hexadecimal digits.
    public let hash: String

    public init(entry: Int64, hash: String) {
        self.entry = entry
        self.hash = hash
    }
}
