import Migrations
import SessionKill

/// The statements on all tables, prepared once.
struct Tables: ~Copyable {
    let plans: PlanTables
    let tasks: KillTaskTable
    let sessionTasks: SessionTaskTables
    let audit: AuditTable
}

extension Tables {
    init(on connection: borrowing Connection) throws(SQLiteError) {
        self.init(
            plans: try PlanTables(on: connection), tasks: try KillTaskTable(on: connection),
            sessionTasks: try SessionTaskTables(on: connection), audit: try AuditTable(on: connection))
    }
}

/// Owns an open store: the lock, the connection, and every prepared statement.
struct Database: ~Copyable {
    let openFiles: OpenFiles
    let connection: Connection
    let tables: Tables
    let transaction: TransactionStatements
    /// Last, as what is first is closed first.
    let file: StoreFile
}

extension Database {
    /// The most bytes of a WAL that begins anew: what is more is cut. Well above the 4 MiB after which SQLite moves it
    /// into the database, so that in ordinary operation nothing is cut and written again.
    static let largestLeftWAL = 16 << 20

    /// Opens the store at `path`, creates it if there is none, and applies the
    /// migrations that it has not had.
    ///
    /// A file that is no store, or one that this killd cannot go on with, is
    /// left as it was found.
    ///
    /// - Parameter check: throws if it is to be refused; sees the store as it was found, locked.
    init(
        path: String, migrations: [Migration], at time: UnixTime,
        check: (borrowing Connection) throws -> Void = { _ in }
    ) throws {
        let file = try StoreFile(path: path)
        let connection = try Connection(path: file.path)

        // What is refused here must not even have its WAL moved into it when this connection closes.
        try connection.setCheckpointOnClose(false)
        let versions = try SchemaVersions(of: connection, known: migrations)
        try check(connection)
        try connection.setCheckpointOnClose(true)

        try connection.setPragma("journal_mode", to: "WAL", answering: "wal")
        // FULL: in WAL mode NORMAL does not sync at each commit, and a record would not survive a power failure.
        try connection.setPragma("synchronous", to: "FULL", answering: "2")
        // What a savepoint would need to undo is kept in memory, so that no folder for temporary files is needed.
        try connection.setPragma("temp_store", to: "MEMORY", answering: "2")
        // While somebody reads for long the WAL grows; without, it would keep that size for ever.
        let limit = String(Self.largestLeftWAL)
        try connection.setPragma("journal_size_limit", to: limit, answering: limit)
        try versions.applyPending(to: connection, at: time)
        try connection.setPragma("foreign_keys", to: "ON", answering: "1")

        let tables = try Tables(on: connection)
        let transaction = try TransactionStatements(on: connection)
        let openFiles = try OpenFiles(of: file)
        self.init(openFiles: openFiles, connection: connection, tables: tables, transaction: transaction, file: file)
    }

    /// Moves the WAL into the file and closes it.
    consuming func close() throws(SQLiteError) {
        try connection.checkpoint()
        _ = consume tables
        _ = consume transaction
        try connection.close()
    }
}
