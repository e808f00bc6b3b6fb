/// What came of asking a server whether it is there.
public enum ProbeResult: Hashable, Sendable {
    case answered(ServerFingerprint)
    /// It could not be reached, or does not let killd in.
    case failed
    /// Nothing came of it in time.
    case unfinished
}

extension RecentProbe<ProbeResult> {
    /// How long a list of instances waits for the slowest server.
    static var timeout: Duration { .seconds(2) }

    convenience init(at server: any DatabaseServer, clock: Clock) {
        self.init(clock: clock, timeout: Self.timeout, overdue: { _ in .unfinished }) {
            do {
                return .answered(try await server.observe(.server).fingerprint)
            } catch {
                return .failed
            }
        }
    }
}

extension [Instance] {
    /// Who their servers are, as they said within the last second or say now, all
    /// asked at the same time.
    ///
    /// - Returns: one result for each instance, in the same order.
    public func snapshots() async -> [ProbeResult] {
        var snapshots = map(\.recentProbe.known)
        guard snapshots.contains(where: { $0 == nil }) else { return snapshots.compactMap { $0 } }
        await withTaskGroup(of: (Int, ProbeResult).self) { group in
            for (index, instance) in enumerated() where snapshots[index] == nil {
                group.addTask { (index, await instance.recentProbe.view()) }
            }
            for await (index, snapshot) in group { snapshots[index] = snapshot }
        }
        return snapshots.map { $0 ?? .unfinished }
    }
}
