/// Why a plan was not committed. This Commit killed nobody, if not said otherwise.
public enum KillError: Error, Hashable, Sendable {
    /// No plan has that ticket, or it belongs to another account or instance.
    case planNotFound
    case expired(at: UnixTime)
    /// - Parameter afterInterruption: whether an earlier Commit may have killed
    ///   some of its sessions before it was interrupted.
    case stale(StaleReason, afterInterruption: Bool)
    /// The configuration was changed while the Commit waited.
    case notPermitted(KillObstacle)
    /// The stored plan does not have its digest any more: somebody changed the store.
    case planAltered
    /// Another killd that shares the store is at it.
    case beingCommitted
    /// It lacks approvals.
    case notApproved(ApprovalGap)
    /// Somebody rejected it or took it back.
    case decided(PlanStatus, at: UnixTime, by: Caller?)
    /// What somebody wanted to decide about it, or to commit it by, cannot be.
    case decisionRefused(ReviewObstacle)
    /// KILLs were sent, but what became of the sessions could not be stored. A
    /// repeated Commit tells, or finds out if killd was started anew meanwhile.
    case outcomesNotStored(StoreError)
}
