import Foundation
import Synchronization
import TLS
import TestSupport
import XCTest

@testable import HTTPServer

/// An HTTPS server on a free port, with certificates of its own.
final class TLSTestServer: Sendable {
    let made: TestCertificates
    let server: HTTPServer
    var port: UInt16 { server.boundAddress.port }

    private let reports: Reports
    /// What the server has reported of failed connections.
    var reported: [String] { reports.texts.withLock { $0 } }

    private final class Reports: Sendable {
        let texts = Mutex<[String]>([])
    }

    /// - Parameter handler: by default responds with the length of the body, or with the path.
    init(
        limits: HTTPLimits = HTTPLimits(), demandsClients: Bool = false, key: TestCertificates.Key = .p256,
        trustedProxies: TrustedProxies? = nil,
        handler: @escaping HTTPServer.Handler = { request in
            let text = request.body.isEmpty ? request.path : "\(request.body.count)"
            return .immediate(HTTPResponse(status: .ok, body: Array("<\(text)>".utf8)))
        }
    ) throws {
        let made = try TestCertificates()
        let context = try TLSServerContext(
            certificate: made.server.certificate, privateKey: made.server.key,
            clientAuthorities: demandsClients ? made.authority.certificate : nil)
        let reports = Reports()
        self.made = made
        self.reports = reports
        server = try HTTPServer(
            listen: ListenAddress(host: "127.0.0.1", port: 0), limits: limits, tls: context,
            trustedProxies: trustedProxies, handler: handler,
            observer: { event in
                switch event {
                case .tlsFailed(let reason, _): reports.texts.withLock { $0.append(reason) }
                case .rejected(let error, _): reports.texts.withLock { $0.append("\(error)") }
                case .acceptingPaused(let reason), .failed(let reason): reports.texts.withLock { $0.append(reason) }
                default: break
                }
            })
        try server.start()
    }

    func connect() throws -> TLSTestClient { try TLSTestClient(port: port, made: made) }

    /// Requests `/` with the openssl program and waits until the server ends the connection.
    ///
    /// - Returns: what the program has printed.
    func requestWithOpenSSL(_ options: [String], input: String = TLSTestServer.lastRequest) async throws -> String {
        let file = made.file("input-\(UUID().uuidString)")
        try Data(input.utf8).write(to: URL(fileURLWithPath: file))
        // -ign_eof would also make it deaf to commands.
        let end = input == Self.lastRequest ? ["-ign_eof"] : []
        let client = try await FinishedProgram.run(
            "/bin/sh",
            ["-c", #"input=$1; shift; exec openssl s_client "$@" <"$input""#, "sh", file]
                + ["-connect", "127.0.0.1:\(port)", "-CAfile", made.authority.certificate] + end + options)
        return client.output + client.error
    }

    static let lastRequest = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
}

/// A client over TLS. Every wait ends after ten seconds.
final class TLSTestClient {
    let socket: TestClient
    private let session: TLSSession
    private var received: [UInt8] = []
    /// The server has said that it sends no more.
    private(set) var hasEnded = false

    struct Failure: Error { let reason: String }

    /// - Parameters:
    ///   - preamble: what a proxy sends before the handshake.
    ///   - size: the bytes that each system call sends.
    init(port: UInt16, made: TestCertificates, preamble: [UInt8] = [], piecesOf size: Int = .max) throws {
        socket = try TestClient(port: port)
        socket.send(preamble)
        session = try TLSClientContext(authorities: made.authority.certificate).session(with: "127.0.0.1")
        try take([], piecesOf: size)
        while !session.isEstablished {
            let input = socket.receiveSome() ?? []
            guard !input.isEmpty else { throw Failure(reason: "the connection ended") }
            try take(input, piecesOf: size)
        }
    }

    private func take(_ input: [UInt8], piecesOf size: Int = .max) throws {
        let progress = session.receive(input.span) { piece in piece.withUnsafeBufferPointer { received += $0 } }
        flush(piecesOf: size)
        switch progress {
        case .open: break
        case .ended: hasEnded = true
        case .failed(let reason): throw Failure(reason: reason)
        }
    }

    private func flush(piecesOf size: Int = .max) {
        var rest = session.output[session.sentCount...]
        while !rest.isEmpty {
            socket.send(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        _ = session.sent(session.unsentCount)
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) {
        var start = 0
        while start < bytes.count, session.encrypt(bytes, from: start) {
            start += 64 * 1024
            flush()
        }
    }

    /// Says that it sends no more, and leaves the socket open.
    func end() {
        session.end()
        flush()
    }

    /// Reads until the text ends with `end`, or until the server has said that it sends no more.
    ///
    /// - Returns: nil if the connection ends without that.
    func receive(until end: String? = nil) throws -> String? {
        let end = end.map { Array($0.utf8) }
        while true {
            if let end, received.count >= end.count, received.suffix(end.count).elementsEqual(end) { break }
            if hasEnded { break }
            let input = socket.receiveSome() ?? []
            if input.isEmpty { return nil }
            try take(input)
        }
        defer { received = [] }
        return String(decoding: received, as: UTF8.self)
    }
}
