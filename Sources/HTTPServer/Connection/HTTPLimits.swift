/// What one client, and all clients together, may take from the server.
///
/// Every wait on a client has a limit here. Timeouts are kept to within 25 ms.
public struct HTTPLimits: Sendable, Hashable {
    /// Bytes of the request line and all header fields, line ends included.
    /// Default 40 KiB: a GET with a query of 32 KB must fit.
    public var headBytes = 40 * 1024
    /// Header fields of a request. Default 100, as Apache httpd takes.
    public var fieldCount = 100
    /// Whether one slash may stand behind the host in `Host`. The Python SDKs of both
    /// clouds send one where their endpoint has one. Default false: it is no host
    /// (RFC 9112 section 3.2).
    public var allowsSlashBehindHost = false
    /// Bytes of a request body, after the chunked coding is removed. Default
    /// 10 MiB.
    public var bodyBytes = 10 * 1024 * 1024
    /// Bytes of all chunk extensions and of all trailer fields of a request,
    /// each. Default 4 KiB.
    public var chunkedOverheadBytes = 4 * 1024
    /// Bytes of a request body that are read whoever sends them, where the server
    /// asks about longer ones. Requests with no more are worked on beside longer
    /// ones, not behind them. Default 64 KiB.
    public var shortBodyBytes = 64 * 1024
    /// Bytes that all clients together may hold of a server that does not share
    /// them with others; see ``HTTPMemory``. Who wants more gets a 503.
    /// Default 256 MiB.
    public var heldBytes = 256 * 1024 * 1024
    /// Open connections, and requests whose client has gone while they are
    /// handled. At the limit the server stops accepting until one closes: others
    /// wait in the kernel's queue. Default 4,096: some 10 MB if all are idle.
    /// Where the system grants fewer descriptors, there are fewer.
    public var connections = 4096
    /// The same of one IPv4 address or one /64 of IPv6, so that no client locks
    /// out the others; further ones are closed at once. This machine itself is
    /// not counted: all jobs of a CI runner, or all clients of a reverse proxy,
    /// come from there, and whoever fills it up hurts only others of them.
    /// Default 2,048.
    public var connectionsPerAddress = 2048

    /// From the first byte of a request head to its end, however steadily bytes
    /// drip in; also how long a new connection may send nothing, the TLS
    /// handshake included. Default 15 s.
    public var headTimeout = Duration.seconds(15)
    /// The slowest that a body may arrive and a response be taken, in bytes a
    /// second on average over each stall timeout. Default 500, a tenth of what a
    /// modem managed. Responses go through the client's kernel, which asks for
    /// more only when half of its buffer or a whole segment is free.
    public var minimumRate = 500
    /// The time in which a body must be complete or have gained bytes enough for
    /// ``minimumRate``. Default 15 s.
    public var bodyStallTimeout = Duration.seconds(15)
    /// The time from the end of the head to the end of the body. Default 120 s.
    public var bodyTimeout = Duration.seconds(120)
    /// The time from the call of the handler to its response. Default 300 s.
    public var handlerTimeout = Duration.seconds(300)
    /// The time in which a client must have taken a response or bytes of it enough
    /// for ``minimumRate``. Default 15 s.
    public var writeStallTimeout = Duration.seconds(15)
    /// The time from the start of a response until the client has taken all of it.
    /// Default 120 s.
    public var writeTimeout = Duration.seconds(120)
    /// Between a response and the first byte of the next request. Default 180 s:
    /// longer than proxies keep a connection (nginx 75 s, Caddy 120 s), so that they
    /// end it, who know whether they are about to use it.
    public var keepAliveTimeout = Duration.seconds(180)
    /// How long a connection that the server ends is read from, so that the
    /// client can take the last response instead of a reset (RFC 9112 section
    /// 9.6). Default 5 s.
    public var lingerTimeout = Duration.seconds(5)
    /// Bytes that are read and dropped in that time. Default 16 MiB: many
    /// clients send all of a too large body before they read the rejection.
    public var lingerBytes = 16 * 1024 * 1024

    /// The defaults.
    public init() {}
}
