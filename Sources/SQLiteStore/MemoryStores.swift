import DedicatedThread
import Migrations
import SessionKill

/// Stores in memory, all on one thread: they have the tables and statements of a store in a file, and end with their
/// process.
///
/// One that is opened is a copy of a database that has had all migrations: those take fifty times as long as the copy.
public actor MemoryStores {
    private let thread: DedicatedThread
    private var template: [UInt8]?

    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// Starts the thread.
    public init() throws { thread = try DedicatedThread(name: "stores") }

    /// Makes what the stores are copies of, so that the first one need not wait for it.
    ///
    /// - Parameter time: recorded with the migrations.
    public func prepare(at time: UnixTime) throws(StoreError) { _ = try migrated(at: time) }

    /// An empty store.
    public func open(at time: UnixTime) async throws(StoreError) -> SQLiteStore {
        try await SQLiteStore.openInMemory(copying: try migrated(at: time), on: thread, at: time)
    }

    /// A store with all that one had of which these are the bytes; see ``SQLiteStore/serialized()``.
    ///
    /// - Throws: ``StoreError`` also if that had another killd's migrations.
    public func open(_ backup: [UInt8], at time: UnixTime) async throws(StoreError) -> SQLiteStore {
        try await SQLiteStore.openInMemory(copying: backup, on: thread, at: time)
    }

    private func migrated(at time: UnixTime) throws(StoreError) -> [UInt8] {
        if let template { return template }
        let made = try attempting("make a store in memory") {
            try Database(at: .memory(copying: nil), migrations: Migration.all, at: time).connection.serialized()
        }
        template = made
        return made
    }
}

extension SQLiteStore {
    /// The store as bytes, for ``MemoryStores/open(_:at:)``: all that callers were answered about is in them.
    public func serialized() throws(StoreError) -> [UInt8] {
        try attempting("copy the store") {
            switch database {
            case .some(let database): return try database.connection.serialized()
            case .none: throw Self.closed
            }
        }
    }
}
