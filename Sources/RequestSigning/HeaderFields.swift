/// The headers of a request, as whoever parsed it keeps them: most are not asked
/// for, and a text of each would cost more than the rest of the reading.
public protocol HeaderFields: Sendable {
    /// The value of the header of this name, in any case of letters, if it
    /// occurs exactly once; nil if it is absent or repeated.
    subscript(name: String) -> String? { get }
    /// Whether there is a header of this name, in any case of letters, or
    /// several.
    func contains(_ name: String) -> Bool
}
