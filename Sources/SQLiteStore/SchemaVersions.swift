import Cryptography
import Migrations
import SessionKill

/// The migrations that a store has had, and those that it is to have.
///
/// Kept in the store itself: the table `migrations` holds the version, name and
/// SHA-256 of each migration applied, written in the migration's transaction.
struct SchemaVersions {
    /// The migrations that it has not had, in the order of application.
    let pending: ArraySlice<Migration>
    private let isNewStore: Bool

    /// The number in the database's header, so that `file` and other programs can tell
    /// whose it is: "kild" in ASCII.
    static let applicationID: Int64 = 0x6B69_6C64

    /// Compares a store with `known`, only reading.
    ///
    /// - Throws: ``StoreError`` if the file is another program's database, was
    ///   written by a newer killd, or had a migration whose text was another.
    init(of connection: borrowing Connection, known: [Migration]) throws {
        let applicationID = try Statement("PRAGMA application_id", on: connection).rows {
            try $0.integer("application_id")
        }.first
        let tables = try Statement("SELECT count(*) AS count FROM sqlite_schema", on: connection).rows {
            try $0.integer("count")
        }
        // Also what a crash between the file's creation and the first migration leaves.
        isNewStore = applicationID == 0 && tables == [0]
        guard !isNewStore else {
            pending = known[...]
            return
        }
        guard applicationID == Self.applicationID else {
            throw StoreError(
                .damaged, "the file is another program's database (application_id \(applicationID ?? 0))")
        }
        let applied = try Statement("SELECT version, name, checksum FROM migrations ORDER BY version", on: connection)
            .rows { row in
                (version: try row.integer("version"), name: try row.text("name"), checksum: try row.text("checksum"))
            }
        guard applied.count <= known.count else {
            throw StoreError(
                .other,
                "the store was written by a newer killd: it has migration \(applied[known.count].version) "
                    + "(\(applied[known.count].name)), this killd knows \(known.count)")
        }
        for (before, now) in zip(applied, known) {
            guard before.version == now.version, before.name == now.name, before.checksum == (try now.checksum()) else {
                throw StoreError(
                    .other,
                    "the store had migration \(before.version) (\(before.name)) with another text than this killd's "
                        + "migration \(now.version) (\(now.name))")
            }
        }
        pending = known[applied.count...]
    }

    /// - Throws: ``StoreError`` that names the first migration which it has not had.
    func requireAllApplied() throws(StoreError) {
        guard let missing = pending.first else { return }
        throw StoreError(
            .other, "an earlier killd made it, without migration \(missing.version) (\(missing.name)); make it anew")
    }

    /// Applies what is pending, each migration in one transaction with its record.
    ///
    /// Foreign keys are not enforced meanwhile, since a migration may have to
    /// rebuild a table that others refer to (sqlite.org/lang_altertable.html,
    /// section 7); they are checked before each commit instead.
    ///
    /// - Throws: ``StoreError`` or ``SQLiteError``; migrations before the one
    ///   that failed stay applied, it itself left no trace.
    func applyPending(to connection: borrowing Connection, at time: UnixTime) throws {
        if !isNewStore && !pending.isEmpty { try checkIntegrity(of: connection) }
        try connection.setPragma("foreign_keys", to: "OFF", answering: "0")
        for migration in pending {
            try connection.execute("BEGIN IMMEDIATE")
            do {
                if isNewStore && migration == pending.first { try createTable(on: connection) }
                try connection.execute(migration.sql)
                try checkForeignKeys(of: connection, after: migration)
                try record(migration, on: connection, at: time)
                try connection.execute("COMMIT")
            } catch {
                if connection.isInTransaction { try connection.execute("ROLLBACK") }
                throw StoreError(error, attempt: "apply migration \(migration.version) (\(migration.name))")
            }
        }
    }

    private func createTable(on connection: borrowing Connection) throws {
        try connection.execute(
            """
            PRAGMA application_id = \(Self.applicationID);
            CREATE TABLE migrations (
                version INTEGER PRIMARY KEY,
                name TEXT NOT NULL,
                checksum TEXT NOT NULL, -- SHA-256 of the migration's text
                applied_at INTEGER NOT NULL -- milliseconds since 1970-01-01 00:00:00 UTC
            ) STRICT;
            """)
    }

    private func record(_ migration: Migration, on connection: borrowing Connection, at time: UnixTime) throws {
        try Statement(
            "INSERT INTO migrations (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)", on: connection
        ).run([
            .integer(Int64(migration.version)), .text(migration.name), .text(migration.checksum()),
            .integer(time.milliseconds),
        ])
    }

    private func checkIntegrity(of connection: borrowing Connection) throws {
        let finding = try connection.firstValue(of: "PRAGMA quick_check(1)")
        guard finding == "ok" else {
            throw StoreError(.damaged, "the store is damaged: \(finding ?? "quick_check answered nothing")")
        }
    }

    private func checkForeignKeys(of connection: borrowing Connection, after migration: Migration) throws {
        let tables = try Statement("PRAGMA foreign_key_check", on: connection).rows { try $0.text("table") }
        guard let table = tables.first else { return }
        throw StoreError(.other, "rows of \(table) refer to rows that are not there")
    }
}

extension Migration {
    /// SHA-256 of the text.
    fileprivate func checksum() throws(CryptographyError) -> String {
        hexadecimal(try Digest.sha256.hash(sql.utf8))
    }
}
