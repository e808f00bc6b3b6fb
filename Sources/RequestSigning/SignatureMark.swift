/// What a signature is remembered by.
public struct SignatureMark: Sendable {
    /// The signature itself, decoded: it has other spellings, but no other bytes.
    public let bytes: [UInt8]
    /// Unix time in seconds.
    public let timestamp: Int64
    /// The payload, if the signature does not cover it: two requests of the same
    /// second then have the same signature, whatever they say.
    public let unsignedPayload: [UInt8]?

    public init(bytes: [UInt8], timestamp: Int64, unsignedPayload: [UInt8]? = nil) {
        self.bytes = bytes
        self.timestamp = timestamp
        self.unsignedPayload = unsignedPayload
    }
}
