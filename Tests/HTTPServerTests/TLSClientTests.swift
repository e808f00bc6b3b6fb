import TLS
import TestSupport
import XCTest

@testable import HTTPServer

/// HTTPS as OpenSSL's own client meets it.
final class TLSClientTests: XCTestCase {
    private func assert(
        _ output: String, contains part: String, file: StaticString = #filePath, line: UInt = #line
    ) {
        XCTAssertTrue(output.contains(part), "\(output)\nlacks \(part)", file: file, line: line)
    }

    func testServesTLS12AndTLS13AndNothingOlder() async throws {
        let https = try TLSTestServer()
        for (option, version) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
            let output = try await https.requestWithOpenSSL([option])
            assert(output, contains: "New, \(version), Cipher is ")
            assert(output, contains: "Verify return code: 0 (ok)")
            assert(output, contains: "Compression: NONE")
            assert(output, contains: "\r\nConnection: close\r\n\r\n</>")
        }
        for option in ["-tls1", "-tls1_1"] {
            let output = try await https.requestWithOpenSSL([option, "-cipher", "ALL:@SECLEVEL=0"])
            assert(output, contains: "alert protocol version")
        }
        XCTAssertEqual(https.reported, ["unsupported protocol", "unsupported protocol"])
    }

    func testTakesNoCipherThatIsWeak() async throws {
        let https = try TLSTestServer()
        let output = try await https.requestWithOpenSSL(
            ["-tls1_2", "-cipher", "NULL:aNULL:RC4:3DES:EXPORT:@SECLEVEL=0"])
        assert(output, contains: "alert handshake failure")
        XCTAssertEqual(https.reported, ["no shared cipher"])
    }

    func testSessionsOfTLS12AreResumedByTicketAndByCache() async throws {
        let https = try TLSTestServer()
        for options in [["-tls1_2"], ["-tls1_2", "-no_ticket"]] {
            let session = https.made.file("session")
            let first = try await https.requestWithOpenSSL(options + ["-sess_out", session])
            assert(first, contains: "New, TLSv1.2")
            let second = try await https.requestWithOpenSSL(options + ["-sess_in", session])
            assert(second, contains: "Reused, TLSv1.2")
            assert(second, contains: "</>")
        }
    }

    func testSessionsOfTLS13AreResumedAndEarlyDataIsNotTaken() async throws {
        let https = try TLSTestServer()
        let session = https.made.file("session")
        assert(try await https.requestWithOpenSSL(["-tls1_3", "-sess_out", session]), contains: "New, TLSv1.3")
        let second = try await https.requestWithOpenSSL(["-tls1_3", "-sess_in", session])
        assert(second, contains: "Reused, TLSv1.3")
        assert(second, contains: "Early data was not sent")
        assert(second, contains: "Max Early Data: 0")
        assert(second, contains: "</>")
    }

    func testSessionsAreResumedWhereClientsMustShowACertificate() async throws {
        let https = try TLSTestServer(demandsClients: true)
        let client = try https.made.make("client")
        let identity = ["-cert", client.certificate, "-key", client.key]
        for version in ["-tls1_2", "-tls1_3"] {
            let session = https.made.file("session\(version)")
            let first = try await https.requestWithOpenSSL([version, "-sess_out", session] + identity)
            assert(first, contains: "New, ")
            let second = try await https.requestWithOpenSSL([version, "-sess_in", session] + identity)
            assert(second, contains: "Reused, ")
            assert(second, contains: "</>")
        }
    }

    func testChoosesHTTP11AmongProtocols() async throws {
        let https = try TLSTestServer()
        assert(try await https.requestWithOpenSSL(["-alpn", "h2,http/1.1"]), contains: "ALPN protocol: http/1.1")
        assert(try await https.requestWithOpenSSL(["-alpn", "h2"]), contains: "alert no application protocol")
        assert(try await https.requestWithOpenSSL([]), contains: "No ALPN negotiated")
    }

    func testRefusesToRenegotiate() async throws {
        let https = try TLSTestServer()
        // R is s_client's command for it.
        let output = try await https.requestWithOpenSSL(["-tls1_2"], input: "R\n")
        assert(output, contains: "RENEGOTIATING")
        assert(output, contains: "no renegotiation")
    }

    func testDemandsACertificateOfTheAuthority() async throws {
        let https = try TLSTestServer(demandsClients: true)
        let right = try https.made.make("client")
        let stranger = try https.made.make("stranger", isIssued: false)
        for version in ["-tls1_2", "-tls1_3"] {
            let without = try await https.requestWithOpenSSL([version])
            XCTAssertFalse(without.contains("HTTP/1.1"), without)
            let wrong = try await https.requestWithOpenSSL(
                [version, "-cert", stranger.certificate, "-key", stranger.key])
            XCTAssertFalse(wrong.contains("HTTP/1.1"), wrong)
            let known = try await https.requestWithOpenSSL([version, "-cert", right.certificate, "-key", right.key])
            assert(known, contains: "</>")
        }
        let reported = https.reported
        XCTAssertEqual(reported.filter { $0 == "peer did not return a certificate" }.count, 2, "\(reported)")
        XCTAssertEqual(reported.filter { $0.hasPrefix("certificate verify failed") }.count, 2, "\(reported)")
        XCTAssertEqual(reported.count, 4)
    }

    func testNewConnectionsMeetTheNewCertificateAndOldOnesGoOn() async throws {
        let https = try TLSTestServer()
        let open = try https.connect()
        let session = https.made.file("session")
        assert(try await https.requestWithOpenSSL(["-sess_out", session]), contains: "subject=CN = server")

        let renewed = try https.made.make("renewed")
        https.server.replaceTLS(try TLSServerContext(certificate: renewed.certificate, privateKey: renewed.key))
        let new = try await https.requestWithOpenSSL(["-sess_in", session])
        assert(new, contains: "subject=CN = renewed")
        assert(new, contains: "New, TLSv1.3")
        open.send("GET /open HTTP/1.1\r\nHost: h\r\n\r\n")
        XCTAssertNotNil(try open.receive(until: "</open>"))
    }

    func testWhoConnectsRightAfterTheCertificateWasReplacedMeetsTheNewOne() throws {
        let https = try TLSTestServer()
        let authorities = [https.made, try TestCertificates()]
        let contexts = try authorities.map {
            try TLSServerContext(certificate: $0.server.certificate, privateKey: $0.server.key)
        }
        for round in 1...400 {
            https.server.replaceTLS(contexts[round % 2])
            // Trusts no other authority.
            XCTAssertNoThrow(try TLSTestClient(port: https.port, made: authorities[round % 2]), "round \(round)")
        }
    }
}
