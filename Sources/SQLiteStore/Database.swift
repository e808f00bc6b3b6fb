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
    let place: DatabasePlace
}

extension Database {
    /// The most bytes of a WAL that begins anew: what is more is cut. Well above the 4 MiB after which SQLite moves it
    /// into the database, so that in ordinary operation nothing is cut and written again.
    static let largestLeftWAL = 16 << 20

    /// Opens the store at `place`, creates it if there is none, and applies the
    /// migrations that it has not had.
    ///
    /// What is no store, or one that this killd cannot go on with, is left as it
    /// was found.
    ///
    /// - Parameter check: throws if it is to be refused; sees the store as it was found, locked.
    init(
        at place: consuming DatabasePlace, migrations: [Migration], at time: UnixTime,
        check: (borrowing Connection) throws -> Void = { _ in }
    ) throws {
        let connection = try place.connect()

        // What is refused here must not even have its WAL moved into it when this connection closes.
        try connection.setCheckpointOnClose(false)
        let versions = try SchemaVersions(of: connection, known: migrations)
        try place.check(versions)
        try check(connection)
        try connection.setCheckpointOnClose(true)

        try place.setDurability(of: connection)
        // What a savepoint would need to undo is kept in memory, so that no folder for temporary files is needed.
        try connection.setPragma("temp_store", to: "MEMORY", answering: "2")
        try versions.applyPending(to: connection, at: time)
        try connection.setPragma("foreign_keys", to: "ON", answering: "1")

        let tables = try Tables(on: connection)
        let transaction = try TransactionStatements(on: connection)
        let openFiles = try place.openFiles()
        self.init(openFiles: openFiles, connection: connection, tables: tables, transaction: transaction, place: place)
    }

    /// Moves the WAL into the file, if there is one, and closes it.
    consuming func close() throws(SQLiteError) {
        try connection.checkpoint()
        _ = consume tables
        _ = consume transaction
        try connection.close()
    }
}
