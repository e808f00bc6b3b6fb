import CMySQL
import SessionKill

/// Owns a connection of the client library. Every call blocks.
struct MySQLHandle: ~Copyable {
    private let mysql: UnsafeMutablePointer<MYSQL>

    /// Set up once for the process, and never ended: other threads may still be inside at exit.
    private static let libraryError = cmysql_library_init()

    private init(owning mysql: UnsafeMutablePointer<MYSQL>) { self.mysql = mysql }

    // Sends a farewell, for which the write deadline holds.
    deinit { mysql_close(mysql) }

    /// Connects and logs in.
    static func connect(
        to address: MySQLAddress, user: String, password: DatabasePassword,
        deadlines: MySQLServerConfiguration.Deadlines
    ) throws(MySQLFailure) -> MySQLHandle {
        guard libraryError == 0 else {
            throw MySQLFailure(code: UInt32(libraryError), message: "the client library could not be initialized")
        }
        guard let mysql = mysql_init(nil) else { throw MySQLFailure(code: 2_008, message: "out of memory") }
        let handle = MySQLHandle(owning: mysql)
        handle.set(deadlines)
        try handle.connect(to: address, user: user, password: password)
        return handle
    }

    private func set(_ deadlines: MySQLServerConfiguration.Deadlines) {
        var connectSeconds = deadlines.connect.wholeSeconds
        var readWriteSeconds = deadlines.readWrite.wholeSeconds
        mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connectSeconds)
        mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &readWriteSeconds)
        mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &readWriteSeconds)
    }

    private func connect(
        to address: MySQLAddress, user: String, password: DatabasePassword
    ) throws(MySQLFailure) {
        mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4")
        mysql_options4(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "killd")
        // Otherwise a server may ask for any file that this process can read.
        var localInfile: UInt32 = 0
        mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &localInfile)

        let connected: UnsafeMutablePointer<MYSQL>?
        switch address {
        case .tcp(let host, let port, let tls):
            // The libraries take the host "localhost" for a wish to use the Unix socket.
            var protocolType = UInt32(MYSQL_PROTOCOL_TCP.rawValue)
            mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocolType)
            guard cmysql_set_tls(mysql, tls.libraryMode, tls.ca) == 0 else {
                throw MySQLFailure(code: 2_026, message: "the client library refuses TLS mode \(tls)")
            }
            guard tls.demandsTLS || cmysql_refuse_clear_passwords(mysql) == 0 else {
                throw MySQLFailure(code: 2_059, message: "the client library does not refuse passwords in clear")
            }
            connected = mysql_real_connect(
                mysql, host, user, password.reveal(), nil, UInt32(port), nil, cmysql_client_flags())
        case .unixSocket(let path):
            guard cmysql_set_tls(mysql, CMYSQL_TLS_DISABLED, nil) == 0 else {
                throw MySQLFailure(code: 2_026, message: "the client library refuses to do without TLS")
            }
            connected = mysql_real_connect(
                mysql, nil, user, password.reveal(), nil, 0, path, cmysql_client_flags())
        }
        guard connected != nil else { throw failure.beforeTLS ?? failure }
        if case .tcp(_, _, let tls) = address, tls.demandsTLS, tlsCipher == nil {
            throw MySQLFailure(code: 2_026, message: "the connection is not encrypted")
        }
    }

    /// What the server's greeting said.
    var threadID: UInt { mysql_thread_id(mysql) }

    /// `nil` without TLS.
    var tlsCipher: String? { mysql_get_ssl_cipher(mysql).map { String(cString: $0) } }

    /// Sends one or more statements in one packet and reads all answers.
    ///
    /// - Returns: the answers until the first error, and that error.
    func run(_ sql: String) -> (results: [MySQLResult], failure: MySQLFailure?) {
        var sql = sql
        var status = sql.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { mysql_real_query(mysql, $0.baseAddress, UInt($0.count)) }
        }
        var results: [MySQLResult] = []
        while status == 0 {
            if let result = mysql_store_result(mysql) {
                defer { mysql_free_result(result) }
                results.append(MySQLResult(columns: Self.columns(of: result), rows: Self.rows(of: result)))
            } else if mysql_field_count(mysql) == 0 {
                results.append(MySQLResult(affectedRows: UInt64(mysql_affected_rows(mysql))))
            } else {
                return (results, failure)
            }
            status = mysql_next_result(mysql)
        }
        // -1 is the end, anything else an error.
        return (results, status < 0 ? nil : failure)
    }

    private var failure: MySQLFailure {
        let disguised = cmysql_disguised_error(mysql)
        if disguised != 0 {
            return MySQLFailure(code: disguised, message: "an error that the client library does not hand on")
        }
        return MySQLFailure(
            code: mysql_errno(mysql), message: mysql_error(mysql).map { String(cString: $0) } ?? "no message")
    }

    private static func columns(of result: UnsafeMutablePointer<MYSQL_RES>) -> [String] {
        guard let fields = mysql_fetch_fields(result) else { return [] }
        return (0..<Int(mysql_num_fields(result))).map { String(cString: fields[$0].name) }
    }

    private static func rows(of result: UnsafeMutablePointer<MYSQL_RES>) -> [[String?]] {
        let columns = 0..<Int(mysql_num_fields(result))
        var rows: [[String?]] = []
        while let row = mysql_fetch_row(result), let lengths = mysql_fetch_lengths(result) {
            rows.append(
                columns.map { column in
                    row[column].map { start in
                        let bytes = UnsafeRawBufferPointer(start: start, count: Int(lengths[column]))
                        return String(decoding: bytes, as: UTF8.self)
                    }
                })
        }
        return rows
    }
}

extension Duration {
    /// At least one: for the libraries zero means forever.
    fileprivate var wholeSeconds: UInt32 { UInt32(clamping: max(1, components.seconds)) }
}

extension TLSMode {
    fileprivate var libraryMode: cmysql_tls {
        switch self {
        case .disabled: CMYSQL_TLS_DISABLED
        case .preferred: CMYSQL_TLS_PREFERRED
        case .required: CMYSQL_TLS_REQUIRED
        case .verifyCA: CMYSQL_TLS_VERIFY_CA
        case .verifyIdentity: CMYSQL_TLS_VERIFY_IDENTITY
        }
    }

    fileprivate var ca: String? {
        switch self {
        case .disabled, .preferred, .required: nil
        case .verifyCA(let ca), .verifyIdentity(let ca): ca
        }
    }

    fileprivate var demandsTLS: Bool {
        switch self {
        case .disabled, .preferred: false
        case .required, .verifyCA, .verifyIdentity: true
        }
    }
}
