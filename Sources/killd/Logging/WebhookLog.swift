import SessionKill
import Webhooks

extension Log {
    /// Nothing of a target's address, which may be all that it takes to write to it.
    func webhook(_ event: WebhookEvent) {
        switch event {
        case .failing(let target, let problem):
            warning("a webhook fails; it is tried again", [("target", target), ("reason", "\(problem)")])
        case .recovered(let target): info("a webhook works again", [("target", target)])
        case .switchedOff(let target):
            error("a webhook's receiver is no more (410); it is off until the next reload", [("target", target)])
        case .lost(let target, let entry, let kind, let problem):
            error(
                "a message of a webhook was not delivered",
                [
                    ("target", target), ("audit", String(entry)), ("kind", kind.rawValue),
                    ("reason", problem.map { "\($0)" } ?? ""),
                ])
        case .storeFailed(let target, let cause):
            error(
                "the outbox of a webhook fails; it is tried again", [("target", target), ("cause", cause.description)])
        }
    }
}
