import AuditTrail

extension AuditFault {
    var isOfChain: Bool {
        switch self {
        case .noBeginning, .missing, .outOfPlace, .payloadAltered, .linkBroken, .columnDiffers, .malformed, .outOfTime,
            .payloadGone:
            true
        case .cut, .rewritten, .anotherStore, .plan, .orphans: false
        }
    }

    /// - Parameter rollbacks: entries that say that killd was started with a store that was older than its heads file.
    func words(rollbacks: [Int64]) -> VisibleText {
        switch self {
        case .noBeginning: "entry 1: it is not the one with which killd begins an audit"
        case .missing(let range):
            range.count == 1
                ? "entry \(range.lowerBound) is missing: it was removed"
                : "entries \(range.lowerBound) to \(range.upperBound) are missing: they were removed"
        case .outOfPlace(let entry, let other):
            "entry \(entry) holds what was written as entry \(other): entries were reordered, or some removed"
        case .payloadAltered(let entry): "entry \(entry) was altered: its payload does not have the hash beside it"
        case .linkBroken(let entry):
            "entry \(entry) was altered, or what is before it: its hash does not follow from them"
        case .columnDiffers(let entry, let column):
            "entry \(entry) was altered: its column \(column.rawValue) says something else than its payload"
        case .malformed(let entry): "entry \(entry) was altered: its payload is not written as killd writes one"
        case .outOfTime(let entry): "entry \(entry) was altered: it is earlier than the entry before it"
        case .payloadGone(let entry):
            "entry \(entry): its payload was removed, and no entry says that it is no longer kept"
        case .cut(let last, let head):
            "the store was cut off or rolled back: it ends at entry \(last), \(head.words)\(Self.accepted(rollbacks))"
        case .rewritten(let common, let head):
            """
            the store was rolled back or rewritten after entry \(common): it has another entry \(head.sequence) than \
            \(head.place.words) has\(Self.accepted(rollbacks))
            """
        case .anotherStore(let head):
            "this is another store than the one that \(head.place.words) is about, or all of it was written anew"
        case .plan(let name, let fault): "plan \(name): \(fault.words)"
        case .orphans: "there are decisions or threads of plans that are not there"
        }
    }

    private static func accepted(_ rollbacks: [Int64]) -> VisibleText {
        guard let entry = rollbacks.first else { return "" }
        return " (entry \(entry) says that killd was started in spite of it)"
    }
}

extension KnownHead {
    fileprivate var words: VisibleText { "\(place.words) has entry \(sequence)" }
}

extension KnownHead.Place {
    var words: VisibleText { "\(file):\(line)" }
}

extension PlanFault {
    var words: VisibleText {
        switch self {
        case .unreadable(let reason): "it cannot be read: \(reason)"
        case .digest: "it was changed: what it pins does not have its digest"
        case .notPrepared: "it was made by nobody: no entry says that it was prepared"
        case .removed: "it was removed: there are entries about it, and none says that it was deleted"
        case .restored(let entry): "it was put back: entry \(entry) says that it was deleted"
        case .differs(let entry, let member): "it differs from entry \(entry), which says another \(member)"
        case .state(let state, let told): "it was changed: its state is \(state), its entries lead to \(told)"
        case .outOfOrder(let entry, let kind): "entry \(entry) (\(kind)) can have no place where it stands"
        case .decisionForged(let kind, let person): "forged: no entry says that it was \(kind) by \(person)"
        case .decisionCopied(let kind, let person, let plan):
            "forged: that it was \(kind) by \(person) is copied from plan \(plan)"
        case .decisionRemoved(let kind, let entry):
            "entry \(entry) says that it was \(kind); that decision was removed"
        case .noQuorum(let entry):
            "entry \(entry) says that it was committed, without the approvals that it needed"
        case .request(let kind, let person, let fault):
            "forged: that it was \(kind) by \(person): \(fault.words)"
        }
    }
}

extension RequestFault {
    fileprivate var words: VisibleText {
        switch self {
        case .ofAnotherPlan(let plan?): "the request that is kept with it is about plan \(plan)"
        case .ofAnotherPlan(nil): "the request that is kept with it is about another plan"
        case .unreadable: "what is kept with it is no request"
        case .forged: "the request that is kept with it does not verify with the account's key"
        case .anotherAction: "the request that is kept with it asks for something else"
        }
    }
}
