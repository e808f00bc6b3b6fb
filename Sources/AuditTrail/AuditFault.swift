/// Something by which an audit is not what killd wrote.
public enum AuditFault: Hashable, Sendable {
    // MARK: The chain

    /// The first entry is not the one with which an audit begins.
    case noBeginning
    /// These entries are not there.
    case missing(ClosedRange<Int64>)
    /// An entry's payload is that of another one: one was removed, or they were reordered.
    case outOfPlace(Int64, payloadOf: Int64)
    /// The payload is not the one that was hashed.
    case payloadAltered(Int64)
    /// The hash does not follow from the entry and the hash before it.
    case linkBroken(Int64)
    /// A column beside the payload says something else than the payload.
    case columnDiffers(Int64, column: Column)
    /// The payload is not written as killd writes one.
    case malformed(Int64)
    /// It is earlier than the entry before.
    case outOfTime(Int64)
    /// The payload is gone, and no entry says that it is no longer kept.
    case payloadGone(Int64)

    // MARK: What is known outside

    /// The store ends before an entry that is known outside.
    case cut(last: Int64, KnownHead)
    /// From some entry on the store tells another story than is known outside.
    ///
    /// - Parameter common: the last entry that is on both; 0 if none is known.
    case rewritten(common: Int64, KnownHead)
    /// What is known outside is of another store.
    case anotherStore(KnownHead)

    // MARK: The plans

    case plan(String, PlanFault)
    /// There are rows of plans that are not there.
    case orphans

    public enum Column: String, Hashable, Sendable {
        case at, kind, plan
    }
}

/// Something by which a plan is not what the audit says.
public enum PlanFault: Hashable, Sendable {
    /// It cannot be read.
    case unreadable(String)
    /// What it pins does not have the digest beside it.
    case digest
    /// No entry tells that it was prepared.
    case notPrepared
    /// There are entries, but neither the plan nor an entry that says it was deleted.
    case removed
    /// An entry says that it was deleted, and it is there.
    case restored(entry: Int64)
    /// The plan differs from an entry in this.
    case differs(entry: Int64, member: String)
    /// The state is not the one to which the entries lead.
    case state(String, told: String)
    /// An entry stands where none of its kind can be.
    case outOfOrder(entry: Int64, kind: String)
    /// Of a decision no entry tells.
    case decisionForged(kind: String, person: String)
    /// A decision refers to an entry on another plan.
    case decisionCopied(kind: String, person: String, from: String)
    /// An entry tells of a decision that is not there.
    case decisionRemoved(kind: String, entry: Int64)
    /// It was committed without the approvals that it needed, and no glass was broken.
    case noQuorum(entry: Int64)
    /// The request that is kept with a decision proves none.
    case request(kind: String, person: String, RequestFault)
}

/// Why a kept request proves no decision.
public enum RequestFault: Hashable, Sendable {
    /// It is there for another plan.
    case ofAnotherPlan(String?)
    /// It is no request of an API.
    case unreadable
    /// It does not verify with the key of the account.
    case forged
    /// It asks for something else.
    case anotherAction
}
