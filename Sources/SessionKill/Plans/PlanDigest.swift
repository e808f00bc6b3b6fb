import Cryptography

extension KillPlan {
    /// SHA-256 over the name, the ticket and everything in the content: 64
    /// lower-case hexadecimal digits.
    ///
    /// Of a plan of a killd whose digests did not bind the ticket, which is told
    /// by its fingerprint, it is what that killd made of it.
    ///
    /// - Throws: `CryptographyError` if OpenSSL refuses.
    public func digest() throws(CryptographyError) -> String {
        var message = DigestMessage()
        message.append(name.rawValue)
        message.append(content.account.rawValue)
        message.append(content.instance.rawValue)
        message.append(content.preparedAt.milliseconds)
        message.append(content.expiresAt.milliseconds)
        message.append(content.recordHistory ? 1 : 0)
        message.append(content.fingerprint)
        message.append(content.threads.count)
        for thread in content.threads {
            message.append(thread.id.rawValue)
            message.append(optional: thread.session) { message, session in
                message.append(session.identity)
                message.append(optional: session.details) { $0.append($1) }
            }
        }
        message.append(optional: content.impact) { message, impact in
            message.append(impact.freedSessions)
            message.append(impact.unexplainedWaiters)
        }
        // Nothing where there is no task, so that the digests of plans from before there were tasks stay the same.
        if let task = content.task { message.append(task.rawValue) }
        // Nothing where there is no proxy, for the same reason. No task's name begins with such a length.
        if content.fingerprint.isOfProxy || content.threads.contains(where: { $0.session?.identity.proxy != nil }) {
            message.append(UInt64.max)
            message.append(content.fingerprint.startedAt == nil ? 0 : 1)
            message.append(content.fingerprint.connectionCount == nil ? 0 : 1)
            for thread in content.threads { message.append(optional: thread.session?.identity.proxy) { $0.append($1) } }
        }
        // Nothing in plans of an earlier killd, for the same reason. No proxy's part begins with such a length.
        if let startMark = content.fingerprint.startMark {
            message.append(UInt64.max - 1)
            message.append(startMark)
            message.append(sqlExecID.rawValue)
        }
        // Nothing in plans of an earlier killd, for the same reason, each part with a beginning of its own.
        if content.requestedBy != nil || content.reason != nil {
            message.append(UInt64.max - 2)
            message.append(optional: content.requestedBy?.rawValue)
            message.append(optional: content.reason)
        }
        if let review = content.review {
            message.append(UInt64.max - 3)
            message.append(review)
        }
        return hexadecimal(try Digest.sha256.hash(message.bytes))
    }
}

extension ServerFingerprint {
    fileprivate var isOfProxy: Bool { startedAt == nil || connectionCount == nil }
}

/// Values one after the other, each in a form that shows where it ends, so
/// that no two plans give the same bytes.
private struct DigestMessage {
    private(set) var bytes: [UInt8] = []

    mutating func append(_ text: String) {
        append(text.utf8.count)
        bytes += text.utf8
    }

    /// Eight bytes, the highest first; of negative numbers the two's complement.
    mutating func append(_ number: some BinaryInteger) {
        let bits = UInt64(truncatingIfNeeded: number)
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift)))
        }
    }

    mutating func append<Value>(optional value: Value?, _ append: (inout Self, Value) -> Void) {
        bytes.append(value == nil ? 0 : 1)
        if let value { append(&self, value) }
    }

    mutating func append(optional text: String?) { append(optional: text) { $0.append($1) } }

    mutating func append(_ fingerprint: ServerFingerprint) {
        append(optional: fingerprint.uniqueID)
        append(fingerprint.hostname)
        append(fingerprint.port)
        append(fingerprint.serverID)
        append(fingerprint.version)
        append(fingerprint.startedAt ?? 0)
        append(fingerprint.connectionCount ?? 0)
    }

    mutating func append(_ proxy: ProxySession) {
        append(proxy.id)
        append(proxy.cluster)
        append(proxy.tenant)
        append(proxy.transactionCount)
        append(optional: proxy.serverSession) { message, session in
            message.append(session.id)
            message.append(session.connectionID)
            message.append(session.address)
        }
    }

    mutating func append(_ identity: SessionIdentity) {
        append(identity.id.rawValue)
        append(identity.user)
        append(identity.host)
        append(optional: identity.performanceSchemaThreadID) { $0.append($1) }
        append(optional: identity.client) { message, client in
            message.append(optional: client.programName)
            message.append(optional: client.processID)
        }
    }

    mutating func append(_ details: PinnedDetails) {
        append(optional: details.database)
        append(details.command)
        append(optional: details.seconds) { $0.append($1) }
        append(optional: details.state)
        append(optional: details.statement) { $0.append($1) }
        append(optional: details.transaction) { message, transaction in
            message.append(optional: transaction.id)
            message.append(transaction.age)
            // Eight bytes in any case, so that the digests of plans from before it could be missing stay the same; no
            // transaction has changed 2^64 - 1 rows.
            message.append(transaction.rowsModified ?? .max)
            message.append(transaction.state)
        }
        switch details.preparedXA {
        case .absent: append(0)
        case .present: append(1)
        case .unknown: append(2)
        }
        append(optional: details.protection?.rawValue)
        append(details.wantedLocks.count)
        for wanted in details.wantedLocks {
            append(wanted.lock.kind.rawValue)
            append(wanted.lock.object)
            append(optional: wanted.lock.index)
            append(optional: wanted.lock.mode)
            append(wanted.waiters)
        }
        append(details.freedSessions)
    }

    mutating func append(_ review: ReviewTerms) {
        append(optional: review.risk) { message, risk in
            message.append(risk.reasons.count)
            for reason in risk.reasons {
                message.append(reason.kind.rawValue)
                message.append(reason.grade.rawValue)
                message.append(reason.threads.count)
                for thread in reason.threads { message.append(thread.rawValue) }
                message.append(optional: reason.count) { $0.append($1) }
            }
        }
        append(review.required)
        append(review.approvableUntil.milliseconds)
        append(review.commitWithin)
        append(review.waits.count)
        for wait in review.waits {
            append(wait.waiter.rawValue)
            append(wait.user)
            append(wait.host)
            append(optional: wait.seconds) { $0.append($1) }
            append(optional: wait.holder) { $0.append($1.rawValue) }
            append(wait.lock.kind.rawValue)
            append(wait.lock.object)
            append(optional: wait.lock.index)
            append(optional: wait.lock.mode)
        }
        append(review.omittedWaits)
    }

    mutating func append(_ statement: RecordedStatement) {
        switch statement {
        case .shown(let text, let length):
            append(0)
            append(text)
            append(length)
        case .hidden(let sha256):
            append(1)
            append(sha256)
        }
    }
}
