import TLS

/// Names a connection for as long as the server runs: a slot is used again, a
/// pair of slot and generation is not (within 2^31 uses of the slot).
struct ConnectionID: RawRepresentable, Hashable, Sendable {
    let slot: Int
    let generation: UInt32

    init(slot: Int, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    init(rawValue: UInt64) {
        slot = Int(rawValue & 0xFFFF_FFFF)
        generation = UInt32(rawValue >> 32)
    }

    var rawValue: UInt64 { UInt64(generation) << 32 | UInt64(slot) }
}

/// A socket with its protocol. The socket closes when the connection is
/// released.
final class Connection {
    let id: ConnectionID
    let socket: Descriptor
    var machine: HTTPConnection
    /// Between the socket and the protocol; nil for plain HTTP.
    var tls: TLSSession?
    /// The sending half of the socket ends once all of TLS's output is sent.
    var endsSendingWhenSent = false
    /// What the event queue watches the socket for.
    var interest: EventMask = .input
    fileprivate var countedBodyBytes = 0

    fileprivate init(id: ConnectionID, socket: consuming Descriptor, machine: HTTPConnection) {
        self.id = id
        self.socket = socket
        self.machine = machine
    }
}

/// The open connections.
struct ConnectionTable {
    private var slots: [Connection?] = []
    private var generations: [UInt32] = []
    private var freeSlots: [Int] = []
    private(set) var count = 0
    /// Held by all connections for bodies that are not complete.
    private var bodyBytes = 0

    var all: [Connection] { slots.compactMap { $0 } }

    /// Nil if the connection has been removed.
    subscript(id: ConnectionID) -> Connection? {
        guard id.slot < slots.count, generations[id.slot] == id.generation else { return nil }
        return slots[id.slot]
    }

    mutating func add(_ socket: consuming Descriptor, _ machine: HTTPConnection) -> Connection {
        if freeSlots.isEmpty {
            freeSlots.append(slots.count)
            slots.append(nil)
            generations.append(0)
        }
        let slot = freeSlots.removeLast()
        let id = ConnectionID(slot: slot, generation: generations[slot])
        let connection = Connection(id: id, socket: socket, machine: machine)
        slots[slot] = connection
        count += 1
        return connection
    }

    mutating func remove(_ connection: Connection) {
        guard self[connection.id] != nil else { return }
        let slot = connection.id.slot
        slots[slot] = nil
        // The generations above are the tokens of what is no connection.
        generations[slot] = (generations[slot] &+ 1) & 0x7FFF_FFFF
        freeSlots.append(slot)
        count -= 1
        bodyBytes -= connection.countedBodyBytes
    }

    mutating func removeAll() {
        for connection in all { remove(connection) }
    }

    /// Notes what the connection holds now.
    ///
    /// - Returns: what all connections hold.
    @discardableResult
    mutating func countBodyBytes(of connection: Connection) -> Int {
        bodyBytes += connection.machine.bufferedBodyBytes - connection.countedBodyBytes
        connection.countedBodyBytes = connection.machine.bufferedBodyBytes
        return bodyBytes
    }
}
