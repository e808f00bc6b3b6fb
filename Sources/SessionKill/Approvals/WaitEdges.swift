import Text

extension IndexedObservation {
    /// Who waits for one of some sessions, at once or in turn, with all whom they wait for; and whom the sessions
    /// themselves wait for.
    ///
    /// - Parameter threads: of the sessions.
    /// - Returns: those nearest to the sessions first, and how many were left out.
    func waits(around threads: [ThreadID]) -> (edges: [WaitEdge], omitted: Int) {
        let waits = observation.lockWaits.known.filter { $0.holder != $0.waiter }
        let byHolder = Dictionary(grouping: waits, by: \.holder)
        let byWaiter = Dictionary(grouping: waits, by: \.waiter)
        var found = threads.filter { sessions[$0] != nil }
        var known = Set(found)
        var next = 0
        while next < found.count {
            let waiters = Set((byHolder[found[next]] ?? []).map(\.waiter)).subtracting(known)
            known.formUnion(waiters)
            found += waiters.sorted()
            next += 1
        }
        var edges: [WaitEdge] = []
        var count = 0
        for waiter in found {
            let ofWaiter = Set(byWaiter[waiter] ?? [])
            count += ofWaiter.count
            guard edges.count < ReviewTerms.mostWaits else { continue }
            let inOrder = ofWaiter.sorted { $0.isListed(before: $1) }
            edges += inOrder.prefix(ReviewTerms.mostWaits - edges.count).map(edge)
        }
        return (edges, count - edges.count)
    }

    private func edge(_ wait: LockWait) -> WaitEdge {
        let waiter = sessions[wait.waiter]
        return WaitEdge(
            waiter: wait.waiter, user: waiter?.identity.user ?? "", host: waiter?.identity.host ?? "",
            seconds: waiter?.details.seconds, holder: wait.holder, lock: wait.lock)
    }
}

extension LockWait {
    /// In an order that is always the same, of those of one waiter.
    fileprivate func isListed(before other: LockWait) -> Bool {
        func key(_ wait: LockWait) -> (UInt32, ExactText, ExactText, ExactText) {
            (
                wait.holder?.rawValue ?? .max, ExactText(wait.lock.object), ExactText(wait.lock.index ?? ""),
                ExactText(wait.lock.mode ?? "")
            )
        }
        return key(self) < key(other)
    }
}
