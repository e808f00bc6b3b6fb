import Synchronization

/// What came of asking a server whether it is there.
public enum ServerLook: Hashable, Sendable {
    case answered(ServerFingerprint)
    /// It could not be reached, or does not let killd in.
    case failed
    /// Nothing came of it in time.
    case unfinished
}

extension KillEngine {
    /// Asks the servers of some instances, all at the same time, who they are.
    ///
    /// - Parameter limit: how long the slowest may take. A look that takes longer
    ///   goes on by itself; whoever asks meanwhile waits for it and the next, so
    ///   that they do not pile up.
    /// - Returns: one look for each instance, in the same order.
    public func look(at instances: [Instance], within limit: Duration) async -> [ServerLook] {
        await withTaskGroup(of: (Int, ServerLook).self) { group in
            for (index, instance) in instances.enumerated() {
                group.addTask { (index, await look(at: instance, within: limit)) }
            }
            var looks = [ServerLook](repeating: .unfinished, count: instances.count)
            for await (index, look) in group { looks[index] = look }
            return looks
        }
    }

    private func look(at instance: Instance, within limit: Duration) async -> ServerLook {
        // Neither task is a child: a group would wait for the slower one.
        await withCheckedContinuation { caller in
            let waiting = Mutex<CheckedContinuation<ServerLook, Never>?>(caller)
            let answer: @Sendable (ServerLook) -> Void = { look in
                waiting.withLock { $0.take() }?.resume(returning: look)
            }
            let timer = Task {
                do { try await clock.sleep(limit) } catch { return }
                answer(.unfinished)
            }
            Task {
                do {
                    answer(.answered(try await instance.fingerprints.observe().observation.fingerprint))
                } catch {
                    answer(.failed)
                }
                timer.cancel()
            }
        }
    }
}
