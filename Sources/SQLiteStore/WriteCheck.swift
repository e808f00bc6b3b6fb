import SessionKill

extension SQLiteStore {
    /// Finds out whether the store can be written now, by a write that goes to
    /// disk as every other does and changes nothing.
    ///
    /// Costs a page and a sync, so whoever asks often should remember the answer.
    public func checkWritable() throws(StoreError) {
        try attempting("write to the store") {
            switch database {
            case .some(let database): try database.rewriteApplicationID()
            case .none: throw Self.closed
            }
        }
    }
}

extension Database {
    /// SQLite writes the page of the database's header without comparing.
    fileprivate borrowing func rewriteApplicationID() throws {
        try inTransaction { try connection.execute("PRAGMA application_id = \(SchemaVersions.applicationID)") }
    }
}
