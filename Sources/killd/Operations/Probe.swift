import SessionKill

/// Something that killd depends on, probed when somebody asks, as a
/// ``RecentProbe``.
struct Probe: Sendable {
    enum Finding: Hashable, Sendable {
        case works
        /// Why not, in words.
        case fails(String)
    }

    /// How long who asks waits for the result: kubelet gives its probes one second.
    static let timeout = Duration.milliseconds(500)

    private let recent: RecentProbe<Finding>

    /// - Parameter attempt: throws what keeps the thing from working.
    init(clock: RecentProbe<Finding>.Clock = .init(), _ attempt: @escaping @Sendable () async throws -> Void) {
        recent = RecentProbe(
            clock: clock, timeout: Self.timeout, overdue: { .fails("no answer for \($0.milliseconds) ms") }
        ) {
            do {
                try await attempt()
                return .works
            } catch {
                return .fails("\(error)")
            }
        }
    }

    /// What the last attempt found, if that was within a second, or what the
    /// next one finds.
    func finding() async -> Finding { await recent.view() }
}

extension Duration {
    /// Rounded down.
    var milliseconds: Int64 { components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000 }
}
