import AuditTrail
import SessionKill

extension SQLiteStore {
    /// Reads the audit of a store as it is at this moment, also while a killd writes to it, and checks its chain.
    ///
    /// - Parameter take: is given each payload, or of one that is no longer kept what was hashed of it, as a line with
    ///   its end.
    public static func readAudit(
        path: String, _ take: (UnsafeBufferPointer<UInt8>) throws -> Void
    ) throws(StoreError) -> ChainFindings {
        try attempting("read the audit of \(path)") {
            let connection = try Connection.readingAudit(of: path)
            try connection.execute("BEGIN")
            var check = try ChainCheck(known: [])
            try ChainCheck.readEntries(on: connection) { entry in
                try check.add(entry)
                if let payload = entry.payload {
                    try take(payload)
                } else {
                    let line = AuditLine([
                        ("payloadSha256", .text(String(decoding: entry.payloadHash, as: UTF8.self))),
                        ("seq", .number(entry.sequence)),
                    ]).line()
                    try Array(line.utf8).withUnsafeBufferPointer(take)
                }
            }
            return check.result()
        }
    }
}

extension ChainCheck {
    /// Reads every entry of a store, in order.
    static func readEntries(on connection: borrowing Connection, _ take: (Entry) throws -> Void) throws {
        let entries = try Statement(
            "SELECT seq, at, kind, plan, payload, payload_sha256, hash FROM audit_entries ORDER BY seq",
            on: connection)
        let empty = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
        try entries.forEach { row in
            try take(
                Entry(
                    sequence: row.integer(at: 0), time: row.integer(at: 1), kind: row.bytes(at: 2) ?? empty,
                    plan: row.bytes(at: 3), payload: row.bytes(at: 4), payloadHash: row.bytes(at: 5) ?? empty,
                    hash: row.bytes(at: 6) ?? empty))
        }
    }
}
