/// A client of one HTTP/1.1 server. Follows no redirect, and knows no proxy.
///
/// Blocks the thread: made for commands, which have nothing else to do
/// meanwhile, and for threads of their own.
public struct HTTPClient: Sendable {
    public let endpoint: Endpoint
    public let trust: ServerTrust
    public let timeouts: ClientTimeouts
    /// How much of a response's body is read.
    public let bodyLimit: BodyLimit

    /// What is done with a response whose body is too long.
    public enum BodyLimit: Sendable {
        /// It counts as none.
        case refuse(above: Int)
        /// Its beginning is taken for the whole.
        case cut(at: Int)
    }

    /// - Parameter timeout: for connecting, and for every wait on the server, in seconds.
    public init(endpoint: Endpoint, trust: ServerTrust = ServerTrust(), timeout: Int = 60) {
        self.init(endpoint: endpoint, trust: trust, timeouts: ClientTimeouts(silence: .seconds(timeout)))
    }

    public init(
        endpoint: Endpoint, trust: ServerTrust, timeouts: ClientTimeouts,
        bodyLimit: BodyLimit = .refuse(above: 64 * 1_024 * 1_024)
    ) {
        self.endpoint = endpoint
        self.trust = trust
        self.timeouts = timeouts
        self.bodyLimit = bodyLimit
    }

    /// Opens a connection.
    public func connect() throws(APIClientError) -> HTTPConversation {
        try connect(at: HostAddress.all(of: endpoint))
    }

    /// Opens a connection to one of these addresses of the host.
    public func connect(at addresses: [HostAddress]) throws(APIClientError) -> HTTPConversation {
        let socket = try TCPConnection(to: endpoint, at: addresses, timeouts: timeouts)
        let transport: HTTPConversation.Transport =
            switch endpoint.scheme {
            case .http: .tcp(socket)
            case .https: .tls(try TLSConnection(over: socket, trust: trust))
            }
        return HTTPConversation(transport, endpoint, bodyLimit)
    }
}

/// The whole response to a request.
public struct HTTPResponse: Sendable {
    public let status: Int
    public let headers: [(name: String, value: String)]
    public let body: [UInt8]

    /// The value of the first header of this name, in lower case.
    public func value(of name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// Requests and their responses, one after the other over one connection, which ends with this value.
public final class HTTPConversation {
    enum Transport {
        case tcp(TCPConnection)
        case tls(TLSConnection)
    }

    private let transport: Transport
    private let endpoint: Endpoint
    private let bodyLimit: HTTPClient.BodyLimit

    init(_ transport: Transport, _ endpoint: Endpoint, _ bodyLimit: HTTPClient.BodyLimit) {
        self.transport = transport
        self.endpoint = endpoint
        self.bodyLimit = bodyLimit
    }

    /// Sends a request and waits for the whole response.
    public func exchange(_ message: [UInt8]) throws(APIClientError) -> HTTPResponse {
        switch transport {
        case .tcp(let connection): try connection.send(message)
        case .tls(let connection): try connection.send(message)
        }
        var reader = HTTPResponseReader(bodyLimit: bodyLimit)
        do throws(APIClientError) {
            while true {
                let piece = try receive()
                let problem: HTTPResponseReader.Problem
                do throws(HTTPResponseReader.Problem) {
                    if let response = try piece.isEmpty ? reader.end() : reader.read(piece) { return response }
                    continue
                } catch {
                    problem = error
                }
                throw APIClientError(problem, at: endpoint)
            }
        } catch {
            // The server has the whole request.
            var lost = error
            lost.isResponseLost = true
            throw lost
        }
    }

    /// What has come, as soon as anything has; nothing at the end of the stream.
    private func receive() throws(APIClientError) -> [UInt8] {
        switch transport {
        case .tcp(let connection): try connection.receive()
        case .tls(let connection): try connection.receive()
        }
    }
}

extension APIClientError {
    fileprivate init(_ problem: HTTPResponseReader.Problem, at endpoint: Endpoint) {
        let reason: Reason =
            switch problem {
            case .noResponse: .noResponse
            case .notHTTP: .notHTTP
            case .truncated: .truncated
            case .tooLong: .tooLong
            }
        self.init(reason, at: endpoint)
    }
}
