/// What came of asking a server whether it is there.
public enum ServerLook: Hashable, Sendable {
    case answered(ServerFingerprint)
    /// It could not be reached, or does not let killd in.
    case failed
    /// Nothing came of it in time.
    case unfinished
}

extension RecentLook<ServerLook> {
    /// How long a list of instances waits for the slowest server.
    static var patience: Duration { .seconds(2) }

    convenience init(at server: any DatabaseServer, clock: Clock) {
        self.init(clock: clock, patience: Self.patience, overdue: { _ in .unfinished }) {
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
    /// - Returns: one look for each instance, in the same order.
    public func looks() async -> [ServerLook] {
        var looks = map(\.recentLook.known)
        guard looks.contains(where: { $0 == nil }) else { return looks.compactMap { $0 } }
        await withTaskGroup(of: (Int, ServerLook).self) { group in
            for (index, instance) in enumerated() where looks[index] == nil {
                group.addTask { (index, await instance.recentLook.view()) }
            }
            for await (index, look) in group { looks[index] = look }
        }
        return looks.map { $0 ?? .unfinished }
    }
}
