import AuditTrail
import Cryptography
import SessionKill

/// An event as far as it can be written before its place in the audit is known: outside of the store's thread.
struct WrittenEvent: Sendable {
    let kind: AuditEvent.Kind
    let plan: PlanName?
    private let line: UnplacedLine

    /// - Throws: `CryptographyError` if OpenSSL refuses.
    init(_ event: AuditEvent) throws(CryptographyError) {
        kind = event.kind
        plan = event.plan
        line = UnplacedLine([("kind", .text(kind.rawValue))] + (try event.members()))
    }

    /// The entry's line.
    func payload(sequence: Int64, at time: UnixTime) -> String {
        line.line(sequence: sequence, time: time.milliseconds)
    }
}

extension AuditEvent {
    /// The first member in which an entry's payload says something else.
    ///
    /// - Parameter unknown: members of which this event knows nothing.
    /// - Throws: `CryptographyError` if OpenSSL refuses.
    func difference(
        from payload: [(name: String, value: JSONSlice)], unknown: Set<String>
    ) throws(CryptographyError) -> String? {
        var told: [String: ArraySlice<UInt8>] = [:]
        for (name, value) in payload where !["seq", "at", "kind"].contains(name) && !unknown.contains(name) {
            told[name] = value.raw
        }
        for case (let name, let value?) in try members() where !unknown.contains(name) {
            guard told.removeValue(forKey: name)?.elementsEqual(value.json) == true else { return name }
        }
        return told.keys.min()
    }
}

extension AuditEvent {
    fileprivate typealias Members = [(String, AuditValue?)]

    fileprivate func members() throws(CryptographyError) -> Members {
        switch self {
        case .created(let store, let earlierPlans):
            return [("store", .text(store)), ("earlierPlans", .number(Int64(earlierPlans)))]
        case .configured(let configuration): return Self.members(of: configuration)
        case .prepared(let plan, let digest, let caller):
            return Self.members(of: plan, digest) + Self.members(of: caller)
        case .decided(let decision, let plan):
            var signature: AuditValue?
            if let request = decision.request {
                signature = .text(hexadecimal(try Digest.sha256.hash(request.text.utf8)))
            }
            return Self.members(of: plan) + Self.members(of: decision.caller) + [
                ("reason", decision.comment.map { .text($0) }), ("signature", signature),
            ]
        case .claimed(let claim, let plan, let required):
            return Self.members(of: plan) + Self.members(of: claim.caller) + [
                ("required", .number(Int64(required))),
                ("approvals", .list(claim.approvals.map { .text($0.caller.person.rawValue) })),
                ("threads", .list(claim.intended.map { .object([("id", $0.auditValue)]) })),
            ]
        case .finished(let ending, let outcomes, let plan):
            let threads = outcomes.sorted { $0.key < $1.key }.map { id, outcome in
                AuditedOutcome(id, OutcomeColumns(outcome)).auditValue
            }
            return Self.members(of: plan) + [
                ("stateReason", ending.staleReason.map { .text($0.rawValue) }), ("threads", .list(threads)),
            ]
        case .expired(let plan): return Self.members(of: plan)
        case .taskCreated(let task): return Self.members(of: task)
        case .taskEnded(let task, let ending):
            let (word, account): (String, AccountName?) =
                switch ending {
                case .expired: ("expired", nil)
                case .cancelled(let account): ("cancelled", account)
                }
            return [
                ("task", .text(task.rawValue)), ("ending", .text(word)),
                ("account", account.map { .text($0.rawValue) }),
            ]
        case .sessionTaskCreated(let task, let threads):
            return [
                ("sessionTask", .text(task.id.rawValue)), ("account", .text(task.account.rawValue)),
                ("instance", .text(task.target.instance.rawValue)),
                ("node", task.target.node.map { .text($0.rawValue) }), ("plan", .text(task.plan.rawValue)),
                ("threads", .list(threads.map { .object([("id", $0.auditValue)]) })),
            ]
        case .sessionTaskEnded(let task, let ending, let outcomes):
            return [
                ("sessionTask", .text(task.rawValue)), ("ending", .text(ending.rawValue)),
                ("threads", .list(outcomes.map(\.auditValue))),
            ]
        case .pruned(let names, let what):
            return [("of", .text(what.rawValue)), ("names", .list(names.map { .text($0) }))]
        case .payloadsDropped(let last, let count):
            return [("of", .text("payloads")), ("through", .number(last)), ("count", .number(Int64(count)))]
        case .rollbackAccepted(let entry, let hash, let store):
            return [
                ("lostEntry", .number(entry)), ("lostHash", .text(hash)), ("lostStore", store.map { .text($0) }),
            ]
        }
    }

    private static func members(of caller: Caller) -> Members {
        [
            ("account", .text(caller.account.rawValue)), ("person", .text(caller.person.rawValue)),
            ("address", caller.request.map { .text($0.address) }),
            ("requestId", caller.request.map { .text($0.id) }),
        ]
    }

    private static func members(of plan: AuditedPlan) -> Members {
        [
            ("plan", .text(plan.name.rawValue)), ("instance", .text(plan.instance.rawValue)),
            ("digest", .text(plan.digest)),
        ]
    }

    private static func members(of plan: KillPlan, _ digest: String) -> Members {
        let content = plan.content
        return members(of: AuditedPlan(name: plan.name, instance: content.instance, digest: digest)) + [
            ("task", content.task.map { .text($0.rawValue) }),
            ("requestedBy", content.requestedBy.map { .text($0.rawValue) }),
            ("reason", content.reason.map { .text($0) }),
            ("grade", content.review?.risk.map { .text($0.grade.rawValue) }),
            ("required", .number(Int64(content.review?.required ?? 0))),
            ("expiresAt", .number(content.expiresAt.milliseconds)),
            ("approvableUntil", (content.review?.approvableUntil).map { .number($0.milliseconds) }),
            ("commitWithin", (content.review?.commitWithin).map { .number(Int64($0)) }),
            (
                "threads",
                .list(
                    content.threads.map { thread in
                        .object(ofPresent: [
                            ("id", thread.id.auditValue), ("user", thread.session.map { .text($0.identity.user) }),
                            ("host", thread.session.map { .text($0.identity.host) }),
                        ])
                    })
            ),
        ]
    }

    private static func members(of task: KillTask) -> Members {
        let rule = task.rule
        let statement: AuditValue? =
            switch rule.statement {
            case .beginsWith(let prefix)?: .object([("beginsWith", .text(prefix))])
            case .containsAll(let keywords)?: .object([("containsAll", .list(keywords.map { .text($0) }))])
            case nil: nil
            }
        return [
            ("task", .text(task.name.rawValue)), ("account", .text(task.account.rawValue)),
            ("instance", .text(task.instance.rawValue)), ("endsAt", task.endsAt.map { .number($0.milliseconds) }),
            (
                "rule",
                .object(ofPresent: [
                    ("user", rule.user.map { .text($0) }), ("host", rule.host.map { .text($0) }),
                    ("databases", rule.databases.map { .list($0.map { .text($0) }) }),
                    ("commands", rule.commands.map { .list($0.map { .text($0) }) }),
                    ("longerThan", rule.longerThan.map { .number($0) }), ("statement", statement),
                ])
            ),
        ]
    }

    private static func members(of configuration: AuditedConfiguration) -> Members {
        [
            ("occasion", .text(configuration.occasion.rawValue)),
            (
                "accounts",
                .list(
                    configuration.accounts.map { account in
                        .object([
                            ("name", .text(account.name.rawValue)), ("person", .text(account.person.rawValue)),
                            ("may", .list(account.permissions.map { .text($0) })),
                            ("instances", .list(account.instances.map { .text($0) })),
                        ])
                    })
            ),
            (
                "approvals",
                .list(
                    configuration.approvals.sorted { $0.key.rawValue < $1.key.rawValue }.map { instance, policy in
                        .object(
                            [
                                ("instance", .text(instance.rawValue)),
                                ("approvableFor", .number(Int64(policy.approvableFor))),
                                ("commitWithin", .number(Int64(policy.commitWithin))),
                            ] + RiskGrade.allCases.map { ($0.rawValue, .number(Int64(policy.required(for: $0)))) })
                    })
            ),
        ]
    }
}

extension ThreadID {
    fileprivate var auditValue: AuditValue { .number(Int64(rawValue)) }
}

extension AuditedOutcome {
    fileprivate init(_ thread: ThreadID, _ columns: OutcomeColumns?) {
        self.init(
            thread: thread, outcome: columns?.outcome, reason: columns?.reason, serverError: columns?.serverError,
            detail: columns?.detail)
    }

    fileprivate var auditValue: AuditValue {
        .object(ofPresent: [
            ("id", thread.auditValue), ("outcome", outcome.map { .text($0) }), ("reason", reason.map { .text($0) }),
            ("serverError", serverError.map { .number($0) }), ("detail", detail.map { .text($0) }),
        ])
    }
}

extension AuditEvent {
    static func ended(_ task: SessionTaskID, _ ending: SessionTaskEnding, _ sessions: [TaskedSession]) -> AuditEvent {
        .sessionTaskEnded(
            task, ending, outcomes: sessions.map { AuditedOutcome($0.id, $0.outcome.map(OutcomeColumns.init)) })
    }
}
