import SessionKill

/// Something that killd depends on, looked at when somebody asks, as a
/// ``RecentProbe``.
struct Probe: Sendable {
    enum Finding: Hashable, Sendable {
        case works
        /// Why not, in words.
        case fails(String)
    }

    /// How long who asks waits for a look: kubelet gives a probe one second.
    static let timeout = Duration.milliseconds(500)

    private let recent: RecentProbe<Finding>

    /// - Parameter look: throws what keeps the thing from working.
    init(clock: RecentProbe<Finding>.Clock = .init(), _ snapshot: @escaping @Sendable () async throws -> Void) {
        recent = RecentProbe(
            clock: clock, timeout: Self.timeout, overdue: { .fails("no answer for \($0.milliseconds) ms") }
        ) {
            do {
                try await snapshot()
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
