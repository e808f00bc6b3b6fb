import RequestSigning
import HTTPServer
import RequestDispatch
import SessionKill
import Synchronization
import Text

/// The requests that a world has received, for tests to assert what a client sent.
public final class RequestLog: Sendable {
    fileprivate struct State {
        var requests: [LoggedRequest] = []
        /// Bytes of the requests that are kept.
        var bytes = 0
        var latest = 0
    }

    private let state = Mutex(State())
    private let now: @Sendable () -> UnixTime

    /// The requests that are kept of a world; of more the oldest are forgotten.
    static let mostRequests = 10_000
    /// Their bytes.
    static let mostBytes = 8 << 20

    /// The request that is being answered.
    @TaskLocal private static var current: LoggedRequest?

    /// - Parameter now: the clock of the world.
    public init(now: @escaping @Sendable () -> UnixTime) { self.now = now }

    /// Takes down a request, and what `respond` makes of it.
    func observing(
        _ request: HTTPRequest, at api: CloudAPI, _ respond: (HTTPRequest) -> PendingResponse
    ) -> PendingResponse {
        let entry = append(request, at: api)
        return Self.observing(entry, Self.$current.withValue(entry) { respond(request) })
    }

    /// What the dispatchers tell of a request that they have answered.
    @Sendable public static func note(_ record: ExchangeRecord<some RequestRejection>) { current?.note(record) }

    /// Forgets all. Their numbers are not given again.
    public func clear() {
        state.withLock { state in
            state.requests = []
            state.bytes = 0
        }
    }

    /// How many are kept.
    var count: Int { state.withLock(\.requests.count) }

    /// Those that are kept, in the order in which they came.
    func requests(_ query: RequestQuery) -> [LoggedRequest] {
        state.withLock(\.requests).filter(query.matches)
    }

    private func append(_ request: HTTPRequest, at api: CloudAPI) -> LoggedRequest {
        let time = now()
        return state.withLock { state in
            state.latest += 1
            let entry = LoggedRequest(number: state.latest, api: api, at: time, request)
            state.requests.append(entry)
            state.bytes += entry.bytes
            state.forgetOldest()
            return entry
        }
    }

    private static func observing(_ entry: LoggedRequest, _ pending: PendingResponse) -> PendingResponse {
        switch pending {
        case .immediate(let response):
            entry.note(response)
            return pending
        case .offloaded(let find):
            return .offloaded { $current.withValue(entry) { observing(entry, find()) } }
        case .async(let work):
            return .async {
                let response = await $current.withValue(entry) { await work() }
                entry.note(response)
                return response
            }
        }
    }
}

extension RequestLog.State {
    /// A tenth at once, so that each request is moved a few times only.
    fileprivate mutating func forgetOldest() {
        while requests.count > RequestLog.mostRequests || bytes > RequestLog.mostBytes {
            let count = max(1, requests.count / 10)
            bytes -= requests.prefix(count).reduce(0) { $0 + $1.bytes }
            requests.removeFirst(count)
        }
    }
}

extension LoggedRequest {
    fileprivate var bytes: Int { request.body.count + request.target.utf8.count + 512 }
}

/// Which of the requests somebody asks for.
struct RequestQuery: Hashable, Sendable {
    @Exact var action: String?
    @Exact var account: String?
    @Exact var code: String?
    /// Those with a greater number.
    var after = 0

    func matches(_ request: LoggedRequest) -> Bool {
        guard request.number > after else { return false }
        let known = request.known
        func agrees(_ wanted: String?, _ found: String?) -> Bool {
            wanted.map { wanted in found.map(wanted.isSame) ?? false } ?? true
        }
        return agrees(action, known.action) && agrees(account, known.account) && agrees(code, known.code)
    }
}
