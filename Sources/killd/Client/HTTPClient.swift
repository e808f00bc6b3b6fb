import Text

/// Sends one request to an HTTP/1.1 server and waits for the whole answer.
///
/// Blocks the thread: made for commands, which have nothing else to do
/// meanwhile.
struct HTTPClient {
    let endpoint: Endpoint
    var trust = ServerTrust()
    /// For connecting, and for every wait on the server, in seconds.
    var patience = 60

    struct Response {
        let status: Int
        let body: [UInt8]
    }

    func post(headers: [(String, String)], body: [UInt8]) throws(CommandFailure) -> Response {
        var request = "POST / HTTP/1.1\r\nHost: \(endpoint.authority)\r\nConnection: close\r\n"
        for (name, value) in headers { request += "\(name): \(value)\r\n" }
        request += "Content-Length: \(body.count)\r\n\r\n"
        let message = Array(request.utf8) + body
        let socket = try TCPConnection(to: endpoint, patience: patience)
        switch endpoint.scheme {
        case .http:
            try socket.send(message)
            return try response(from: all { () throws(CommandFailure) in try socket.receive() })
        case .https:
            let connection = try TLSConnection(over: socket, trust: trust)
            try connection.send(message)
            return try response(from: all { () throws(CommandFailure) in try connection.receive() })
        }
    }

    /// Everything up to the end of the stream, which is an empty piece.
    private func all(_ next: () throws(CommandFailure) -> [UInt8]) throws(CommandFailure) -> [UInt8] {
        var received: [UInt8] = []
        while true {
            let piece = try next()
            if piece.isEmpty { return received }
            received += piece
            guard received.count <= 64 * 1024 * 1024 else { throw CommandFailure("\(endpoint) answers without end") }
        }
    }

    /// The server closes the connection, so what came until then is the answer.
    private func response(from bytes: [UInt8]) throws(CommandFailure) -> Response {
        guard let headEnd = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else {
            throw CommandFailure("\(endpoint) did not answer in HTTP")
        }
        let lines = bytes[..<headEnd.lowerBound].split { [UInt8(ascii: "\r"), UInt8(ascii: "\n")].contains($0) }
        let words = lines.first?.split(separator: UInt8(ascii: " ")) ?? []
        guard words.count >= 2, words[0].starts(with: "HTTP/1.".utf8), let status = Int(words[1].text) else {
            throw CommandFailure("\(endpoint) did not answer in HTTP")
        }
        let body = Array(bytes[headEnd.upperBound...])
        let name = "content-length:"
        for line in lines.dropFirst() where line.prefix(name.utf8.count).isSameWord(as: name) {
            let value = line.dropFirst(name.utf8.count).drop { $0 == UInt8(ascii: " ") }
            guard Int(value.text) == body.count else { throw CommandFailure("the answer of \(endpoint) broke off") }
        }
        return Response(status: status, body: body)
    }
}

extension ArraySlice<UInt8> {
    fileprivate var text: String { String(decoding: self, as: UTF8.self) }
}
