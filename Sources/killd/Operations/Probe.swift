import SessionKill

/// Something that killd depends on, looked at when somebody asks, as a
/// ``RecentLook``.
struct Probe: Sendable {
    enum Finding: Hashable, Sendable {
        case works
        /// Why not, in words.
        case fails(String)
    }

    /// How long who asks waits for a look: kubelet gives a probe one second.
    static let patience = Duration.milliseconds(500)

    private let recent: RecentLook<Finding>

    /// - Parameter look: throws what keeps the thing from working.
    init(clock: RecentLook<Finding>.Clock = .init(), _ look: @escaping @Sendable () async throws -> Void) {
        recent = RecentLook(
            clock: clock, patience: Self.patience, overdue: { .fails("no answer for \($0.milliseconds) ms") }
        ) {
            do {
                try await look()
                return .works
            } catch {
                return .fails("\(error)")
            }
        }
    }

    /// What the last look found, if that was within a second, or what the next
    /// one finds.
    func finding() async -> Finding { await recent.view() }
}

extension Duration {
    /// Rounded down.
    var milliseconds: Int64 { components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000 }
}
