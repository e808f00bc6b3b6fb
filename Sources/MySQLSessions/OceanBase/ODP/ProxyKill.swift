import SessionKill
import Text
import Synchronization

/// Sessions that wait for their KILL, for several connections at once.
final class KillQueue: Sendable {
    let sessions: [SessionIdentity]
    /// killd's own connections.
    let spared: Set<ThreadID>
    private let state: Mutex<State>

    private struct State {
        var next = 0
        var responses: [KillResponse]
    }

    init(_ sessions: [SessionIdentity], sparing spared: Set<ThreadID>) {
        self.sessions = sessions
        self.spared = spared
        state = Mutex(State(responses: [KillResponse](repeating: .notSent, count: sessions.count)))
    }

    var isEmpty: Bool { state.withLock { $0.next == sessions.count } }

    /// The index of a session that nobody else has taken.
    func take() -> Int? {
        state.withLock { state in
            guard state.next < sessions.count else { return nil }
            state.next += 1
            return state.next - 1
        }
    }

    func record(_ response: KillResponse, of index: Int) { state.withLock { $0.responses[index] = response } }

    /// One for each session, in the same order.
    var responses: [KillResponse] { state.withLock(\.responses) }
}

extension MySQLConnection {
    /// How old the list may be by which a session is identified before its KILL.
    private static let freshness = Duration.milliseconds(250)
    private static let spared = KillResponse.notPermitted(message: "it is a connection of killd's own")

    /// Sends KILL PROXYSESSION for one session after the other, each of which
    /// this connection has identified before.
    ///
    /// An ODP has no statement that kills a session only if it is still the one
    /// meant. So between the list and the KILL there are up to 250 ms and a round
    /// trip, in which the id would have to become another session's.
    ///
    /// - Parameters:
    ///   - sentinel: the session of another connection of killd's, which this one
    ///     has to find in its list. So two ODPs that agree in address and process
    ///     number are told apart.
    ///   - known: what this connection has just read.
    func kill(
        from queue: KillQueue, _ login: ProxyLogin, besides sentinel: SessionIdentity? = nil,
        knowing known: [ThreadID: ProxyClientSession]? = nil
    ) {
        var list = known ?? [:]
        var listedAt = known.map { _ in ContinuousClock.now }
        while !isLost, !queue.isEmpty {
            let now = ContinuousClock.now
            if listedAt.map({ $0.duration(to: now) > Self.freshness }) ?? true {
                guard let fresh = try? provenSessions(of: login), sentinel.map({ fresh.contains($0) }) != false
                else { return }
                list = fresh
                listedAt = now
            }
            guard let index = queue.take() else { return }
            let session = queue.sessions[index]
            queue.record(queue.spared.contains(session.id) ? Self.spared : kill(session, in: list), of: index)
        }
    }

    private func kill(_ session: SessionIdentity, in list: [ThreadID: ProxyClientSession]) -> KillResponse {
        guard list.contains(session) else { return .notFound }
        var statement = "KILL PROXYSESSION \(session.id)"
        if let serverSession = session.proxy?.serverSession {
            do throws(ServerError) {
                guard try serverSessions(of: session).contains(serverSession) else { return .notFound }
            } catch {
                return isLost ? .notSent : .rejected(code: error.code, message: error.description)
            }
            statement += " \(serverSession.id)"
        }
        let response = run(statement)
        return response.failure.map(KillResponse.init(ofProxy:)) ?? .accepted(by: .listBefore)
    }

    /// Which of `sessions` the ODP lists, or a database server still has a
    /// connection of.
    func presentOnProxy(_ sessions: [SessionIdentity], _ login: ProxyLogin) throws(ServerError) -> Set<ThreadID> {
        var present: Set<ThreadID> = []
        var whole: [SessionIdentity] = []
        for session in sessions {
            guard let serverSession = session.proxy?.serverSession else {
                whole.append(session)
                continue
            }
            if try serverSessions(of: session).contains(serverSession) { present.insert(session.id) }
        }
        guard !whole.isEmpty else { return present }
        let (listed, others) = try split(whole, login)
        present.formUnion(listed.map(\.id))
        // Only where the ODP's answer does not say it already.
        present.formUnion(try serverStates(of: others).keys)
        return present
    }

    /// Those of `sessions` that a database server is still ending.
    func dyingOnProxy(_ sessions: [SessionIdentity], _ login: ProxyLogin) throws(ServerError) -> Set<ThreadID> {
        let whole = sessions.filter { $0.proxy?.serverSession == nil }
        let (listed, _) = try split(whole, login)
        let idsListed = Set(listed.map(\.id))
        let states = try serverStates(of: whole)
        let dying = states.filter { id, states in
            !idsListed.contains(id) || states.contains { $0.isSame(as: dyingState) }
        }
        return Set(dying.keys)
    }

    private func split(
        _ sessions: [SessionIdentity], _ login: ProxyLogin
    ) throws(ServerError) -> (listed: [SessionIdentity], others: [SessionIdentity]) {
        let list = try provenSessions(of: login)
        var (listed, others): ([SessionIdentity], [SessionIdentity]) = ([], [])
        for session in sessions {
            if list.contains(session) {
                listed.append(session)
            } else {
                others.append(session)
            }
        }
        return (listed, others)
    }
}

extension [ThreadID: ProxyClientSession] {
    func contains(_ session: SessionIdentity) -> Bool {
        self[session.id].map { session.isSameSession(as: $0.identity) } == true
    }
}

extension KillResponse {
    /// What an ODP's error in answer to KILL means (reference: obproxy 4.3.1,
    /// `cmd/ob_kill_op_handler.cpp`, `cmd/ob_internal_cmd_handler.cpp`).
    ///
    /// Not here means: not on this ODP, or not to be seen. That is no session's
    /// end; whether it has ended, the lists say.
    ///
    /// | error | the ODP says it | taken as |
    /// | --- | --- | --- |
    /// | none | at once; the session ends within a second or so | accepted, until it is seen gone |
    /// | 1094 | of an id that it does not know, and of a session that this login may not see | not here; lists say |
    /// | 4016 | of an id whose bits name no thread of this process, or of before a hot upgrade | the same |
    /// | 4081 | of such an id in KILL QUERY, which killd does not send | the same |
    /// | 1095 | of another cluster's session | not permitted |
    /// | 5010 | to any login but root@sys, and to what it does not understand | not permitted |
    /// | 1317 | to whoever kills itself, and ends the connection | lost: nothing is known |
    /// | 4402 | if not all servers of a cluster agreed | lost: nothing is known |
    /// | 2013, 2006 | the connection broke | lost: nothing is known |
    /// | others | | refused, with number and text |
    init(ofProxy failure: MySQLFailure) {
        self =
            switch failure.code {
            case _ where failure.isOfUnknownProxySession: .noSuchThread
            case ErrorNumber.killDenied, ErrorNumber.proxyBadCommand: .notPermitted(message: failure.message)
            case ErrorNumber.queryInterrupted, ErrorNumber.killClientSessionFailed: .lost
            case _ where failure.isConnectionLost: .lost
            default: .rejected(code: failure.code, message: failure.message)
            }
    }
}
