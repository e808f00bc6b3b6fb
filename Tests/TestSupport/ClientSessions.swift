import CMySQL
import DedicatedThread
import Glibc
import MySQLSessions
import PrivateDatabase
import SessionKill
import XCTest

/// Sessions of an application, any number of them on one thread.
public actor ClientSessions {
    private let thread: DedicatedThread
    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private var handles: [UnsafeMutablePointer<MYSQL>] = []
    public private(set) var threadIDs: [ThreadID] = []

    /// Opens `count` sessions over TCP.
    ///
    /// - Parameter address: of this machine, from which they come.
    public static func open(
        _ count: Int, on server: RealServer, as user: String = "app", port: UInt16? = nil,
        from address: String = "127.0.0.1"
    ) async throws -> ClientSessions {
        // Whatever keeps it from that, such as a full server, the sessions meet too.
        try? await server.remember(user)
        return try await open(count, at: port ?? server.database.port, as: user, from: address)
    }

    /// Opens `count` sessions over TCP.
    public static func open(
        _ count: Int, at port: UInt16, as user: String = "app", from address: String = "127.0.0.1"
    ) async throws -> ClientSessions {
        let sessions = try ClientSessions()
        try await sessions.connect(count, port, user, address)
        return sessions
    }

    /// Opens `count` sessions over TCP on whatever listens at a port of this machine.
    public static func open(_ count: Int, port: UInt16, as user: String) async throws -> ClientSessions {
        let sessions = try ClientSessions()
        try await sessions.connect(count, port, user, "127.0.0.1")
        return sessions
    }

    /// Opens `count` sessions over the server's Unix socket, all of which come from `localhost`.
    public static func open(_ count: Int, at socket: String, as user: String = "app") async throws -> ClientSessions {
        let sessions = try ClientSessions()
        for _ in 0..<count { try await sessions.connect(user, 0, socket) { _ in } }
        return sessions
    }

    private init() throws { thread = try DedicatedThread(name: "sessions") }

    isolated deinit {
        for handle in handles { mysql_close(handle) }
    }

    private func connect(_ count: Int, _ port: UInt16, _ user: String, _ address: String) throws {
        // MySQLConnection has the library initialized; a test that opens sessions has connected before.
        for _ in 0..<count {
            try connect(user, port, nil) { handle in mysql_options(handle, MYSQL_OPT_BIND, address) }
        }
    }

    private func connect(
        _ user: String, _ port: UInt16, _ socket: String?, _ setUp: (UnsafeMutablePointer<MYSQL>) -> Void
    ) throws {
        let handle = try XCTUnwrap(mysql_init(nil))
        handles.append(handle)
        var seconds: UInt32 = 20
        mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &seconds)
        mysql_options(handle, MYSQL_OPT_READ_TIMEOUT, &seconds)
        setUp(handle)
        let host = socket == nil ? "127.0.0.1" : "localhost"
        guard cmysql_set_tls(handle, CMYSQL_TLS_DISABLED, nil) == 0,
            mysql_real_connect(handle, host, user, RealServer.password, nil, UInt32(port), socket, 0) != nil
        else { throw ClientError(handle) }
        threadIDs.append(try XCTUnwrap(ThreadID(UInt64(mysql_thread_id(handle)))))
    }

    /// Runs a statement and returns its rows.
    @discardableResult
    public func run(_ sql: String, on index: Int = 0) throws -> [[String?]] {
        try run(Array(sql.utf8), on: index)
    }

    /// Runs a statement that need not be UTF-8.
    @discardableResult
    public func run(_ sql: [UInt8], on index: Int = 0) throws -> [[String?]] {
        try send(sql, on: index)
        return try receive(on: index)
    }

    /// Sends a statement without waiting for its response.
    public func send(_ sql: String, on index: Int = 0) throws { try send(Array(sql.utf8), on: index) }

    public func send(_ sql: [UInt8], on index: Int = 0) throws {
        let status = sql.withUnsafeBytes {
            mysql_send_query(handles[index], $0.bindMemory(to: CChar.self).baseAddress, UInt($0.count))
        }
        guard status == 0 else { throw ClientError(handles[index]) }
    }

    /// Waits for the response to a statement that was sent.
    public func receive(on index: Int = 0) throws -> [[String?]] {
        let handle = handles[index]
        guard mysql_read_query_result(handle).isZero else { throw ClientError(handle) }
        guard let result = mysql_store_result(handle) else {
            guard mysql_field_count(handle) == 0 else { throw ClientError(handle) }
            return []
        }
        defer { mysql_free_result(result) }
        var rows: [[String?]] = []
        while let row = mysql_fetch_row(result) {
            rows.append((0..<Int(mysql_num_fields(result))).map { row[$0].map { String(cString: $0) } })
        }
        return rows
    }

    /// Hands the connection, with its id, to another account.
    public func changeUser(to user: String, on index: Int = 0) throws {
        guard mysql_change_user(handles[index], user, RealServer.password, nil).isZero else {
            throw ClientError(handles[index])
        }
    }

    /// Has the server asked whether the connection lives, as pools do.
    public func ping(on index: Int = 0) throws {
        guard mysql_ping(handles[index]).isZero else { throw ClientError(handles[index]) }
    }

    /// Hands the connection back and forth between two accounts, and uses it as
    /// each, until it ends or is told to stop.
    ///
    /// - Returns: as whom it was used when it ended; `nil` if it lives, or ended in
    ///   the middle of a change.
    public func changeHands(
        between users: [String], every microseconds: UInt32, while goesOn: @Sendable () -> Bool
    ) -> String? {
        var turn = 1
        while goesOn() {
            let user = users[turn % users.count]
            guard (try? changeUser(to: user)) != nil else { return nil }
            for _ in 0..<2 {
                guard (try? run("DO 0")) != nil else { return user }
                usleep(microseconds / 2)
            }
            guard (try? run("DO 0")) != nil else { return user }
            turn += 1
        }
        return nil
    }

    /// Sends one statement after the other on all connections until they end or it is told to stop.
    public func hurry(while goesOn: @Sendable () -> Bool) {
        while goesOn(), handles.indices.contains(where: { (try? run("DO 0", on: $0)) != nil }) {}
    }

    /// The sessions that still answer.
    public func answering() -> Set<ThreadID> {
        Set(
            zip(handles.indices, threadIDs).filter { index, id in
                (try? run("SELECT CONNECTION_ID()", on: index)) == [[id.description]]
            }.map(\.1))
    }
}

/// The error of a session's client library.
public struct ClientError: Error, CustomStringConvertible {
    public let code: UInt32
    public let description: String

    init(_ handle: UnsafeMutablePointer<MYSQL>) {
        code = mysql_errno(handle)
        description = "\(String(cString: mysql_error(handle))) (\(code))"
    }
}

/// Sessions that no test means to kill.
public struct Bystanders: Sendable {
    private let sessions: ClientSessions

    public static func open(_ count: Int = 10, on server: RealServer) async throws -> Bystanders {
        Bystanders(sessions: try await ClientSessions.open(count, on: server))
    }

    public static func open(_ count: Int = 10, at port: UInt16) async throws -> Bystanders {
        Bystanders(sessions: try await ClientSessions.open(count, at: port))
    }

    public func assertAllAnswer(file: StaticString = #filePath, line: UInt = #line) async {
        let answering = await sessions.answering()
        let all = await Set(sessions.threadIDs)
        XCTAssertEqual(answering, all, "bystanders were hit", file: file, line: line)
    }
}

// `my_bool` is CChar in one library, Bool in the other.
extension CInt { fileprivate var isZero: Bool { self == 0 } }
extension CChar { fileprivate var isZero: Bool { self == 0 } }
extension Bool { fileprivate var isZero: Bool { !self } }
