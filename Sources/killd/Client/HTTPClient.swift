/// Sends one request to an HTTP/1.1 server and waits for the whole answer.
///
/// Blocks the thread: made for commands, which have nothing else to do
/// meanwhile.
struct HTTPClient {
    let endpoint: Endpoint
    var trust = ServerTrust()
    /// For connecting, and for every wait on the server, in seconds.
    var timeout = 60

    struct Response {
        let status: Int
        let body: [UInt8]
    }

    func post(headers: [(String, String)], body: [UInt8]) throws(CommandFailure) -> Response {
        var request = "POST / HTTP/1.1\r\nHost: \(endpoint.authority)\r\nConnection: close\r\n"
        for (name, value) in headers { request += "\(name): \(value)\r\n" }
        request += "Content-Length: \(body.count)\r\n\r\n"
        let message = Array(request.utf8) + body
        let socket = try TCPConnection(to: endpoint, timeout: timeout)
        switch endpoint.scheme {
        case .http:
            try socket.send(message)
            return try response { () throws(CommandFailure) in try socket.receive() }
        case .https:
            let connection = try TLSConnection(over: socket, trust: trust)
            try connection.send(message)
            return try response { () throws(CommandFailure) in try connection.receive() }
        }
    }

    /// - Parameter next: gives what has come, and nothing at the end of the stream.
    /// - Throws: what says that the answer is lost: the server has the whole request.
    private func response(_ next: () throws(CommandFailure) -> [UInt8]) throws(CommandFailure) -> Response {
        var reader = HTTPResponseReader()
        do throws(CommandFailure) {
            while true {
                let piece = try next()
                let problem: HTTPResponseReader.Problem
                do throws(HTTPResponseReader.Problem) {
                    if let response = try piece.isEmpty ? reader.end() : reader.read(piece) { return response }
                    continue
                } catch {
                    problem = error
                }
                throw CommandFailure(problem, at: endpoint)
            }
        } catch {
            var failure = error
            failure.isOfLostAnswer = true
            throw failure
        }
    }
}

extension CommandFailure {
    fileprivate init(_ problem: HTTPResponseReader.Problem, at endpoint: Endpoint) {
        switch problem {
        case .noAnswer: self.init("\(endpoint) ended the connection without an answer")
        case .notHTTP: self.init("\(endpoint) did not answer in HTTP")
        case .brokenOff: self.init("the answer of \(endpoint) broke off")
        case .tooLong: self.init("\(endpoint) answers without end")
        }
    }
}
