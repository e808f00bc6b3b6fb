import SessionKill
import Synchronization
import TestSupport
import XCTest

@testable import DASAPI

final class SessionListingTests: XCTestCase {
    // MARK: What is listed

    func testCountsSessionsByUserClientAndDatabase() {
        let transaction = Transaction(id: "4711", age: 9, rowsModified: 1, state: "RUNNING")
        let data = SessionData(
            .of(
                .listed(1, "app", "10.0.0.7:1", "shop"),
                .listed(2, "app", "10.0.0.8:1", "shop", command: "Query", seconds: 6),
                .listed(3, "dba", "10.0.0.7:2", nil, transaction: transaction, seconds: 8),
                .listed(4, "dba", "localhost", nil, seconds: 99),
                .listed(5, "killd", "10.0.0.9:1", nil, command: "Query", seconds: 0),
                .listed(6, "system user", "", nil, command: "Connect"),
                .listed(7, "event_scheduler", "localhost", nil, command: "Daemon"),
                .listed(8, "repl", "10.0.0.6:1", nil, command: "Binlog Dump"), own: [5]),
            readAt: UnixTime(milliseconds: 5))
        XCTAssertEqual(data.sessions.map(\.id.rawValue), [1, 2, 3, 4, 8])
        XCTAssertEqual(data.activeCount, 2)
        XCTAssertEqual(data.longestActive, 8)
        func words(_ counts: [SessionCount]) -> [String] {
            counts.map { "\($0.key) \($0.threads.map(\.rawValue)) \($0.activeCount) \($0.users)" }
        }
        XCTAssertEqual(
            words(data.users),
            [#"app [1, 2] 1 ["app"]"#, #"dba [3, 4] 1 ["dba"]"#, #"repl [8] 0 ["repl"]"#])
        XCTAssertEqual(
            words(data.clients),
            [
                #"10.0.0.7 [1, 3] 1 ["app", "dba"]"#, #"10.0.0.8 [2] 1 ["app"]"#, #"localhost [4] 0 ["dba"]"#,
                #"10.0.0.6 [8] 0 ["repl"]"#,
            ])
        XCTAssertEqual(
            words(data.databases), [#" [3, 4, 8] 1 ["dba", "repl"]"#, #"shop [1, 2] 1 ["app"]"#])
    }

    func testUsersThatDifferInTheirBytesAreCountedApart() {
        let data = SessionData(
            .of(.listed(1, "caf\u{E9}", "h:1", nil), .listed(2, "cafe\u{301}", "h:1", nil)),
            readAt: UnixTime(milliseconds: 0))
        XCTAssertEqual(data.users.map(\.threads.count), [1, 1])
        XCTAssertEqual(data.clients.first?.users.count, 2)
    }

    func testClientsAreShownWithoutTheirPort() {
        for (host, client) in [
            ("10.0.0.7:51444", "10.0.0.7"), ("fe80::1:51444", "fe80::1"), ("::1:3", "::1"),
            ("db1.example:51444", "db1.example"),
            ("localhost", "localhost"), ("", ""), ("::ffff:10.0.0.7:51444", "::ffff:10.0.0.7"),
            ("host:name", "host:name"), ("cut:", "cut"), ("fe80::", "fe80::"),
        ] {
            XCTAssertEqual(Session.listed(1, "app", host, nil).identity.clientAddress, client)
        }
    }

    func testAVeryLongStatementIsCut() {
        let statement = String(repeating: "é", count: 10_000)
        var session = Session.listed(1, "app", "h:1", nil)
        session.details.statement = statement
        let kept = ListedSession(session).statement
        XCTAssertEqual(kept.utf8.count, 10_240)
        XCTAssertTrue(statement.hasPrefix(kept))
    }

    /// Eight megabytes that are one character to Unicode.
    func testCombiningMarksByTheMegabyteStallNobody() {
        let marks = String(repeating: "\u{301}\u{316}", count: 2_000_000)
        var session = Session.listed(1, marks, marks, marks, command: marks)
        session.details.statement = marks
        session.details.state = marks
        let time = processorTime {
            let data = SessionData(.of(session, .listed(2, "app", "h:1", nil)), readAt: UnixTime(milliseconds: 0))
            XCTAssertEqual(data.users.map(\.threads.count), [1, 1])
            XCTAssertEqual(data.sessions[0].statement.utf8.count, ListedSession.longestStatement)
        }
        XCTAssertLessThan(time, .seconds(20) * slowdown, "by characters it took over a minute")
    }

    // MARK: How listings are kept

    private let server = ListedServer()
    private let time = Time()

    private func listings(_ limits: SessionListings.Limits = .init()) -> SessionListings {
        let time = time
        return SessionListings(
            limits: limits, now: { UnixTime(milliseconds: time.milliseconds.withLock { $0 }) }, report: { _, _ in })
    }

    private var target: Instance {
        Instance(id: InstanceID(rawValue: "rm-1"), server: server, protectedUsers: [])
    }

    private func finished(_ listing: SessionListings.Listing, in listings: SessionListings) async throws -> SessionData?
    {
        var data: SessionData?
        try await eventually("the listing", pause: .milliseconds(1)) {
            switch await listings.listing(listing.id, at: listing.target, of: AccountName(rawValue: "ci"))?.state {
            case .running?: return false
            case .finished(let found)?:
                data = found
                return true
            case .failed?, nil: return true
            }
        }
        return data
    }

    func testAResultIsReadAgainForADayAndByItsAccountAndPlaceOnly() async throws {
        let listings = listings()
        let listing = try await listings.begin(on: target, for: AccountName(rawValue: "ci"))
        guard case .running = listing.state else { return XCTFail("finished at once") }
        XCTAssertNotNil(listing.id.wholeMatch(of: /async_[0-9a-f]{32}/))
        for _ in 0..<3 {
            let data = try await finished(listing, in: listings)
            XCTAssertEqual(data?.sessions.count, 2)
        }
        var other = await listings.listing(listing.id, at: listing.target, of: AccountName(rawValue: "alice"))
        XCTAssertNil(other)
        other = await listings.listing(
            listing.id, at: SessionTaskTarget(instance: listing.target.instance, node: NodeID(rawValue: "pi-1")),
            of: AccountName(rawValue: "ci")
        )
        XCTAssertNil(other)
        time.milliseconds.withLock { $0 += 86_399_000 }
        other = await listings.listing(listing.id, at: listing.target, of: AccountName(rawValue: "ci"))
        XCTAssertNotNil(other)
        time.milliseconds.withLock { $0 += 1_000 }
        other = await listings.listing(listing.id, at: listing.target, of: AccountName(rawValue: "ci"))
        XCTAssertNil(other)
    }

    func testListingsAtTheSameMomentShareASnapshot() async throws {
        let listings = listings()
        let target = target
        var begun: [SessionListings.Listing] = []
        for _ in 0..<50 { begun.append(try await listings.begin(on: target, for: AccountName(rawValue: "ci"))) }
        for listing in begun {
            let data = try await finished(listing, in: listings)
            XCTAssertNotNil(data)
        }
        XCTAssertLessThan(server.snapshots.withLock { $0 }, 50)
    }

    func testAFailedSnapshotIsAFailedListing() async throws {
        let listings = listings()
        server.failure.withLock { $0 = ServerError(.unreachable, "no answer") }
        let listing = try await listings.begin(on: target, for: AccountName(rawValue: "ci"))
        let data = try await finished(listing, in: listings)
        XCTAssertNil(data)
        let found = await listings.listing(listing.id, at: listing.target, of: AccountName(rawValue: "ci"))
        guard case .failed? = found?.state else { return XCTFail("\(String(describing: found?.state))") }
    }

    func testBeyondTheBoundTheOldestResultsOfTheAccountAreDropped() async throws {
        var limits = SessionListings.Limits()
        limits.count = 3
        let listings = listings(limits)
        let others = try await listings.begin(on: target, for: AccountName(rawValue: "alice"))
        var begun: [SessionListings.Listing] = []
        for _ in 0..<5 { begun.append(try await listings.begin(on: target, for: AccountName(rawValue: "ci"))) }
        var kept: [Bool] = []
        for listing in begun {
            let found = await listings.listing(listing.id, at: listing.target, of: AccountName(rawValue: "ci"))
            kept.append(found != nil)
        }
        XCTAssertEqual(kept, [false, false, true, true, true])
        let found = await listings.listing(others.id, at: others.target, of: AccountName(rawValue: "alice"))
        XCTAssertNotNil(found)
    }

    func testTheLatestResultIsKeptHoweverLargeItIs() async throws {
        var limits = SessionListings.Limits()
        limits.bytes = 1
        let listings = listings(limits)
        let first = try await listings.begin(on: target, for: AccountName(rawValue: "ci"))
        var data = try await finished(first, in: listings)
        XCTAssertNotNil(data)
        let second = try await listings.begin(on: target, for: AccountName(rawValue: "ci"))
        data = try await finished(second, in: listings)
        XCTAssertNotNil(data)
        let found = await listings.listing(first.id, at: first.target, of: AccountName(rawValue: "ci"))
        XCTAssertNil(found)
    }
}

private final class Time: Sendable {
    let milliseconds = Mutex<Int64>(1_000_000)
}

private final class ListedServer: DatabaseServer {
    let snapshots = Mutex(0)
    let failure = Mutex<ServerError?>(nil)

    func withConnection<Answer: Sendable>(
        preferring connection: ConnectionIdentity?, _ body: @Sendable (any ServerConnection) async throws -> Answer
    ) async throws -> Answer { throw ServerError(.other, "not asked for") }

    func withConnection<Answer: Sendable>(
        as login: DatabaseLogin, _ body: @Sendable (any ServerConnection) async throws -> Answer
    ) async throws -> Answer { throw ServerError(.other, "not asked for") }

    func observe(_ scope: ObservationScope) async throws -> ServerObservation {
        throw ServerError(.other, "not asked for")
    }

    func list() async throws -> SessionList {
        snapshots.withLock { $0 += 1 }
        if let failure = failure.withLock({ $0 }) { throw failure }
        try await Task.sleep(for: .milliseconds(5))
        return .of(.listed(1, "app", "10.0.0.7:1", "shop"), .listed(2, "app", "10.0.0.7:2", "shop"))
    }
}

extension SessionList {
    fileprivate static func of(_ sessions: Session..., own: [UInt32] = []) -> SessionList {
        SessionList(sessions: sessions, ownThreadIDs: Set(own.map(thread)))
    }
}

extension Session {
    fileprivate static func listed(
        _ id: UInt32, _ user: String, _ host: String, _ database: String?, command: String = "Sleep",
        transaction: Transaction? = nil, seconds: Int64 = 1
    ) -> Session {
        Session(
            identity: SessionIdentity(id: thread(id), user: user, host: host),
            details: SessionDetails(database: database, command: command, seconds: seconds, transaction: transaction))
    }
}

private func thread(_ id: UInt32) -> ThreadID {
    guard let thread = ThreadID(id) else { preconditionFailure("\(id) is no thread id") }
    return thread
}
