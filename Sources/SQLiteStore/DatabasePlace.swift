import SessionKill

/// The place of a store's database: all that differs between a file and memory.
enum DatabasePlace: ~Copyable {
    /// A file that nobody else uses as a store.
    case file(StoreFile)
    /// Memory, gone with its connection; at first a copy of the bytes that ``Connection/serialized()`` gave, if any.
    case memory(copying: [UInt8]?)
}

extension DatabasePlace {
    /// Opens what is there, or an empty database.
    borrowing func connect() throws -> Connection {
        switch self {
        case .file(let file): try Connection(path: file.path)
        case .memory(let copied):
            if let copied {
                try Connection.inMemory(copying: copied)
            } else {
                try Connection.inMemory(pageBytes: Self.pageBytesInMemory)
            }
        }
    }

    /// Most tables of most stores in memory hold nothing, and each takes a page, as does each index.
    private static let pageBytesInMemory = 1_024

    /// Refuses what is no store of this place.
    ///
    /// - Parameter versions: of what was found.
    borrowing func check(_ versions: SchemaVersions) throws {
        switch self {
        // It is kept for years, and so gets the migrations that it lacks.
        case .file: break
        case .memory(let copied): if copied != nil { try versions.requireAllApplied() }
        }
    }

    /// What makes a COMMIT durable here.
    borrowing func setDurability(of connection: borrowing Connection) throws {
        switch self {
        case .file:
            try connection.setPragma("journal_mode", to: "WAL", answering: "wal")
            // FULL: in WAL mode NORMAL does not sync at each commit, and a record would not survive a power failure.
            try connection.setPragma("synchronous", to: "FULL", answering: "2")
            // While somebody reads for long the WAL grows; without, it would keep that size for ever.
            let limit = String(Database.largestLeftWAL)
            try connection.setPragma("journal_size_limit", to: limit, answering: limit)
        case .memory:
            // The one journal that such a database has: for ROLLBACK.
            try connection.setPragma("journal_mode", to: "MEMORY", answering: "memory")
        }
    }

    /// The files that have to stay where they are.
    borrowing func openFiles() throws(StoreError) -> OpenFiles {
        switch self {
        case .file(let file): try OpenFiles(of: file)
        case .memory: .none
        }
    }
}
