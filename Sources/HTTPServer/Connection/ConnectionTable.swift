import FileDescriptors
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
    let socket: FileDescriptor
    /// The client's network; nil if the connection is not counted.
    fileprivate var network: ClientNetwork?
    var machine: HTTPConnection
    /// What a proxy still has to send before all else; nil if there is nothing.
    var preamble: ProxyPreamble?
    /// The TLS between the socket and the protocol; nil for plain HTTP.
    var tls: TLSSession?
    /// The sending half of the socket ends once all of TLS's output is sent.
    var endsSendingWhenSent = false
    /// What the event queue watches the socket for.
    var interest: EventMask = .input
    /// Bytes of the request that a handler works on in a task of its own; nil if
    /// there is none.
    var bytesAtHandler: Int?
    /// The bytes held, as counted last.
    fileprivate var countedBytes = 0

    fileprivate init(
        id: ConnectionID, socket: consuming FileDescriptor, network: ClientNetwork?, machine: HTTPConnection
    ) {
        self.id = id
        self.socket = socket
        self.network = network
        self.machine = machine
    }
}

/// The open connections.
struct ConnectionTable {
    private var slots: [Connection?] = []
    private var generations: [UInt32] = []
    private var freeSlots: [Int] = []
    private var openCount = 0
    /// The connections that were removed while a handler worked. They count until
    /// it has responded: a client that asks and resets, again and again, must not
    /// pile up work.
    private var abandoned: [ConnectionID: Abandoned] = [:]
    private var countOfNetwork: [ClientNetwork: Int] = [:]

    private struct Abandoned {
        let network: ClientNetwork?
        /// The request that the handler works on.
        let heldBytes: Int
    }

    private let memory: HTTPMemory
    /// The bytes held of all connections and of what they left behind.
    private var heldBytes = 0
    /// The most since free memory was returned.
    private var mostHeldBytes = 0
    /// Less is not worth returning.
    private static let leastReturned = 8 * 1024 * 1024

    init(memory: HTTPMemory) { self.memory = memory }

    /// Open connections, and handlers at work whose connection has ended.
    var count: Int { openCount + abandoned.count }

    /// The same of one network; 0 if it is not counted.
    func count(of network: ClientNetwork?) -> Int { network.flatMap { countOfNetwork[$0] } ?? 0 }

    var all: [Connection] { slots.compactMap { $0 } }

    /// The connection with an id; nil if it has been removed.
    subscript(id: ConnectionID) -> Connection? {
        guard id.slot < slots.count, generations[id.slot] == id.generation else { return nil }
        return slots[id.slot]
    }

    /// - Parameter network: nil if it is not to be counted.
    mutating func add(
        _ socket: consuming FileDescriptor, from network: ClientNetwork?, _ machine: HTTPConnection
    ) -> Connection {
        if freeSlots.isEmpty {
            freeSlots.append(slots.count)
            slots.append(nil)
            generations.append(0)
        }
        let slot = freeSlots.removeLast()
        let id = ConnectionID(slot: slot, generation: generations[slot])
        let connection = Connection(id: id, socket: socket, network: network, machine: machine)
        slots[slot] = connection
        openCount += 1
        if let network { countOfNetwork[network, default: 0] += 1 }
        return connection
    }

    /// It has turned out whose the connection is, which was not counted before.
    mutating func count(_ connection: Connection, of network: ClientNetwork?) {
        release(connection.network)
        connection.network = network
        if let network { countOfNetwork[network, default: 0] += 1 }
    }

    mutating func remove(_ connection: Connection) {
        guard self[connection.id] != nil else { return }
        let slot = connection.id.slot
        slots[slot] = nil
        // The generations above are the tokens of what is no connection.
        generations[slot] = (generations[slot] &+ 1) & 0x7FFF_FFFF
        freeSlots.append(slot)
        openCount -= 1
        _ = recount(from: connection.countedBytes, to: connection.bytesAtHandler ?? 0)
        if let bytes = connection.bytesAtHandler {
            abandoned[connection.id] = Abandoned(network: connection.network, heldBytes: bytes)
        } else {
            release(connection.network)
        }
    }

    /// A handler has responded.
    ///
    /// - Returns: nil if the connection has been removed meanwhile.
    mutating func noteResponse(to id: ConnectionID) -> Connection? {
        if let connection = self[id] {
            connection.bytesAtHandler = nil
            return connection
        }
        if let left = abandoned.removeValue(forKey: id) {
            release(left.network)
            _ = recount(from: left.heldBytes, to: 0)
        }
        return nil
    }

    private mutating func release(_ network: ClientNetwork?) {
        guard let network, let count = countOfNetwork[network] else { return }
        countOfNetwork[network] = count > 1 ? count - 1 : nil
    }

    /// Notes what the connection holds now.
    ///
    /// - Returns: whether there was room for what it holds more than before.
    @discardableResult
    mutating func countBytes(of connection: Connection) -> Bool {
        let before = connection.countedBytes
        connection.countedBytes =
            connection.machine.heldBytes + (connection.bytesAtHandler ?? 0)
            + (connection.preamble?.heldBytes ?? 0)
        return recount(from: before, to: connection.countedBytes)
    }

    private mutating func recount(from before: Int, to now: Int) -> Bool {
        heldBytes += now - before
        mostHeldBytes = max(mostHeldBytes, heldBytes)
        return memory.change(by: max(0, now - memory.share) - max(0, before - memory.share))
    }

    /// Whether much is free of what was held: the allocator keeps it unless told
    /// to return it to the system. Asked again, it says so once more only after
    /// much was held again.
    mutating func shouldReturnMemory() -> Bool {
        guard mostHeldBytes >= Self.leastReturned, heldBytes <= mostHeldBytes / 4 else { return false }
        mostHeldBytes = heldBytes
        return true
    }
}
