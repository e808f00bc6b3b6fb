import SQLiteStore

extension Log {
    /// Whatever the level: the log is what the audit is proven by.
    func audit(_ entry: RecordedEntry) {
        var fields: [Field] = [("audit", String(entry.sequence)), ("hash", entry.hash), ("kind", entry.kind)]
        if let plan = entry.plan { fields.append(("plan", plan)) }
        always("audit entry", fields)
    }
}
