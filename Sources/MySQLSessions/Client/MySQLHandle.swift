import CMySQL
import SessionKill
import Text

/// Owns a connection of the client library. Every call blocks.
///
/// No call takes longer, or brings more, than the server's configuration says: the
/// library itself bounds each wait only, and what a server sends not at all.
struct MySQLHandle: ~Copyable {
    private let mysql: UnsafeMutablePointer<MYSQL>
    private let limits: Limits

    /// A class, because an `Instant` has no fixed layout: of a noncopyable structure that holds one, Swift 6 does not
    /// call the deinit from other files (seen), and connections would stay open.
    private final class Limits {
        let deadlines: MySQLServerConfiguration.Deadlines
        let largestResponse: MySQLServerConfiguration.ResponseSize
        /// The bytes of the largest row that was read.
        var largestRow: UInt64 = 0
        /// When the connection must be ready for use; `nil` once it is.
        var setUpDeadline: ContinuousClock.Instant?
        /// The most bytes of a statement: what is longer, the server refuses with the connection.
        var largestStatement = Int.max

        init(_ configuration: MySQLServerConfiguration) {
            deadlines = configuration.deadlines
            largestResponse = configuration.largestResponse
            setUpDeadline = .now + configuration.deadlines.call
        }
    }

    private var deadlines: MySQLServerConfiguration.Deadlines { limits.deadlines }
    private var largestResponse: MySQLServerConfiguration.ResponseSize { limits.largestResponse }

    /// What setting the library up gave, once for the process. It is never ended: other threads may still be inside at
    /// exit.
    private static let libraryError = cmysql_library_init()

    private init(owning mysql: UnsafeMutablePointer<MYSQL>, _ configuration: MySQLServerConfiguration) {
        self.mysql = mysql
        limits = Limits(configuration)
    }

    deinit {
        // It sends a farewell, which has a second's time.
        cmysql_begin_call(Duration.seconds(1).nanoseconds, Duration.seconds(1).nanoseconds, 65_536)
        mysql_close(mysql)
        cmysql_end_call()
    }

    /// Connects and logs in.
    ///
    /// What follows until ``finishSetUp()`` shares one deadline with it.
    static func connect(
        to address: MySQLAddress, _ configuration: MySQLServerConfiguration
    ) throws(MySQLFailure) -> MySQLHandle {
        guard libraryError == 0 else {
            throw MySQLFailure(code: UInt32(libraryError), message: "the client library could not be initialized")
        }
        guard let mysql = mysql_init(nil) else {
            throw MySQLFailure(code: ErrorNumber.outOfMemory, message: "out of memory")
        }
        let handle = MySQLHandle(owning: mysql, configuration)
        try handle.set()
        handle.beginCall(pause: configuration.deadlines.connect)
        defer { cmysql_end_call() }
        try handle.connect(to: address, user: configuration.user, password: configuration.password)
        cmysql_watch_peer(mysql)
        return handle
    }

    func finishSetUp() { limits.setUpDeadline = nil }

    /// The most bytes that fit into the packets of a statement.
    var largestStatement: Int { limits.largestStatement }

    /// Asks the server how much it takes in a packet, which stays so for a connection.
    ///
    /// Servers check what is larger than their buffer only (both measured). A server that does not tell, OceanBase say,
    /// is taken to have no limit.
    func learnLargestStatement() {
        let response = run("SELECT GREATEST(@@max_allowed_packet,@@net_buffer_length)-1 AS bytes")
        guard let bytes: Int = try? Rows(response.results, "max_allowed_packet").only().integer("bytes") else { return }
        if bytes > 0 { limits.largestStatement = bytes }
    }

    private func set() throws(MySQLFailure) {
        var connectSeconds = deadlines.connect.wholeSeconds
        var readWriteSeconds = deadlines.readWrite.wholeSeconds
        mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connectSeconds)
        mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &readWriteSeconds)
        mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &readWriteSeconds)
        // More than is read, and a packet of 16 MB beyond that: of one that is too large it only says that it lost the
        // connection.
        var largestPacket = UInt(clamping: largestResponse.bytes) + (32 << 20)
        mysql_options(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &largestPacket)
        mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4")
        mysql_options4(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "killd")
        // Otherwise a server may ask for any file that this process can read.
        var localInfile: UInt32 = 0
        mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &localInfile)
        guard cmysql_use_limits(mysql) == 0 else {
            throw MySQLFailure(
                code: ErrorNumber.unknownClientError, message: "the client library does not keep to deadlines")
        }
    }

    private func connect(
        to address: MySQLAddress, user: String, password: DatabasePassword
    ) throws(MySQLFailure) {
        let connected: UnsafeMutablePointer<MYSQL>?
        switch address {
        case .tcp(let host, let port, let tls):
            // With the host "localhost" the libraries would use the Unix socket.
            var protocolType = UInt32(MYSQL_PROTOCOL_TCP.rawValue)
            mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocolType)
            guard cmysql_set_tls(mysql, tls.libraryMode, tls.ca) == 0 else {
                throw MySQLFailure(
                    code: ErrorNumber.tlsError, message: "the client library refuses TLS mode \(tls)")
            }
            guard tls.demandsTLS || cmysql_protect_password(mysql) == 0 else {
                throw MySQLFailure(
                    code: ErrorNumber.pluginNotLoaded, message: "the client library does not protect passwords")
            }
            connected = mysql_real_connect(
                mysql, host, user, password.reveal(), nil, UInt32(port), nil, cmysql_client_flags())
        case .unixSocket(let path):
            guard cmysql_set_tls(mysql, CMYSQL_TLS_DISABLED, nil) == 0 else {
                throw MySQLFailure(
                    code: ErrorNumber.tlsError, message: "the client library refuses to do without TLS")
            }
            connected = mysql_real_connect(
                mysql, nil, user, password.reveal(), nil, 0, path, cmysql_client_flags())
        }
        guard connected != nil else { throw failure.beforeTLS ?? failure }
        if case .tcp(_, _, let tls) = address, tls.demandsTLS, tlsCipher == nil {
            throw MySQLFailure(code: ErrorNumber.tlsError, message: "the connection is not encrypted")
        }
    }

    /// The connection's id, as the server's greeting said it.
    var threadID: UInt { mysql_thread_id(mysql) }

    /// The cipher in use; `nil` without TLS.
    var tlsCipher: String? { mysql_get_ssl_cipher(mysql).map { String(cString: $0) } }

    /// Sends one or more statements in one packet and reads all answers.
    ///
    /// - Parameter limit: for all of it; as configured, if not given.
    /// - Returns: the answers until the first error, and that error.
    func run(_ sql: String, within limit: Duration? = nil) -> (results: [MySQLResult], failure: MySQLFailure?) {
        guard sql.utf8.count <= largestStatement else {
            return ([], .notSent(bytes: sql.utf8.count, largest: largestStatement))
        }
        beginCall(pause: deadlines.readWrite, within: limit)
        defer { cmysql_end_call() }
        var sql = sql
        var status = sql.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { mysql_real_query(mysql, $0.baseAddress, UInt($0.count)) }
        }
        var results: [MySQLResult] = []
        var rowsLeft = largestResponse.rows
        // What the libraries return for an error differs, also in sign; -1 is not only the end of the results.
        while status == 0 {
            do throws(MySQLFailure) {
                results.append(try readResult(&rowsLeft))
            } catch {
                return (results, error)
            }
            guard cmysql_more_results(mysql) != 0 else { return (results, nil) }
            cmysql_expect_description()
            status = mysql_next_result(mysql)
        }
        return (results, failure)
    }

    private func beginCall(pause: Duration, within limit: Duration? = nil) {
        let time = limit ?? deadlines.call
        let untilReady = limits.setUpDeadline.map { ContinuousClock.now.duration(to: $0) } ?? time
        cmysql_begin_call(min(time, untilReady).nanoseconds, pause.nanoseconds, UInt64(clamping: largestResponse.bytes))
    }

    /// The result of one statement, read row by row as they come: the library's own store would hold whatever a server
    /// sends.
    private func readResult(_ rowsLeft: inout Int) throws(MySQLFailure) -> MySQLResult {
        guard let result = mysql_use_result(mysql) else {
            guard mysql_field_count(mysql) == 0 else { throw failure }
            return MySQLResult(affectedRows: UInt64(mysql_affected_rows(mysql)))
        }
        // It reads to the end of the rows first, unless the connection ended or was abandoned.
        defer { mysql_free_result(result) }
        cmysql_expect_rows()
        var response = MySQLResult(columns: Self.columns(of: result))
        let columns = 0..<Int(mysql_num_fields(result))
        while let row = mysql_fetch_row(result), let lengths = mysql_fetch_lengths(result) {
            rowsLeft -= 1
            let size = columns.reduce(UInt64(0)) { $0 &+ UInt64(lengths[$1]) }
            guard rowsLeft >= 0, cmysql_count_row(size) == CMYSQL_WITHIN_LIMITS else {
                cmysql_abandon(mysql)
                throw rowsLeft < 0 ? MySQLFailure.tooLarge(largestResponse) : failure
            }
            limits.largestRow = max(limits.largestRow, size)
            for column in columns where Int(lengths[column]) > MySQLResult.longestText {
                response.wholeLengths[response.rows.count, default: [:]][column] = Int(lengths[column])
            }
            response.rows.append(
                columns.map { column in
                    row[column].map { start in
                        Self.text(UnsafeRawBufferPointer(start: start, count: Int(lengths[column])))
                    }
                })
        }
        // Also an error of the server's own may come in the place of a row.
        guard mysql_errno(mysql) == 0, cmysql_limit_exceeded() == CMYSQL_WITHIN_LIMITS else { throw failure }
        return response
    }

    /// The beginning of `bytes` as text, no more than ``MySQLResult/longestText``.
    private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        guard bytes.count > MySQLResult.longestText else { return String(decoding: bytes, as: UTF8.self) }
        // A character that is cut in two is behind what is kept.
        let beginning = UnsafeRawBufferPointer(rebasing: bytes.prefix(MySQLResult.longestText + 4))
        return String(decoding: beginning, as: UTF8.self).beginning(bytes: MySQLResult.longestText)
    }

    /// Whether the library holds memory for a row of more than a megabyte, which it keeps for as long as the connection
    /// is open.
    var holdsLargeRow: Bool { limits.largestRow > 1 << 20 }

    func forgetLargeRow() { limits.largestRow = 0 }

    /// What the last call failed of.
    private var failure: MySQLFailure {
        switch cmysql_limit_exceeded() {
        case CMYSQL_OUT_OF_TIME: return .outOfTime(deadlines.call)
        case CMYSQL_TOO_LARGE: return .tooLarge(largestResponse)
        default: break
        }
        let disguised = cmysql_disguised_error(mysql)
        if disguised != 0 {
            return MySQLFailure(code: disguised, message: "an error that the client library does not hand on")
        }
        switch mysql_errno(mysql) {
        case ErrorNumber.responseTooLarge: return .tooLarge(largestResponse)
        case 0:
            // E.g. a response that ends within the description of its columns.
            return MySQLFailure(code: ErrorNumber.malformedPacket, message: "the response of the server is malformed")
        case ErrorNumber.passwordNotSent: return .passwordNotSent(because: message)
        // The library's own words name the method of the greeting.
        case ErrorNumber.pluginNotAllowed:
            return .passwordNotSent(
                because: "the server asked for an authentication method that may hand the password over")
        default: return MySQLFailure(code: mysql_errno(mysql), message: message)
        }
    }

    private var message: String { mysql_error(mysql).map { String(cString: $0) } ?? "no message" }

    private static func columns(of result: UnsafeMutablePointer<MYSQL_RES>) -> [String] {
        guard let fields = mysql_fetch_fields(result) else { return [] }
        return (0..<Int(mysql_num_fields(result))).map { index in
            fields[index].name.map { String(cString: $0) } ?? ""
        }
    }
}
