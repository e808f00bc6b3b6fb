import SeededRandom
import SessionKill
import TestSupport
import XCTest

@testable import MySQLSessions

/// Who gets which connection, and when, whatever the order of events.
final class ConnectionPoolMachineTests: XCTestCase {
    private let begin = ContinuousClock.now

    private func answers(_ actions: [ConnectionPoolMachine.Action]) -> [ConnectionPoolMachine.RequestID] {
        actions.compactMap { action in if case .respond(let request, _) = action { request } else { nil } }
    }

    private func opening(_ actions: [ConnectionPoolMachine.Action]) throws -> ConnectionPoolMachine.ConnectionID {
        try XCTUnwrap(
            actions.lazy.compactMap { action in if case .open(let connection) = action { connection } else { nil } }
                .first)
    }

    /// A pool whose only connection is in use.
    private func exhausted() throws -> (pool: ConnectionPoolMachine, connection: ConnectionPoolMachine.ConnectionID) {
        var pool = ConnectionPoolMachine(limit: 1)
        let (request, actions) = pool.request(for: .snapshot, until: begin + .seconds(10), at: begin)
        let connection = try opening(actions)
        XCTAssertEqual(pool.opened(connection, at: begin), [.respond(request, .connection(connection))])
        return (pool, connection)
    }

    func testAFreedConnectionGoesToTheRequestThatHasWaitedLongest() throws {
        var (pool, connection) = try exhausted()
        let waiting = (0..<3).map { _ in pool.request(for: .snapshot, until: begin + .seconds(10), at: begin).id }
        for request in waiting {
            XCTAssertEqual(
                pool.released(connection, .usable, at: begin), [.respond(request, .connection(connection))])
            // Who comes now has to wait for all of them.
            let newcomer = pool.request(for: .snapshot, until: begin + .seconds(10), at: begin)
            XCTAssertEqual(answers(newcomer.actions), [])
        }
    }

    func testARequestWhoseConnectionTurnsOutToBeLostKeepsItsPlace() throws {
        var (pool, connection) = try exhausted()
        let first = pool.request(for: .work, until: begin + .seconds(10), at: begin).id
        let second = pool.request(for: .snapshot, until: begin + .seconds(10), at: begin).id
        XCTAssertEqual(pool.released(connection, .usable, at: begin), [.check(connection, for: first)])
        let other = try opening(pool.checked(connection, isAlive: false, at: begin))
        XCTAssertEqual(pool.opened(other, at: begin), [.respond(first, .connection(other))])
        XCTAssertEqual(pool.released(other, .usable, at: begin), [.respond(second, .connection(other))])
    }

    func testWhoWaitsIsAnsweredAtTheDeadlineUnlessAConnectionIsOnItsWay() throws {
        var (pool, connection) = try exhausted()
        let deadline = begin + .seconds(10)
        let request = pool.request(for: .snapshot, until: deadline, at: begin).id
        XCTAssertEqual(pool.deadlineReached(at: deadline - .milliseconds(1)), [])
        let lost = ServerError(.connectionLost, "it broke")
        let other = try opening(pool.released(connection, .lost(lost), at: begin))
        XCTAssertEqual(pool.deadlineReached(at: deadline), [])
        let refusal = ServerError(.unreachable, "nobody listens")
        XCTAssertEqual(
            pool.openingFailed(other, refusal, at: deadline), [.respond(request, .failure(.notOpened(refusal)))])
        (pool, _) = try exhausted()
        let late = pool.request(for: .snapshot, until: deadline, at: begin).id
        XCTAssertEqual(
            pool.deadlineReached(at: deadline),
            [.respond(late, .failure(.busy(connections: 1, rejection: nil)))])
    }

    func testDelegatedLoginsAreAdmittedInTurn() throws {
        var pool = ConnectionPoolMachine(limit: 1)
        let first = pool.request(for: .delegatedLogin, until: begin + .seconds(10), at: begin)
        XCTAssertEqual(first.actions, [.respond(first.id, .admitted)])
        let waiting = (0..<3).map { _ in pool.request(for: .delegatedLogin, until: begin + .seconds(10), at: begin).id }
        for request in waiting {
            let newcomer = pool.request(for: .delegatedLogin, until: begin + .seconds(10), at: begin)
            XCTAssertEqual(answers(newcomer.actions), [])
            XCTAssertEqual(pool.delegatedLoginEnded(), [.respond(request, .admitted)])
        }
    }

    func testAServerThatLetsNoMoreInServesAllOverTheConnectionsThereAre() throws {
        var pool = ConnectionPoolMachine(limit: 4)
        let requests = (0..<12).map { _ in pool.request(for: .snapshot, until: begin + .seconds(10), at: begin) }
        let openings = try requests.prefix(4).map { try opening($0.actions) }
        XCTAssertEqual(pool.openingCount, 4)
        let refusal = ServerError(.tooManyConnections, code: 1_226, "max_user_connections")
        for opening in openings.dropLast() { XCTAssertEqual(pool.openingFailed(opening, refusal, at: begin), []) }
        var actions = pool.opened(openings[3], at: begin)
        for request in requests {
            XCTAssertEqual(answers(actions), [request.id])
            actions = pool.released(openings[3], .usable, at: begin)
        }
        XCTAssertEqual(pool.idle, [openings[3]])
    }

    func testAConnectionThatSomebodyWishesForIsHandedOutIfItIsIdle() throws {
        var pool = ConnectionPoolMachine(limit: 3)
        let requests = (0..<3).map { _ in pool.request(for: .snapshot, until: begin + .seconds(10), at: begin) }
        let connections = try requests.map { try opening($0.actions) }
        for connection in connections { _ = pool.opened(connection, at: begin) }
        for connection in connections { _ = pool.released(connection, .usable, at: begin) }
        let wished = pool.request(for: .work, preferring: connections[0], until: begin + .seconds(10), at: begin)
        XCTAssertEqual(wished.actions, [.check(connections[0], for: wished.id)])
        // In use, it is not waited for.
        let other = pool.request(for: .snapshot, preferring: connections[0], until: begin + .seconds(10), at: begin)
        XCTAssertEqual(other.actions, [.respond(other.id, .connection(connections[2]))])
        // Lost, another one takes its place.
        XCTAssertEqual(pool.checked(connections[0], isAlive: false, at: begin).first, .close(connections[0]))
        XCTAssertEqual(
            pool.checked(connections[1], isAlive: true, at: begin),
            [
                .respond(wished.id, .connection(connections[1]))
            ])
    }

    func testWhateverTheOrderOfEventsThePoolKeepsItsPromises() throws {
        var generator = randomNumbers()
        for _ in 0..<2_000 {
            let seed = generator.next()
            var simulation = PoolSimulation(seed: seed)
            for _ in 0..<60 where simulation.broken == nil { simulation.step() }
            simulation.drain()
            if let broken = simulation.broken {
                let trace = simulation.trace.suffix(40).joined(separator: "\n")
                return XCTFail("\(broken); PoolSimulation(seed: \(seed)):\n\(trace)")
            }
        }
    }
}
