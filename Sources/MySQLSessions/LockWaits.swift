import SessionKill
import Text

extension MySQLConnection {
    /// Adds to a look who waits for whose locks, if anybody waits.
    func lookAtLocks(_ look: inout Look, _ readings: TransactionReadings) throws(ServerError) {
        if let views = rights.oceanBase {
            look.lockWaits = try oceanBaseLockWaits(views, readings)
            return
        }
        let waiters = Set(look.sessions.filter(\.waitsForLock).map(\.id))
        if !waiters.isEmpty { look.lockWaits = try lockWaits(of: waiters, among: look.sessions, readings) }
    }

    private func lockWaits(
        of waiters: Set<ThreadID>, among sessions: [Session], _ readings: TransactionReadings
    ) throws(ServerError) -> LockWaits {
        let begin = ContinuousClock.now
        if let recent = readings.recentLockWaits(at: begin) { return recent }
        var known = try rowLockWaits()
        if sessions.contains(where: \.picture.waitsForMetadataLock), performanceSchema.metadataLocks {
            known += MetadataLock.waits(among: try rows(limited(MetadataLock.query)).map(MetadataLock.init))
        }
        let waits = LockWaits(known: known, unexplained: waiters.subtracting(known.map(\.waiter)))
        readings.add(waits, begunAt: begin)
        return waits
    }

    private func rowLockWaits() throws(ServerError) -> [LockWait] {
        guard rights.isMariaDB || performanceSchema.rowLocks else { return [] }
        var waits: [LockWait] = []
        for row in try rows(limited(rights.isMariaDB ? Self.mariaDBRowLockQuery : Self.mySQLRowLockQuery)) {
            guard let waiter = row[0].flatMap(ThreadID.init(text:)), let object = row[2] else { continue }
            waits.append(
                LockWait(
                    waiter: waiter, holder: row[1].flatMap(ThreadID.init(text:)),
                    lock: Lock(
                        kind: .row, object: object.withoutBackticks, index: row[3], mode: row[4])))
        }
        return waits
    }

    /// Of the locks in a waiter's way only those that somebody holds: with n sessions waiting for one row the server
    /// lists n²/2 pairs of sessions that wait for each other, and joining them all takes seconds (measured).
    ///
    /// BLOCKING_THREAD_ID is no way to the holder: it is the thread that made the lock visible, and of a row just
    /// inserted that is the first who waits for it (measured). What waits behind a prepared XA transaction has no
    /// thread to wait for, hence LEFT JOIN.
    private static let mySQLRowLockQuery = """
        SELECT t.PROCESSLIST_ID,x.trx_mysql_thread_id,CONCAT(b.OBJECT_SCHEMA,'.',b.OBJECT_NAME),b.INDEX_NAME,\
        b.LOCK_MODE \
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
        SELECT r.trx_mysql_thread_id,b.trx_mysql_thread_id,l.lock_table,l.lock_index,l.lock_mode \
        FROM (SELECT requesting_trx_id,blocking_trx_id,blocking_lock_id FROM information_schema.INNODB_LOCK_WAITS \
        GROUP BY requesting_trx_id,blocking_trx_id,blocking_lock_id HAVING COUNT(*)>1 OR blocking_lock_id NOT IN \
        (SELECT trx_requested_lock_id FROM information_schema.INNODB_TRX WHERE trx_requested_lock_id IS NOT NULL)) w \
        JOIN information_schema.INNODB_TRX r ON r.trx_id=w.requesting_trx_id \
        JOIN (SELECT trx_id,MAX(trx_mysql_thread_id) trx_mysql_thread_id FROM information_schema.INNODB_TRX \
        WHERE trx_lock_structs>0 GROUP BY trx_id HAVING COUNT(*)=1) b ON b.trx_id=w.blocking_trx_id \
        JOIN information_schema.INNODB_LOCKS l ON l.lock_id=w.blocking_lock_id
        """

    /// Bounds what a picture may cost the server.
    private func limited(_ select: String) -> String {
        rights.isMariaDB
            ? "SET STATEMENT max_statement_time=0.5 FOR \(select)"
            : "SELECT /*+ MAX_EXECUTION_TIME(500) */\(select.dropFirst("SELECT".count))"
    }

    /// The rows of one statement; none if the server refuses it or it takes too
    /// long: a picture that says less is better than no plan.
    func rows(_ sql: String) throws(ServerError) -> [[String?]] {
        let answer = run(sql)
        if let failure = answer.failure, failure.isConnectionLost {
            throw ServerError(failure, during: "looking at locks and transactions")
        }
        return answer.results.first?.rows ?? []
    }
}

extension Session {
    fileprivate var waitsForLock: Bool {
        picture.transaction?.state.isSame(as: "LOCK WAIT") == true || picture.waitsForMetadataLock
    }
}

extension SessionPicture {
    /// The states of both servers: `Waiting for table metadata lock`, `Waiting
    /// for global read lock`, `Waiting for backup lock`, `Waiting for table
    /// level lock`, `Waiting for table flush`, … and `User lock` for GET_LOCK.
    fileprivate var waitsForMetadataLock: Bool {
        guard let state else { return false }
        let isWaiting = state.utf8.starts(with: "Waiting for ".utf8)
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

extension ThreadID {
    /// `nil` for a number that no plan can hold.
    init?(text: String) {
        guard let number = UInt64(text) else { return nil }
        self.init(number)
    }
}
