import SessionKill

extension SQLiteStore {
    /// The most payloads that are dropped at once.
    static let payloadPortion = 256

    /// Drops the payloads of entries from before `time`, in portions between which others can write, and says so in
    /// entries. The entries and their hashes stay, and so do the payloads of what is still to be told and of plans that
    /// are still there.
    ///
    /// - Parameter now: the time of day.
    /// - Returns: how many were dropped.
    @discardableResult
    public nonisolated func dropPayloads(before time: UnixTime, at now: UnixTime) async throws(StoreError) -> Int {
        var total = 0
        var first = await firstKeptPayload
        while true {
            let start = first
            let dropped = try await attempting("drop old payloads of the audit") {
                try await write { tables in
                    let dropped = try tables.audit.dropPayloads(
                        from: start, before: time, limit: Self.payloadPortion)
                    if let last = dropped.max() {
                        try tables.audit.append(.payloadsDropped(through: last, count: dropped.count), at: now)
                    }
                    return dropped
                }
            }
            total += dropped.count
            first = (dropped.max() ?? first - 1) + 1
            if dropped.count < Self.payloadPortion { break }
        }
        try await noteFirstKeptPayload()
        return total
    }

    /// So that the next time need not pass all that has none.
    private func noteFirstKeptPayload() throws(StoreError) {
        try attempting("read the audit") {
            firstKeptPayload = try read { [firstKeptPayload] tables in
                try tables.audit.firstKeptPayload(from: firstKeptPayload) ?? firstKeptPayload
            }
        }
    }
}
