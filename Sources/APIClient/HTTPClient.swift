/// A client of one HTTP/1.1 server.
///
/// Blocks the thread: made for commands, which have nothing else to do
/// meanwhile.
public struct HTTPClient: Sendable {
    public let endpoint: Endpoint
    public let trust: ServerTrust
    /// For connecting, and for every wait on the server, in seconds.
    public let timeout: Int

    public init(endpoint: Endpoint, trust: ServerTrust = ServerTrust(), timeout: Int = 60) {
        self.endpoint = endpoint
        self.trust = trust
        self.timeout = timeout
    }

    /// Opens a connection.
    public func connect() throws(APIClientError) -> HTTPConversation {
        let socket = try TCPConnection(to: endpoint, timeout: timeout)
        switch endpoint.scheme {
        case .http: return HTTPConversation(.tcp(socket), endpoint)
        case .https: return HTTPConversation(.tls(try TLSConnection(over: socket, trust: trust)), endpoint)
        }
    }
}

/// The whole response to a request.
public struct HTTPResponse: Sendable {
    public let status: Int
    public let body: [UInt8]
}

/// Requests and their responses, one after the other over one connection, which ends with this value.
public final class HTTPConversation {
    enum Transport {
        case tcp(TCPConnection)
        case tls(TLSConnection)
    }

    private let transport: Transport
    private let endpoint: Endpoint

    init(_ transport: Transport, _ endpoint: Endpoint) {
        self.transport = transport
        self.endpoint = endpoint
    }

    /// Sends a request and waits for the whole response.
    public func exchange(_ message: [UInt8]) throws(APIClientError) -> HTTPResponse {
        switch transport {
        case .tcp(let connection): try connection.send(message)
        case .tls(let connection): try connection.send(message)
        }
        var reader = HTTPResponseReader()
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
