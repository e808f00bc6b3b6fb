import Glibc

/// Sends one request to an HTTP/1.1 server and waits for the whole answer.
///
/// Blocks the thread: made for commands, which have nothing else to do
/// meanwhile.
struct HTTPClient {
    let endpoint: Endpoint
    /// For connecting, and for every wait on the server, in seconds.
    var patience = 60

    struct Response {
        let status: Int
        let body: [UInt8]
    }

    func post(headers: [(String, String)], body: [UInt8]) throws(CommandFailure) -> Response {
        let socket = try Connection(to: endpoint, patience: patience)
        var request = "POST / HTTP/1.1\r\nHost: \(endpoint.authority)\r\nConnection: close\r\n"
        for (name, value) in headers { request += "\(name): \(value)\r\n" }
        request += "Content-Length: \(body.count)\r\n\r\n"
        try socket.send(Array(request.utf8) + body)
        return try response(from: socket.receiveAll(limit: 64 * 1024 * 1024))
    }

    /// The server closes the connection, so what came until then is the answer.
    private func response(from bytes: [UInt8]) throws(CommandFailure) -> Response {
        guard let headEnd = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else {
            throw CommandFailure("\(endpoint) did not answer in HTTP")
        }
        let lines = String(decoding: bytes[..<headEnd.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            throw CommandFailure("\(endpoint) did not answer in HTTP")
        }
        let body = Array(bytes[headEnd.upperBound...])
        for line in lines.dropFirst() where line.lowercased().hasPrefix("content-length:") {
            let value = line.drop { $0 != ":" }.dropFirst().drop { $0 == " " }
            guard Int(value) == body.count else { throw CommandFailure("the answer of \(endpoint) broke off") }
        }
        return Response(status: status, body: body)
    }
}

/// A TCP connection that waits no longer than it has patience.
private struct Connection: ~Copyable {
    private let descriptor: Int32
    private let endpoint: Endpoint

    init(to endpoint: Endpoint, patience: Int) throws(CommandFailure) {
        self.endpoint = endpoint
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(endpoint.host, String(endpoint.port), &hints, &found)
        guard result == 0 else {
            throw CommandFailure("\(endpoint): \(String(cString: gai_strerror(result)))")
        }
        defer { freeaddrinfo(found) }

        var lastError: Int32 = ECONNREFUSED
        var next = found
        while let address = next?.pointee {
            let type = address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue)
            let descriptor = socket(address.ai_family, type, address.ai_protocol)
            if descriptor >= 0 {
                var limit = timeval(tv_sec: patience, tv_usec: 0)
                let size = socklen_t(MemoryLayout<timeval>.size)
                // On Linux the send limit bounds connect() too (socket(7)).
                setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
                setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
                if connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 {
                    self.descriptor = descriptor
                    return
                }
                lastError = errno
                close(descriptor)
            } else {
                lastError = errno
            }
            next = address.ai_next
        }
        throw CommandFailure("\(endpoint) cannot be reached: \(String(cString: strerror(lastError)))")
    }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8]) throws(CommandFailure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if sent > 0 {
                rest = rest.dropFirst(sent)
            } else if errno != EINTR {
                throw failure()
            }
        }
    }

    /// Everything up to the end of the stream.
    func receiveAll(limit: Int) throws(CommandFailure) -> [UInt8] {
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count == 0 { return received }
            if count > 0 {
                received += buffer.prefix(count)
                guard received.count <= limit else { throw CommandFailure("\(endpoint) answers without end") }
            } else if errno != EINTR {
                throw failure()
            }
        }
    }

    private func failure() -> CommandFailure {
        errno == EAGAIN
            ? CommandFailure("\(endpoint) did not answer in time")
            : CommandFailure("\(endpoint): \(String(cString: strerror(errno)))")
    }
}
