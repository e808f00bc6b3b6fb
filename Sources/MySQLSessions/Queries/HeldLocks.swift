import SessionKill
import Text

extension MySQLConnection {
    /// Adds to a snapshot who holds locks that are no table's, as far as the server tells.
    ///
    /// MySQL's `metadata_locks` does, and MariaDB's if its instrument is on, which it is not by default; MariaDB's
    /// plugin METADATA_LOCK_INFO does in any case (all measured, on MySQL 9.7 and MariaDB 10.11).
    func readHeldLocks(_ snapshot: inout Snapshot) throws(ServerError) {
        let query: String
        if rights.showsMetadataLockInfo {
            query = Self.pluginQuery
        } else if performanceSchema.metadataLocks {
            query = Self.performanceSchemaQuery
        } else {
            return
        }
        guard let rows = try rowsIfAvailable(limited(query), "held locks", atMost: mostLocks) else { return }
        snapshot.heldLocks = try Self.heldLocks(rows)
    }

    static func heldLocks(_ rows: Rows) throws(ServerError) -> HeldLocks {
        let (owner, object, type) = (try rows.column("owner"), try rows.column("object"), try rows.column("type"))
        var held = HeldLocks()
        for row in rows {
            guard let owner = try row.threadIfAny(owner) else { continue }
            let object = ExactText(row.text(object) ?? "")
            if object == "USER LEVEL LOCK" || object == "User lock" {
                held.user.insert(owner)
            } else if Lock.isGlobalReadOrBackupLock(object: object, type: ExactText(row.text(type) ?? "")) {
                held.global.insert(owner)
            }
        }
        return held
    }

    private static let performanceSchemaQuery = """
        SELECT t.PROCESSLIST_ID AS owner,m.OBJECT_TYPE AS object,m.LOCK_TYPE AS type \
        FROM performance_schema.metadata_locks m JOIN performance_schema.threads t ON t.THREAD_ID=m.OWNER_THREAD_ID \
        WHERE m.LOCK_STATUS='GRANTED' \
        AND m.OBJECT_TYPE IN ('GLOBAL','COMMIT','BACKUP LOCK','BACKUP','USER LEVEL LOCK')
        """

    private static let pluginQuery = """
        SELECT THREAD_ID AS owner,LOCK_TYPE AS object,LOCK_MODE AS type \
        FROM information_schema.METADATA_LOCK_INFO WHERE LOCK_TYPE IN ('Backup lock','User lock')
        """
}
