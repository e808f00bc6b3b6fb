import CMySQL

/// The numbers of the errors that killd goes by, by the names that servers and client libraries have for them.
///
/// From `mysqld_error.h` and `errmsg.h`, as far as both MariaDB's and Oracle's have them with the same meaning.
enum ErrorNumber {
    // MARK: Of MySQL and MariaDB

    static let tooManyConnections = UInt32(ER_CON_COUNT_ERROR)
    static let databaseAccessDenied = UInt32(ER_DBACCESS_DENIED_ERROR)
    static let accessDenied = UInt32(ER_ACCESS_DENIED_ERROR)
    static let serverShutdown = UInt32(ER_SERVER_SHUTDOWN)
    static let parseError = UInt32(ER_PARSE_ERROR)
    static let noSuchThread = UInt32(ER_NO_SUCH_THREAD)
    static let killDenied = UInt32(ER_KILL_DENIED_ERROR)
    static let unknownTable = UInt32(ER_UNKNOWN_TABLE)
    static let hostIsBlocked = UInt32(ER_HOST_IS_BLOCKED)
    static let hostNotPrivileged = UInt32(ER_HOST_NOT_PRIVILEGED)
    static let tableAccessDenied = UInt32(ER_TABLEACCESS_DENIED_ERROR)
    /// Of a packet that is larger than `max_allowed_packet`.
    static let packetTooLarge = UInt32(ER_NET_PACKET_TOO_LARGE)
    /// Of an account that has `max_user_connections` connections.
    static let tooManyUserConnections = UInt32(ER_TOO_MANY_USER_CONNECTIONS)
    /// Of an account that has what `CREATE USER … WITH` allows it.
    static let userLimitReached = UInt32(ER_USER_LIMIT_REACHED)
    /// Of a statement that needs a privilege, which the message names.
    static let specificAccessDenied = UInt32(ER_SPECIFIC_ACCESS_DENIED_ERROR)
    static let queryInterrupted = UInt32(ER_QUERY_INTERRUPTED)
    static let accessDeniedWithoutPassword = UInt32(ER_ACCESS_DENIED_NO_PASSWORD_ERROR)
    static let passwordExpired = UInt32(ER_MUST_CHANGE_PASSWORD_LOGIN)

    // MARK: Of MySQL alone

    /// `ER_ACCOUNT_HAS_BEEN_LOCKED`, which is ``accountLockedOnMariaDB`` there.
    static let accountLockedOnMySQL: UInt32 = 3_118
    /// `ER_SECURE_TRANSPORT_REQUIRED`.
    static let secureTransportRequired: UInt32 = 3_159
    /// `ER_SESSION_WAS_KILLED`.
    static let sessionWasKilled: UInt32 = 3_169
    /// `ER_CLIENT_INTERACTION_TIMEOUT`.
    static let clientInteractionTimeout: UInt32 = 4_031

    // MARK: Of MariaDB alone

    /// `ER_CONNECTION_KILLED`.
    static let connectionKilled: UInt32 = 1_927
    /// `ER_NO_SUCH_QUERY`, to KILL QUERY ID.
    static let noSuchQuery: UInt32 = 1_957
    /// `ER_KILL_QUERY_DENIED_ERROR`, to KILL QUERY ID.
    static let killQueryDenied: UInt32 = 1_979
    /// `ER_ACCOUNT_HAS_BEEN_LOCKED`.
    static let accountLockedOnMariaDB: UInt32 = 4_151

    // MARK: Of OceanBase, whose own begin at 4000

    /// `OB_TIMEOUT`.
    static let oceanBaseTimeout: UInt32 = 4_012
    /// Of an ODP, to an id whose bits name none of its threads, or of before a hot upgrade.
    static let proxyInternal: UInt32 = 4_016
    /// Of an ODP, to KILL QUERY with an id that it does not know.
    static let proxyUnknownResult: UInt32 = 4_081
    /// Of a cluster of which not all servers agreed.
    static let killClientSessionFailed: UInt32 = 4_402
    /// Of an ODP, to a login that may not, and to what it does not understand.
    static let proxyBadCommand: UInt32 = 5_010

    // MARK: Of the client libraries

    static let clientErrors = UInt32(CR_MIN_ERROR)...UInt32(CR_MAX_ERROR)
    /// Of MariaDB Connector/C alone.
    static let connectorErrors: Range<UInt32> = 5_000..<6_000
    static let unknownClientError = UInt32(CR_UNKNOWN_ERROR)
    /// To a Unix socket, or before TLS.
    static let connectionError = UInt32(CR_CONNECTION_ERROR)
    static let connectionToHostError = UInt32(CR_CONN_HOST_ERROR)
    static let unknownHost = UInt32(CR_UNKNOWN_HOST)
    static let serverGone = UInt32(CR_SERVER_GONE_ERROR)
    static let outOfMemory = UInt32(CR_OUT_OF_MEMORY)
    static let serverLost = UInt32(CR_SERVER_LOST)
    static let responseTooLarge = UInt32(CR_NET_PACKET_TOO_LARGE)
    static let tlsError = UInt32(CR_SSL_CONNECTION_ERROR)
    static let malformedPacket = UInt32(CR_MALFORMED_PACKET)
    static let pluginNotLoaded = UInt32(CR_AUTH_PLUGIN_CANNOT_LOAD)
    /// Of an authentication method that would have sent a password that could be read on the way: of the methods that
    /// are guarded, and of Oracle's library.
    static let passwordNotSent = UInt32(CR_AUTH_PLUGIN_ERR)
    /// `CR_PLUGIN_NOT_ALLOWED` of Connector/C: of a method that is not known to be safe.
    static let pluginNotAllowed: UInt32 = 5_010

    /// What a login hears that is refused: for a wrong password, a host that is not allowed or blocked, an account that
    /// is locked or expired, a transport that is not secure, and where the client lacks the account's method.
    static let refusingLogins = [
        accessDenied, databaseAccessDenied, accessDeniedWithoutPassword, passwordExpired, hostIsBlocked,
        hostNotPrivileged, accountLockedOnMySQL, accountLockedOnMariaDB, secureTransportRequired, pluginNotLoaded,
        pluginNotAllowed,
    ]
}
