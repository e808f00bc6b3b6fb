import SessionKill

/// A fault, and how far it has come.
struct LiveFault: Hashable, Sendable, Codable {
    let fault: Seed.Fault
    /// Since when it has been so; `nil` before, and if it happens at one moment only.
    var since: UnixTime?
    /// How often it is still going to happen; `nil` for every time.
    var timesLeft: Int?

    init(_ fault: Seed.Fault, at now: UnixTime) {
        self.fault = fault
        timesLeft = fault.times
        if fault.moment == .fromTheStart { since = now }
    }

    var isOver: Bool { timesLeft.map { $0 <= 0 } ?? false }
}

extension ScriptedServerState {
    /// What happens besides by time and looks.
    enum Event {
        case commit
        case beforeKill
        case afterKill

        fileprivate var moment: Seed.Moment {
            switch self {
            case .commit: .beforeCommit
            case .beforeKill: .beforeKill
            case .afterKill: .afterKill
            }
        }
    }

    /// - Parameter connection: the one on which it happens, if it is one.
    mutating func fire(_ event: Event, on connection: UInt64? = nil, at now: UnixTime) {
        // Between two Prepares there is no Commit.
        if event == .commit, lists == 0 { return }
        happen(on: connection, at: now) { $0 == event.moment }
    }

    /// Lets happen what was to by now.
    mutating func settle(at now: UnixTime) {
        let (began, lists) = (began, lists)
        happen(on: nil, at: now) { moment in
            switch moment {
            case .afterLooks(let least): lists >= least
            case .afterSeconds(let seconds): now >= began.advanced(bySeconds: seconds)
            case .fromTheStart, .beforeCommit, .beforeKill, .afterKill: false
            }
        }
        for session in sessions.values where session.isDead(at: now, looks: looks) { end(session, at: now) }
    }

    private mutating func happen(on connection: UInt64?, at now: UnixTime, if isNow: (Seed.Moment) -> Bool) {
        let due = sessions.values.filter { session in session.happenings.contains { isNow($0.moment) } }
        // What a seed says of a moment is seen from then on, however soon somebody looks again.
        if !due.isEmpty { forgetReading() }
        for session in due.sorted(by: { $0.id < $1.id }) {
            for happening in session.happenings where isNow(happening.moment) {
                carryOut(happening.kind, session.id, now)
            }
            sessions[session.id]?.happenings.removeAll { isNow($0.moment) }
        }
        for index in faults.indices where isNow(faults[index].fault.moment) && !faults[index].isOver {
            begin(index, on: connection, at: now)
        }
    }

    private mutating func carryOut(_ happening: Seed.Happening.Kind, _ id: ThreadID, _ now: UnixTime) {
        guard var session = sessions[id] else { return }
        let transactionID = nextTransactionID()
        switch happening {
        case .vanishes: end(session, at: now)
        case .changes(let details):
            session.begin(details, transactionID: transactionID, at: now)
            sessions[id] = session
        case .replaced(let successor):
            var heir = Seed.Session(
                id: id, user: successor.user, host: successor.host ?? session.host, details: successor.details,
                client: successor.client, proxy: session.proxy, locks: [], waitsFor: nil,
                reaction: .dies(afterLooks: 0, afterSeconds: 0), happenings: [], statements: [])
            var number = session.performanceSchemaThreadID
            if successor.host != nil {
                // As after 2^32 connections: another one, of which nothing is left but the id.
                end(session, at: now)
                number = process.nextPerformanceSchemaThreadID()
                heir.proxy = session.proxy.map { proxy in
                    Seed.Proxy(
                        cluster: proxy.cluster, tenant: proxy.tenant, transactionCount: 0,
                        isPinnable: proxy.isPinnable, serverSessions: [])
                }
            } else {
                release(session, at: now)
            }
            sessions[id] = LiveSession(heir, performanceSchemaThreadID: number, transactionID: transactionID, at: now)
        }
    }

    /// Takes a session off, and lets go on who waited for it.
    mutating func end(_ session: LiveSession, at now: UnixTime) {
        sessions[session.id] = nil
        if session.details.hasPreparedXA, let open = session.openTransaction(on: script.kind, at: now) {
            leftTransactions.append(OpenTransaction(open.transaction, thread: nil))
        }
        release(session, at: now)
    }

    /// Frees the locks of a session, but those of a prepared XA transaction.
    private mutating func release(_ session: LiveSession, at now: UnixTime) {
        for id in sessions.keys {
            guard case .lock(let lock, holder: session.id)? = sessions[id]?.waitsFor else { continue }
            if session.details.hasPreparedXA, lock.kind != .user {
                sessions[id]?.waitsFor = .lock(lock, holder: nil)
            } else {
                sessions[id]?.goOn(at: now)
            }
        }
    }

    // MARK: Faults

    private mutating func begin(_ index: Int, on connection: UInt64?, at now: UnixTime) {
        let fault = faults[index].fault
        switch fault.kind {
        case .refuses(let refusal):
            guard faults[index].since == nil else { return }
            faults[index].since = now
            if refusal == .unreachable { connections = [:] }
        case .hangs:
            if faults[index].since == nil { faults[index].since = now }
        case .losesConnection:
            takeTime(of: index)
            if let connection { connections[connection] = nil } else { connections = [:] }
        case .restarts(let sessions):
            takeTime(of: index)
            restart(with: sessions, asAnotherServer: false, at: now)
        case .failsOver(let sessions):
            takeTime(of: index)
            restart(with: sessions, asAnotherServer: true, at: now)
        }
    }

    private mutating func takeTime(of index: Int) {
        if let left = faults[index].timesLeft, left > 0 { faults[index].timesLeft = left - 1 }
    }

    /// Why a call is refused now.
    mutating func takeRefusal(ofConnecting isOfConnecting: Bool) -> Seed.Fault.Refusal? {
        for index in faults.indices where faults[index].since != nil && !faults[index].isOver {
            guard case .refuses(let refusal) = faults[index].fault.kind, refusal.isOfConnecting == isOfConnecting
            else { continue }
            takeTime(of: index)
            return refusal
        }
        return nil
    }

    /// Until when nothing is answered.
    enum Silence: Hashable {
        case none
        case until(UnixTime)
        case forever
    }

    func silence(at now: UnixTime) -> Silence {
        var silence = Silence.none
        for live in faults {
            guard let since = live.since, case .hangs(let seconds) = live.fault.kind else { continue }
            guard let seconds else { return .forever }
            let end = since.advanced(bySeconds: seconds)
            guard end > now else { continue }
            if case .until(let other) = silence, other >= end { continue }
            silence = .until(end)
        }
        return silence
    }
}
