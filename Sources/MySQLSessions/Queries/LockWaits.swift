import SessionKill
import Text

extension MySQLConnection {
    /// Adds to a snapshot who waits for whose locks, if anybody waits, and who holds one that is no table's.
    func readLocks(_ snapshot: inout Snapshot, _ readings: ServerReadings) throws(ServerError) {
        if let views = rights.oceanBase {
            snapshot.lockWaits = try oceanBaseLockWaits(views, readings)
            return
        }
        try readHeldLocks(&snapshot)
        let waiters = Set(snapshot.sessions.filter(\.waitsForLock).map(\.id))
        if !waiters.isEmpty { snapshot.lockWaits = try lockWaits(of: waiters, among: snapshot.sessions, readings) }
    }

    private func lockWaits(
        of waiters: Set<ThreadID>, among sessions: [Session], _ readings: ServerReadings
    ) throws(ServerError) -> LockWaits {
        let begin = ContinuousClock.now
        if let recent = readings.recentLockWaits(at: begin) { return recent }
        var known = try rowLockWaits()
        if sessions.contains(where: \.details.waitsForMetadataLock), performanceSchema.metadataLocks {
            known += try metadataLockWaits()
        }
        let waits = LockWaits(known: known, unexplained: waiters.subtracting(known.map(\.waiter)))
        readings.add(waits, begunAt: begin)
        return waits
    }

    private func metadataLockWaits() throws(ServerError) -> [LockWait] {
        guard let rows = try rowsIfAvailable(limited(MetadataLock.query), "metadata_locks", atMost: mostLocks) else {
            return []
        }
        return MetadataLock.waits(among: try MetadataLock.locks(rows), atMost: mostLocks)
    }

    private func rowLockWaits() throws(ServerError) -> [LockWait] {
        guard rights.isMariaDB || performanceSchema.rowLocks else { return [] }
        let query = limited(rights.isMariaDB ? Self.mariaDBRowLockQuery : Self.mySQLRowLockQuery)
        guard let rows = try rowsIfAvailable(query, "row locks", atMost: mostLocks) else { return [] }
        let (waiter, holder) = (try rows.column("waiter"), try rows.column("holder"))
        let (object, index, mode) = (try rows.column("object"), try rows.column("lock_index"), try rows.column("mode"))
        var waits: [LockWait] = []
        for row in rows {
            guard let waiter = try row.threadIfAny(waiter), let object = try row.name(object) else { continue }
            waits.append(
                LockWait(
                    waiter: waiter, holder: try row.threadIfAny(holder),
                    lock: Lock(
                        kind: .row, object: object.withoutBackticks, index: try row.name(index),
                        mode: try row.name(mode))))
        }
        return waits
    }

    /// The statement for the locks in waiters' way, but for those that nobody holds: with n sessions waiting for one
    /// row the server lists n²/2 pairs of sessions that wait for each other, and joining them all takes seconds
    /// (measured).
    ///
    /// BLOCKING_THREAD_ID is no way to the holder: it is the thread that made the lock visible, and of a row just
    /// inserted that is the first who waits for it (measured). What waits behind a prepared XA transaction has no
    /// thread to wait for, hence LEFT JOIN.
    private static let mySQLRowLockQuery = """
        SELECT t.PROCESSLIST_ID AS waiter,x.trx_mysql_thread_id AS holder,\
        CONCAT(b.OBJECT_SCHEMA,'.',b.OBJECT_NAME) AS object,b.INDEX_NAME AS lock_index,b.LOCK_MODE AS mode \
        FROM performance_schema.data_lock_waits w \
        JOIN performance_schema.data_locks b ON b.ENGINE_LOCK_ID=w.BLOCKING_ENGINE_LOCK_ID AND b.ENGINE=w.ENGINE \
        AND b.LOCK_STATUS='GRANTED' \
        JOIN performance_schema.threads t ON t.THREAD_ID=w.REQUESTING_THREAD_ID \
        LEFT JOIN information_schema.INNODB_TRX x ON x.trx_id=w.BLOCKING_ENGINE_TRANSACTION_ID
        """

    /// A lock that somebody waits for is none that somebody holds, unless the pair is listed twice: a lock held and a
    /// stronger one waited for on the same row have the same id.
    ///
    /// A transaction that has changed nothing has the id 0, like every other such: if more than one of them hold
    /// locks, which of them is in the way cannot be told, and the waiter stays unexplained.
    private static let mariaDBRowLockQuery = """
        SELECT r.trx_mysql_thread_id AS waiter,b.trx_mysql_thread_id AS holder,l.lock_table AS object,\
        l.lock_index AS lock_index,l.lock_mode AS mode \
        FROM (SELECT requesting_trx_id,blocking_trx_id,blocking_lock_id FROM information_schema.INNODB_LOCK_WAITS \
        GROUP BY requesting_trx_id,blocking_trx_id,blocking_lock_id HAVING COUNT(*)>1 OR blocking_lock_id NOT IN \
        (SELECT trx_requested_lock_id FROM information_schema.INNODB_TRX WHERE trx_requested_lock_id IS NOT NULL)) w \
        JOIN information_schema.INNODB_TRX r ON r.trx_id=w.requesting_trx_id \
        JOIN (SELECT trx_id,MAX(trx_mysql_thread_id) trx_mysql_thread_id FROM information_schema.INNODB_TRX \
        WHERE trx_lock_structs>0 GROUP BY trx_id HAVING COUNT(*)=1) b ON b.trx_id=w.blocking_trx_id \
        JOIN information_schema.INNODB_LOCKS l ON l.lock_id=w.blocking_lock_id
        """

    /// The statement with a limit to its time and its rows: details must not cost the server and killd much.
    func limited(_ select: String) -> String {
        let select = "\(select) LIMIT \(mostLocks + 1)"
        return rights.isMariaDB
            ? "SET STATEMENT max_statement_time=0.5 FOR \(select)"
            : "SELECT /*+ MAX_EXECUTION_TIME(500) */\(select.dropFirst("SELECT".count))"
    }

    /// The rows of one statement; `nil` if the server refuses it, it takes too
    /// long or there are more than `limit`: fewer details are better than no
    /// plan. A response that makes no sense is an error all the same.
    func rowsIfAvailable(_ sql: String, _ source: String, atMost limit: Int = .max) throws(ServerError) -> Rows? {
        let response = run(sql)
        if let failure = response.failure {
            guard !failure.isConnectionLost else {
                throw ServerError(failure, during: "looking at locks and transactions")
            }
            return nil
        }
        let rows = try Rows(response.results, source)
        return rows.count > limit ? nil : rows
    }
}

/// The most locks in somebody's way that are shown: where there are more, who waits for them counts as unexplained.
let mostLocks = 25_000

extension Session {
    fileprivate var waitsForLock: Bool {
        details.transaction?.state.isSame(as: "LOCK WAIT") == true || details.waitsForMetadataLock
    }
}

extension SessionDetails {
    /// The states of both servers: `Waiting for table metadata lock`, `Waiting
    /// for global read lock`, `Waiting for backup lock`, `Waiting for table
    /// level lock`, `Waiting for table flush`, … and `User lock` for GET_LOCK.
    fileprivate var waitsForMetadataLock: Bool {
        guard let state else { return false }
        let isWaiting =
            state.utf8.starts(with: "Waiting for ".utf8)
            && (state.hasLastBytes(" lock") || state.hasLastBytes(" flush"))
        return isWaiting || state.isSame(as: "User lock")
    }
}

extension String {
    fileprivate var withoutBackticks: String {
        String(decoding: utf8.filter { $0 != UInt8(ascii: "`") }, as: UTF8.self)
    }

    fileprivate func hasLastBytes(_ end: String) -> Bool { utf8.suffix(end.utf8.count).elementsEqual(end.utf8) }
}
