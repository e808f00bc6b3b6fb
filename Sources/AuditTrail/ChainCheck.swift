import Cryptography

/// A check of an audit, entry by entry in the order of their numbers: that each is whole, follows from the one before,
/// and is the one that is known outside.
public struct ChainCheck: ~Copyable {
    /// An entry as the store has it, lent for the time of one call.
    public struct Entry {
        public var sequence: Int64
        public var time: Int64
        public var kind: UnsafeBufferPointer<UInt8>
        public var plan: UnsafeBufferPointer<UInt8>?
        public var payload: UnsafeBufferPointer<UInt8>?
        public var payloadHash: UnsafeBufferPointer<UInt8>
        public var hash: UnsafeBufferPointer<UInt8>

        public init(
            sequence: Int64, time: Int64, kind: UnsafeBufferPointer<UInt8>, plan: UnsafeBufferPointer<UInt8>?,
            payload: UnsafeBufferPointer<UInt8>?, payloadHash: UnsafeBufferPointer<UInt8>,
            hash: UnsafeBufferPointer<UInt8>
        ) {
            self.sequence = sequence
            self.time = time
            self.kind = kind
            self.plan = plan
            self.payload = payload
            self.payloadHash = payloadHash
            self.hash = hash
        }
    }

    private let context: DigestContext
    /// In the order of their numbers.
    private let known: [KnownHead]
    private var message: [UInt8] = []
    private var computed: [UInt8] = []
    private var last: Int64 = 0
    private var lastTime = Int64.min
    /// Of the entry before; empty if that is not there.
    private var previous = Array(AuditChain.firstPrevious.utf8)

    private var faults = AuditFaults()
    private var store: String?
    private var entries: Int64 = 0
    private var gone: [ClosedRange<Int64>] = []
    private var droppedThrough: Int64 = 0
    private var common: Int64 = 0
    private var foundOnChain = 0
    private var strangers: [KnownHead] = []
    private var rollbacks: [Int64] = []

    /// - Parameter known: what is known outside of the store.
    public init(known: [KnownHead]) throws(CryptographyError) {
        context = try DigestContext(.sha256)
        self.known = known.sorted { $0.sequence < $1.sequence }
        message.reserveCapacity(256)
    }

    /// What was found in all entries.
    public consuming func result() -> ChainFindings {
        for range in gone where range.lowerBound == 1 || range.upperBound > droppedThrough {
            faults.add(.payloadGone(range.lowerBound == 1 ? 1 : max(range.lowerBound, droppedThrough + 1)))
        }
        addHeads()
        return ChainFindings(
            store: store, entries: entries, last: last,
            lastHash: previous.isEmpty ? "" : String(decoding: previous, as: UTF8.self), faults: faults,
            droppedPayloads: gone.reduce(0) { $0 + Int64($1.count) }, droppedThrough: droppedThrough,
            heads: known.count, headsOnChain: foundOnChain,
            provenThrough: common, rollbacks: rollbacks)
    }

    private mutating func addHeads() {
        var told: Set<String> = []
        let beyond = known.filter { $0.sequence > last || $0.sequence < 1 }
        for head in (strangers + beyond).sorted(by: { $0.sequence < $1.sequence }) {
            // Of each file the first: what follows in it is of the same kind.
            guard told.insert(head.place.file).inserted else { continue }
            if let store, let other = head.store, other != store {
                faults.add(.anotherStore(head))
            } else if head.sequence > last, common > 0 || strangers.isEmpty {
                faults.add(.cut(last: last, head))
            } else if common == 0 {
                faults.add(.anotherStore(head))
            } else {
                let common = known.last { $0.sequence < head.sequence && isOnChain($0.sequence) }?.sequence
                faults.add(.rewritten(common: common ?? 0, head))
            }
        }
    }

    private func isOnChain(_ sequence: Int64) -> Bool {
        sequence <= last && !strangers.contains { $0.sequence == sequence }
    }

    public mutating func add(_ entry: Entry) throws(CryptographyError) {
        if entry.sequence != last + 1 {
            faults.add(entry.sequence > last ? .missing(last + 1...entry.sequence - 1) : .linkBroken(entry.sequence))
            previous = []
        }
        let faultsBefore = faults.count
        checkPayload(of: entry)
        if faults.count == faultsBefore { try checkHash(of: entry) }
        if entry.time < lastTime { faults.add(.outOfTime(entry.sequence)) }
        if !known.isEmpty { compareWithOutside(entry) }
        entries += 1
        last = entry.sequence
        lastTime = entry.time
        previous.removeAll(keepingCapacity: true)
        previous.append(contentsOf: entry.hash)
    }

    private mutating func checkHash(of entry: Entry) throws(CryptographyError) {
        if let payload = entry.payload {
            try context.hash(UnsafeRawBufferPointer(payload), hexadecimalInto: &computed)
            guard computed.elementsEqual(entry.payloadHash) else {
                return faults.add(.payloadAltered(entry.sequence))
            }
        }
        guard !previous.isEmpty else { return }
        message.removeAll(keepingCapacity: true)
        AuditChain.append(
            to: &message, sequence: entry.sequence, previous: previous, payloadHash: entry.payloadHash)
        try context.hash(message, hexadecimalInto: &computed)
        if !computed.elementsEqual(entry.hash) { faults.add(.linkBroken(entry.sequence)) }
    }

    /// The columns are not hashed, so they count only as far as the payload says the same.
    private mutating func checkPayload(of entry: Entry) {
        guard let payload = entry.payload else {
            if let range = gone.last, range.upperBound == entry.sequence - 1 {
                gone[gone.count - 1] = range.lowerBound...entry.sequence
            } else {
                gone.append(entry.sequence...entry.sequence)
            }
            return
        }
        var members = Members()
        var scan = JSONScan(payload)
        var isOrdered = true
        var before = 0..<0
        let isObject = scan.object { name, value in
            // killd's names need no escapes, and with escapes one name could stand twice.
            isOrdered =
                isOrdered && payload[before].lexicographicallyPrecedes(payload[name])
                && !payload[name].contains(UInt8(ascii: "\\"))
            before = name
            members.take(value, named: payload[name])
        }
        guard isObject, isOrdered, scan.position == payload.count, let sequence = members.sequence,
            let time = members.time, let kind = members.kind
        else { return faults.add(.malformed(entry.sequence)) }
        guard payload.number(sequence) == entry.sequence else {
            return faults.add(
                payload.number(sequence).map { .outOfPlace(entry.sequence, payloadOf: $0) }
                    ?? .malformed(entry.sequence))
        }
        if payload.number(time) != entry.time { faults.add(.columnDiffers(entry.sequence, column: .at)) }
        if !payload.text(kind).elementsEqual(entry.kind) {
            faults.add(.columnDiffers(entry.sequence, column: .kind))
        }
        // The plan of a session task is told, but is not what the entry is about.
        let plan = members.plan.map { payload.text($0) }
        if members.sessionTask == nil, plan.map({ Array($0) }) != entry.plan.map({ Array($0) }) {
            faults.add(.columnDiffers(entry.sequence, column: .plan))
        }
        takeNote(of: members, in: payload, entry)
    }

    private mutating func takeNote(of members: Members, in payload: UnsafeBufferPointer<UInt8>, _ entry: Entry) {
        if entry.sequence == 1 {
            if let store = members.store { self.store = String(decoding: payload.text(store), as: UTF8.self) }
            if store == nil || !entry.kind.elementsEqual("created".utf8) { faults.add(.noBeginning) }
        }
        if let through = members.through, let number = payload.number(through) {
            if entry.kind.elementsEqual("pruned".utf8) { droppedThrough = max(droppedThrough, min(number, last)) }
        }
        if entry.kind.elementsEqual("rolled-back".utf8) { rollbacks.append(entry.sequence) }
    }

    /// Where the heads begin whose numbers are as high.
    private func firstKnown(from sequence: Int64) -> Int {
        var (start, end) = (0, known.count)
        while start < end {
            let middle = (start + end) / 2
            if known[middle].sequence < sequence { start = middle + 1 } else { end = middle }
        }
        return start
    }

    private mutating func compareWithOutside(_ entry: Entry) {
        for head in known[firstKnown(from: entry.sequence)...].prefix(while: { $0.sequence == entry.sequence }) {
            if head.hash.utf8.elementsEqual(entry.hash) {
                foundOnChain += 1
                common = entry.sequence
            } else {
                strangers.append(head)
            }
        }
    }
}

/// Where the members stand by which an entry is checked.
private struct Members {
    var sequence: Range<Int>?
    var time: Range<Int>?
    var kind: Range<Int>?
    var plan: Range<Int>?
    var store: Range<Int>?
    var sessionTask: Range<Int>?
    var through: Range<Int>?

    mutating func take(_ value: Range<Int>, named name: Slice<UnsafeBufferPointer<UInt8>>) {
        switch name.count {
        case 2 where name.elementsEqual("at".utf8): time = value
        case 3 where name.elementsEqual("seq".utf8): sequence = value
        case 4 where name.elementsEqual("kind".utf8): kind = value
        case 4 where name.elementsEqual("plan".utf8): plan = value
        case 5 where name.elementsEqual("store".utf8): store = value
        case 7 where name.elementsEqual("through".utf8): through = value
        case 11 where name.elementsEqual("sessionTask".utf8): sessionTask = value
        default: break
        }
    }
}

extension UnsafeBufferPointer<UInt8> {
    fileprivate func number(_ place: Range<Int>) -> Int64? { Int64(String(decoding: self[place], as: UTF8.self)) }

    /// Without its quotes; names are never escaped.
    fileprivate func text(_ place: Range<Int>) -> Slice<UnsafeBufferPointer<UInt8>> {
        self[place].dropFirst().dropLast()
    }
}

/// What a check of the chain has found.
public struct ChainFindings: Sendable {
    /// The store's random name.
    public var store: String?
    public var entries: Int64
    /// The number of the last entry; 0 if there is none.
    public var last: Int64
    public var lastHash: String
    public var faults: AuditFaults
    /// How many payloads are no longer kept.
    public var droppedPayloads: Int64
    /// Up to which entry the audit says that payloads are no longer kept.
    public var droppedThrough: Int64
    /// How many heads were known.
    public var heads: Int
    public var headsOnChain: Int
    /// The last entry that is known outside and on this chain; 0 if there is none.
    public var provenThrough: Int64
    /// Entries that say that killd was started with a store that was older than its heads file.
    public var rollbacks: [Int64]
}

/// The first of what was found, and how many there are: one change may break all that follows.
public struct AuditFaults: Sendable {
    public private(set) var first: [AuditFault] = []
    public private(set) var count = 0

    private static let kept = 20

    public init() {}

    public mutating func add(_ fault: AuditFault) {
        count += 1
        if first.count < Self.kept { first.append(fault) }
    }
}
