extension BinaryInteger {
    /// In digits, with a comma before each three from the end: `1,203,004`.
    public var grouped: String {
        let digits = String(magnitude)
        let first = digits.utf8.count % 3
        let groups = digits.enumerated().map { $0 > 0 && $0 % 3 == first ? ",\($1)" : "\($1)" }.joined()
        return self < 0 ? "-\(groups)" : groups
    }

    /// With what is counted: `1 row`, `1,203,004 rows`.
    ///
    /// - Parameter plural: where it is not the singular and an s.
    public func counted(_ singular: String, _ plural: String? = nil) -> String {
        "\(grouped) \(self == 1 ? singular : plural ?? singular + "s")"
    }
}
