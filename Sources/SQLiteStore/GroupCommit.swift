import SessionKill

/// One write to the store. If it, or another of its group, fails it is undone and may be run a second time.
typealias Write = @Sendable (borrowing Tables) throws -> Void

/// The statements that begin and end transactions, prepared once.
struct TransactionStatements: ~Copyable {
    let begin: Statement
    let beginReading: Statement
    let commit: Statement
    let rollback: Statement
    let savepoint: Statement
    let release: Statement
    let rollbackToSavepoint: Statement
}

extension TransactionStatements {
    init(on connection: borrowing Connection) throws(SQLiteError) {
        self.init(
            // IMMEDIATE: a busy timeout cannot cure a transaction that begins to write after it has read.
            begin: try Statement("BEGIN IMMEDIATE", on: connection),
            beginReading: try Statement("BEGIN", on: connection),
            commit: try Statement("COMMIT", on: connection),
            rollback: try Statement("ROLLBACK", on: connection),
            savepoint: try Statement("SAVEPOINT one_write", on: connection),
            release: try Statement("RELEASE one_write", on: connection),
            rollbackToSavepoint: try Statement("ROLLBACK TO one_write", on: connection))
    }
}

extension Database {
    /// Runs `writes` in one transaction, so that all of them share the one sync
    /// to disk that makes them durable.
    ///
    /// A write that fails is undone and takes no other with it, unless SQLite
    /// gives up the whole transaction (as it may when the disk is full) or
    /// COMMIT fails: then nothing was changed and all have failed.
    ///
    /// - Returns: one result for each write, in the same order.
    borrowing func commit(_ writes: [Write]) -> [Result<Void, any Error>] {
        var hasFailed = false
        do {
            try inTransaction {
                do {
                    for write in writes { try write(tables) }
                } catch {
                    hasFailed = true
                    throw error
                }
            }
            return writes.map { _ in .success(()) }
        } catch {
            guard hasFailed, writes.count > 1 else { return writes.map { _ in .failure(error) } }
        }
        // Only now each by itself: a savepoint has SQLite copy every page that its write touches, which is five hundredths
        // of what a Prepare costs the store.
        do {
            return try inTransaction { try writes.map { try runInSavepoint($0) } }
        } catch {
            return writes.map { _ in .failure(error) }
        }
    }

    /// Runs `body` in a transaction, which is on disk afterwards.
    ///
    /// - Throws: what `body` throws or SQLite says, with nothing changed.
    borrowing func inTransaction<Answer>(_ body: () throws -> Answer) throws -> Answer {
        let untold = tables.audit.untold.entries.count
        do {
            try endAbandonedTransaction()
            guard openFiles.areInPlace else {
                throw StoreError(.cannotWrite, "the store's files were deleted, renamed or replaced")
            }
            try transaction.begin.run()
            let result = try body()
            try transaction.commit.run()
            return result
        } catch {
            tables.audit.untold.removeAll(after: untold)
            // Should this fail too, whoever comes next tries again before anything else.
            try? endAbandonedTransaction()
            throw error
        }
    }

    /// Reads what is committed.
    borrowing func read<Value>(_ read: (borrowing Tables) throws -> Value) throws -> Value {
        try endAbandonedTransaction()
        return try read(tables)
    }

    /// The same by several statements, for which SQLite locks the file once.
    borrowing func readAtOneMoment<Value>(_ read: (borrowing Tables) throws -> Value) throws -> Value {
        try endAbandonedTransaction()
        try transaction.beginReading.run()
        // Should this fail, whoever comes next tries again before anything else.
        defer { try? endAbandonedTransaction() }
        return try read(tables)
    }

    /// - Throws: the failure of `write` if the transaction did not survive it.
    private borrowing func runInSavepoint(_ write: Write) throws -> Result<Void, any Error> {
        let untold = tables.audit.untold.entries.count
        try transaction.savepoint.run()
        do {
            try write(tables)
            try transaction.release.run()
            return .success(())
        } catch {
            guard connection.isInTransaction else { throw error }
            try transaction.rollbackToSavepoint.run()
            try transaction.release.run()
            tables.audit.untold.removeAll(after: untold)
            return .failure(error)
        }
    }

    /// A COMMIT that failed may leave its transaction open.
    private borrowing func endAbandonedTransaction() throws {
        if connection.isInTransaction { try transaction.rollback.run() }
    }
}
