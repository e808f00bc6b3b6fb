/// The number and hash of an entry, as somebody outside of the store knows them.
public struct KnownHead: Hashable, Sendable {
    public var sequence: Int64
    /// 64 lower-case hexadecimal digits.
    public var hash: String
    /// The store's random name, where it was told.
    public var store: String?
    public var place: Place

    /// Where it was found.
    public struct Place: Hashable, Sendable {
        public var file: String
        /// From 1.
        public var line: Int

        public init(file: String, line: Int) {
            self.file = file
            self.line = line
        }
    }

    public init(sequence: Int64, hash: String, store: String? = nil, place: Place) {
        self.sequence = sequence
        self.hash = hash
        self.store = store
        self.place = place
    }
}

extension KnownHead {
    /// The head as one line of JSON, without the line feed.
    public var line: String {
        AuditLine([("audit", .number(sequence)), ("hash", .text(hash)), ("store", store.map { .text($0) })]).line()
    }

    /// The head in such a line; nil for any other.
    public init?(line: ArraySlice<UInt8>, place: Place) {
        var search = HeadSearch(file: place.file)
        search.take(line)
        guard search.heads.count == 1, var head = search.heads.first else { return nil }
        head.place = place
        self = head
    }
}
