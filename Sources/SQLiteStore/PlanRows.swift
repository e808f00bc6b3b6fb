import FoundationEssentials
import SessionKill
import Synchronization

/// What Prepare stored of a plan: one row of `plans` and its rows of `threads`.
struct PlanRows: Hashable, Sendable {
    var name: String
    var sqlExecID: String
    var digest: String
    var account: String
    /// Who acted through the account.
    var person: String
    var requestedBy: String?
    var reason: String?
    var instance: String
    /// The task's name.
    var task: String?
    var preparedAt: Int64
    var expiresAt: Int64
    var recordHistory: Bool
    /// The fingerprint as JSON.
    var fingerprint: String
    /// The impact as JSON.
    var impact: String?
    var review: Review?
    /// The threads in the order of their positions.
    var threads: [Thread]

    /// The columns that only plans with terms of review have.
    struct Review: Hashable, Sendable {
        /// What is shown, as JSON.
        var json: String
        /// Read by lists only: of a plan that is read whole the assessment tells it.
        var riskGrade: String?
        var required: Int64
        var approvableUntil: Int64
        /// In seconds.
        var commitWithin: Int64
    }

    struct Thread: Hashable, Sendable {
        var id: Int64
        var session: Session?
    }

    /// A session whose id is that of the thread.
    struct Session: Hashable, Sendable {
        var user: String
        var host: String
        var performanceSchemaThreadID: UInt64?
        /// The client as JSON.
        var client: String?
        /// The details as JSON.
        var details: String?
    }
}

/// How far a stored plan got, as the columns say.
struct ProgressColumns: Hashable, Sendable {
    var state: String
    var committingSince: Int64?
    var endedAt: Int64?
    var staleReason: String?
    /// The threads by position.
    var threads: [Thread]

    struct Thread: Hashable, Sendable {
        var isIntended: Bool
        var outcome: OutcomeColumns?
        var killGuard: String?
    }
}

extension PlanRows {
    /// - Throws: whatever stops the encoder or OpenSSL.
    init(_ plan: KillPlan, preparer: PersonName) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        func json(_ value: some Encodable) throws -> String {
            String(decoding: try encoder.encode(value), as: UTF8.self)
        }
        func json<Value: Encodable & Equatable & Sendable>(_ value: Value, unlike last: borrowing Last<Value>) throws
            -> String
        {
            try last.withLock { last in
                if let last, last.value == value { return last.json }
                let text = try json(value)
                last = (value, text)
                return text
            }
        }
        let content = plan.content
        // A pool's idle sessions look alike, and encoding the details of each was a quarter of what Prepare cost. Those
        // with a statement are left out: its text is a stranger's, and hashing such may take very long.
        var encoded: [PinnedDetails: String] = [:]
        func detailsJSON(_ details: PinnedDetails) throws -> String {
            guard details.statement == nil else { return try json(details) }
            if let known = encoded[details] { return known }
            let text = try json(details)
            encoded[details] = text
            return text
        }
        self.init(
            name: plan.name.rawValue, sqlExecID: plan.sqlExecID.rawValue, digest: try plan.digest(),
            account: content.account.rawValue, person: preparer.rawValue,
            requestedBy: content.requestedBy?.rawValue, reason: content.reason, instance: content.instance.rawValue,
            task: content.task?.rawValue,
            preparedAt: content.preparedAt.milliseconds, expiresAt: content.expiresAt.milliseconds,
            recordHistory: content.recordHistory,
            fingerprint: try json(content.fingerprint, unlike: Self.lastFingerprint),
            impact: try content.impact.map { try json($0, unlike: Self.lastImpact) },
            review: try content.review.map { review in
                let column = ReviewColumn(review)
                return Review(
                    // Strangers' names are in the waits, and those that are equal need not be the same bytes.
                    json: try column.waits.isEmpty ? json(column, unlike: Self.lastReview) : json(column),
                    riskGrade: review.risk?.grade.rawValue,
                    required: Int64(review.required), approvableUntil: review.approvableUntil.milliseconds,
                    commitWithin: Int64(review.commitWithin))
            },
            threads: try content.threads.map { thread in
                Thread(
                    id: Int64(thread.id.rawValue),
                    session: try thread.session.map { session in
                        Session(
                            user: session.identity.user, host: session.identity.host,
                            performanceSchemaThreadID: session.identity.performanceSchemaThreadID,
                            client: try ClientColumn(session.identity).map(json),
                            details: try session.details.map(detailsJSON))
                    })
            })
    }

    private typealias Last<Value> = Mutex<(value: Value, json: String)?>

    // Plans that are prepared at the same time have the same fingerprint, and most free nobody and risk nothing: encoding
    // these takes longer than all else that is done for a plan here.
    private static let lastFingerprint = Last<ServerFingerprint>(nil)
    private static let lastImpact = Last<PlanImpact>(nil)
    private static let lastReview = Last<ReviewColumn>(nil)

    /// The plan and its state.
    ///
    /// - Throws: ``StoreError`` of reason `damaged` or `DecodingError` if the
    ///   columns hold what the store never writes.
    fileprivate func storedPlan(progress: ProgressColumns, decisions: [Decision]) throws -> StoredPlan {
        let decoder = JSONDecoder()
        var details = DetailsDecoder(decoder: decoder)
        let threads = try threads.map { thread in try thread.pinnedThread(&details) }
        let plan = KillPlan(
            name: PlanName(rawValue: name), sqlExecID: SqlExecID(rawValue: sqlExecID),
            content: KillPlan.Content(
                account: AccountName(rawValue: account), instance: InstanceID(rawValue: instance),
                task: task.map(KillTaskName.init),
                preparedAt: UnixTime(milliseconds: preparedAt), expiresAt: UnixTime(milliseconds: expiresAt),
                recordHistory: recordHistory,
                fingerprint: try decoder.decode(ServerFingerprint.self, from: Data(fingerprint.utf8)),
                threads: threads, impact: try decoder.decode(PlanImpact.self, fromText: impact),
                requestedBy: requestedBy.map(PersonName.init), reason: reason,
                review: try review.map { try $0.terms(decoder) }))
        return StoredPlan(
            plan: plan, digest: digest, preparer: PersonName(rawValue: person),
            state: try progress.planState(of: threads.map(\.id)), decisions: decisions)
    }
}

/// A plan as the tables have it.
struct PlanRecord: Sendable {
    var rows: PlanRows
    var progress: ProgressColumns
    var decisions: [Decision]

    /// - Throws: ``StoreError`` of reason `damaged` or `DecodingError` if the
    ///   columns hold what the store never writes.
    func storedPlan() throws -> StoredPlan { try rows.storedPlan(progress: progress, decisions: decisions) }
}

/// What the column `review` holds.
private struct ReviewColumn: Codable, Equatable, Sendable {
    var risk: RiskAssessment?
    var waits: [WaitEdge]
    var omittedWaits: Int

    init(_ review: ReviewTerms) {
        risk = review.risk
        waits = review.waits
        omittedWaits = review.omittedWaits
    }
}

extension PlanRows.Review {
    fileprivate func terms(_ decoder: JSONDecoder) throws -> ReviewTerms {
        let shown = try decoder.decode(ReviewColumn.self, from: Data(json.utf8))
        return ReviewTerms(
            risk: shown.risk, required: Int(required), approvableUntil: UnixTime(milliseconds: approvableUntil),
            commitWithin: Int(commitWithin), waits: shown.waits, omittedWaits: shown.omittedWaits)
    }
}

extension PlanRows.Thread {
    fileprivate func pinnedThread(_ details: inout DetailsDecoder) throws -> PinnedThread {
        guard let id = ThreadID(id) else { throw StoreError(.damaged, "\(id) is no thread id") }
        guard let session else { return PinnedThread(absent: id) }
        let client = try details.decoder.decode(ClientColumn.self, fromText: session.client)
        return PinnedThread(
            PinnedSession(
                identity: SessionIdentity(
                    id: id, user: session.user, host: session.host,
                    performanceSchemaThreadID: session.performanceSchemaThreadID,
                    client: client?.attributes, proxy: client?.proxy),
                details: try session.details.map { text in try details.decode(text) }))
    }
}

/// What the column `client` holds: what the client told of itself, or what a
/// proxy in front of the server tells of it, never both.
///
/// A killd from before there were proxies reads such a plan as one of other
/// sessions than its digest says, and refuses it.
private enum ClientColumn: Codable {
    case attributes(ClientAttributes)
    case proxy(ProxySession)

    private enum CodingKeys: CodingKey { case proxy }

    init?(_ identity: SessionIdentity) {
        if let proxy = identity.proxy {
            self = .proxy(proxy)
        } else if let client = identity.client {
            self = .attributes(client)
        } else {
            return nil
        }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        if let proxy = try container.decodeIfPresent(ProxySession.self, forKey: .proxy) {
            self = .proxy(proxy)
        } else {
            self = .attributes(try ClientAttributes(from: decoder))
        }
    }

    func encode(to encoder: any Encoder) throws {
        switch self {
        case .attributes(let attributes): try attributes.encode(to: encoder)
        case .proxy(let proxy):
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(proxy, forKey: .proxy)
        }
    }

    var attributes: ClientAttributes? { if case .attributes(let attributes) = self { attributes } else { nil } }
    var proxy: ProxySession? { if case .proxy(let proxy) = self { proxy } else { nil } }
}

/// Decodes equal details of a plan's sessions once, however many have them.
private struct DetailsDecoder {
    let decoder: JSONDecoder
    // By bytes, whose hash takes a time that depends on their number only.
    private var decoded: [[UInt8]: PinnedDetails] = [:]

    init(decoder: JSONDecoder) { self.decoder = decoder }

    mutating func decode(_ text: String) throws -> PinnedDetails {
        let bytes = Array(text.utf8)
        if let known = decoded[bytes] { return known }
        let details = try decoder.decode(PinnedDetails.self, from: Data(bytes))
        decoded[bytes] = details
        return details
    }
}

extension JSONDecoder {
    fileprivate func decode<Value: Decodable>(_ type: Value.Type, fromText text: String?) throws -> Value? {
        try text.map { try decode(type, from: Data($0.utf8)) }
    }
}

extension ProgressColumns {
    fileprivate func planState(of ids: [ThreadID]) throws -> PlanState {
        switch (state, committingSince, endedAt, staleReason) {
        case ("prepared", nil, nil, nil):
            return .prepared
        case ("committing", let since?, nil, nil):
            let intended = zip(ids, threads).filter(\.1.isIntended).map(\.0)
            return .committing(since: UnixTime(milliseconds: since), intended: Set(intended))
        case ("committed", _, let time?, nil), ("abandoned", _, let time?, nil):
            return .ended(
                state == "committed" ? .committed : .abandoned, at: UnixTime(milliseconds: time),
                outcomes: try outcomes(of: ids), guards: try guards(of: ids))
        case ("stale", _, let time?, let text?):
            guard let reason = StaleReason(rawValue: text) else {
                throw StoreError(.damaged, "\(text) is no reason why a plan is stale")
            }
            return .ended(.stale(reason), at: UnixTime(milliseconds: time), outcomes: try outcomes(of: ids))
        case ("rejected", nil, let time?, nil):
            return .ended(.rejected, at: UnixTime(milliseconds: time), outcomes: [:])
        case ("cancelled", nil, let time?, nil):
            return .ended(.cancelled, at: UnixTime(milliseconds: time), outcomes: [:])
        case ("expired", nil, let time?, nil): return .ended(.expired, at: UnixTime(milliseconds: time), outcomes: [:])
        default:
            throw StoreError(.damaged, "the state \(state) contradicts the times or the reason beside it")
        }
    }

    private func guards(of ids: [ThreadID]) throws -> [ThreadID: KillGuard] {
        var guards: [ThreadID: KillGuard] = [:]
        for (id, thread) in zip(ids, threads) {
            guard let text = thread.killGuard else { continue }
            guard let guardOfKill = KillGuard(rawValue: text) else {
                throw StoreError(.damaged, "thread \(id) was killed by the guard \(text), which there is not")
            }
            guards[id] = guardOfKill
        }
        return guards
    }

    private func outcomes(of ids: [ThreadID]) throws -> [ThreadID: Outcome] {
        var outcomes: [ThreadID: Outcome] = [:]
        for (id, thread) in zip(ids, threads) {
            guard let columns = thread.outcome else { continue }
            guard let outcome = columns.value else {
                throw StoreError(.damaged, "thread \(id) has the outcome \(columns.outcome), which makes no sense")
            }
            outcomes[id] = outcome
        }
        return outcomes
    }
}
