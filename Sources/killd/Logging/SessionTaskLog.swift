import DASAPI
import SessionKill

extension Log {
    func sessionTask(_ event: SessionTaskRunner.Event) {
        switch event {
        case .created(let task):
            info("a session task was created", task.fields + [("account", task.account.rawValue)])
        case .ended(let task, let ending, let killed, let failed, let spared):
            info(
                "a session task ended",
                task.fields + [
                    ("how", ending.rawValue), ("killed", String(killed)), ("failed", String(failed)),
                    ("spared", String(spared)),
                ])
        case .failed(let task, let cause):
            warning("a session task failed", task.fields + [("cause", "\(cause)")])
        }
    }

    func listingFailed(at target: SessionTaskTarget, _ cause: any Error) {
        warning("a session listing failed", target.fields + [("cause", "\(cause)")])
    }
}

extension SessionTask {
    fileprivate var fields: [Log.Field] {
        [("task", id.rawValue)] + target.fields + [("plan", plan.rawValue)]
    }
}

extension SessionTaskTarget {
    fileprivate var fields: [Log.Field] {
        var fields: [Log.Field] = [("instance", instance.rawValue)]
        if let node { fields.append(("node", node.rawValue)) }
        return fields
    }
}
