import Text

/// The name of something, equal to another only if both are the same bytes.
public protocol TextID: RawRepresentable, Hashable, Sendable where RawValue == String {}

// All three, or those of `RawRepresentable` would be taken, which compare as `String` does.
extension TextID {
    public static func == (left: Self, right: Self) -> Bool { left.rawValue.isSame(as: right.rawValue) }
    public static func != (left: Self, right: Self) -> Bool { !left.rawValue.isSame(as: right.rawValue) }
    public func hash(into hasher: inout Hasher) { rawValue.hashBytes(into: &hasher) }
}
