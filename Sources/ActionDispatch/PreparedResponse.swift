import Synchronization

/// A response that writes its JSON itself, from what was written before.
public protocol PreparedResponse: Encodable, Sendable {
    /// Appends the members of its object, with commas between them.
    func appendMembers(to json: inout [UInt8]) throws
}

/// The JSON of values that responses have again and again: for an encoder one of them
/// is more work than all else that a response takes.
///
/// A value is written again when the state is another one that it is made of, for
/// each of a few keys.
public final class WrittenJSON<Key: Hashable & Sendable, State: Equatable & Sendable>: Sendable {
    private let written = Mutex<[Key: (state: State, json: [UInt8])]>([:])

    public init() {}

    public func json(of value: some Encodable, in state: State, for key: Key) throws -> [UInt8] {
        if let known = written.withLock({ $0[key] }), known.state == state { return known.json }
        let json = try Envelope.json(of: value)
        written.withLock { $0[key] = (state, json) }
        return json
    }
}
