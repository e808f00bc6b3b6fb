import TLS
import TestSupport
import XCTest

/// Both sides of a connection, without a socket between them.
final class TLSSessionTests: XCTestCase {
    private let made = Result { try TestCertificates() }

    /// One side, with what it has read and what became of it.
    private final class Side {
        let session: TLSSession
        var plaintext: [UInt8] = []
        var hasEnded = false
        var failure: String?

        init(_ session: TLSSession) { self.session = session }

        func take(_ bytes: ArraySlice<UInt8>) {
            let input = Array(bytes)
            let progress = session.receive(input.span) { piece in piece.withUnsafeBufferPointer { plaintext += $0 } }
            switch progress {
            case .open: break
            case .ended: hasEnded = true
            case .failed(let reason): failure = reason
            }
        }

        /// All that it has to say.
        func takeOutput() -> [UInt8] {
            let output = Array(session.output[session.sentCount...])
            _ = session.sent(output.count)
            return output
        }
    }

    /// Carries the bytes of each side to the other in pieces of `size`, until nobody says anything.
    private func carry(_ left: Side, _ right: Side, piecesOf size: Int = .max) {
        left.take([])
        while true {
            let (fromLeft, fromRight) = (left.takeOutput(), right.takeOutput())
            if fromLeft.isEmpty, fromRight.isEmpty { return }
            for (bytes, receiver) in [(fromLeft, right), (fromRight, left)] {
                var rest = bytes[...]
                while !rest.isEmpty {
                    receiver.take(rest.prefix(size))
                    rest = rest.dropFirst(size)
                }
            }
        }
    }

    private func sides(
        host: String = "127.0.0.1", authorities: String? = nil, identity: TLSClientContext.Identity? = nil,
        demandsClients: Bool = false
    ) throws -> (client: Side, server: Side) {
        let made = try made.get()
        let server = try TLSServerContext(
            certificate: made.server.certificate, privateKey: made.server.key,
            clientAuthorities: demandsClients ? made.authority.certificate : nil)
        let client = try TLSClientContext(
            authorities: authorities ?? made.authority.certificate, identity: identity)
        return (Side(try client.session(with: host)), Side(try server.session()))
    }

    func testPlaintextArrivesHoweverItIsCut() throws {
        for size in [1, 7, 1_000, Int.max] {
            let (client, server) = try sides()
            carry(client, server, piecesOf: size)
            XCTAssertTrue(client.session.isEstablished && server.session.isEstablished, "pieces of \(size)")
            let text = Array("hello".utf8)
            XCTAssertTrue(client.session.encrypt(text, from: 0))
            carry(client, server, piecesOf: size)
            XCTAssertEqual(server.plaintext, text)
        }
    }

    func testOutputIsBoundedHoweverMuchThereIsToSay() throws {
        let (client, server) = try sides()
        carry(client, server)
        let text = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        var start = 0
        while start < text.count {
            XCTAssertTrue(server.session.encrypt(text, from: start))
            XCTAssertFalse(server.session.encrypt(text, from: start), "more was encrypted before the first was sent")
            XCTAssertLessThan(server.session.unsentCount, 66 * 1024)
            // In pieces, as sockets take it; plaintext counts as sent when its ciphertext is.
            var sent = 0
            while server.session.unsentCount > 0 {
                let first = server.session.sentCount
                let count = min(20_000, server.session.unsentCount)
                client.take(server.session.output[first..<(first + count)])
                sent += server.session.sent(count)
                guard server.session.unsentCount > 0 else { break }
                XCTAssertLessThanOrEqual(start + sent, client.plaintext.count + 16_384)
            }
            start += sent
            XCTAssertEqual(client.plaintext.count, start)
        }
        XCTAssertEqual(client.plaintext, text)
    }

    func testAnEndIsSaidOnceAndUnderstood() throws {
        let (client, server) = try sides()
        server.session.end()
        XCTAssertEqual(server.session.unsentCount, 0, "an end was said before the handshake")
        carry(client, server)
        server.session.end()
        let said = server.session.unsentCount
        server.session.end()
        XCTAssertGreaterThan(said, 0)
        XCTAssertEqual(server.session.unsentCount, said)
        carry(client, server)
        XCTAssertTrue(client.hasEnded)
        XCTAssertNil(client.failure)
    }

    func testOneChangedByteIsNoticed() throws {
        let (client, server) = try sides()
        carry(client, server)
        XCTAssertTrue(client.session.encrypt(Array("hello".utf8), from: 0))
        var bytes = client.takeOutput()
        bytes[bytes.count - 1] ^= 1
        server.take(bytes[...])
        XCTAssertNotNil(server.failure)
        XCTAssertTrue(server.session.hasFailed)
        XCTAssertEqual(server.plaintext, [])
        XCTAssertFalse(server.session.encrypt([1], from: 0))
    }

    func testAClientBelievesOnlyTheRightServer() throws {
        let stranger = try made.get().make("stranger", isIssued: false)
        for (host, authorities, says) in [
            ("127.0.0.2", nil, "IP address mismatch"), ("db.example", nil, "hostname mismatch"),
            ("127.0.0.1", stranger.certificate, "unable to get local issuer certificate"),
        ] {
            let (client, server) = try sides(host: host, authorities: authorities)
            carry(client, server)
            XCTAssertEqual(client.failure?.contains(says), true, "\(client.failure ?? "") lacks \(says)")
            XCTAssertFalse(server.session.isEstablished)
            XCTAssertNotNil(server.failure, "the server was not told")
        }
        let (client, server) = try sides(host: "localhost")
        carry(client, server)
        XCTAssertTrue(client.session.isEstablished && server.session.isEstablished)
    }

    func testAServerThatDemandsACertificateTakesOnlyThoseOfItsAuthority() throws {
        let made = try made.get()
        func meet(_ pair: TestCertificates.Pair?) throws -> Side {
            let identity = pair.map { TLSClientContext.Identity(certificate: $0.certificate, privateKey: $0.key) }
            let (client, server) = try sides(identity: identity, demandsClients: true)
            carry(client, server)
            return server
        }
        XCTAssertTrue(try meet(made.make("client")).session.isEstablished)
        XCTAssertEqual(try meet(nil).failure, "peer did not return a certificate")
        let stranger = try meet(made.make("stranger", isIssued: false))
        XCTAssertEqual(stranger.failure?.hasPrefix("certificate verify failed"), true, stranger.failure ?? "")
    }
}
