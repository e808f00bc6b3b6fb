import RequestSigning
import XCTest

final class ServerNameTests: XCTestCase {
    func testIsAHostWithOrWithoutAPort() throws {
        for text in [
            "dbbrain.internal.example", "killd", "kill_d", "10.0.0.9", "KillD.example", "[::1]", "[fd00::1]:8155",
            "killd:1", "killd:65535",
        ] {
            XCTAssertNoThrow(try ServerName(text), text)
        }
    }

    func testSaysWhatIsWrongWithATextThatIsNone() {
        let texts: [(text: String, error: ServerNameError)] = [
            ("", .notVisibleASCII), (" killd", .notVisibleASCII), ("kill d", .notVisibleASCII),
            ("killd\n", .notVisibleASCII), ("k\u{ED}lld", .notVisibleASCII),
            ("http://killd", .scheme), ("https://killd:443/", .scheme),
            ("killd/", .path), ("killd:8155/dbbrain", .path), ("killd?x", .path),
            (":8155", .notAHost), ("me@killd", .notAHost), ("*.example", .notAHost), ("[::1", .notAHost),
            ("[]", .notAHost), ("[killd]", .notAHost),
            ("::1", .notAHost), ("fd00::1", .notAPort), ("killd:", .notAPort), ("killd:0", .notAPort),
            ("killd:080", .notAPort), ("killd:65536", .notAPort), ("killd:http", .notAPort), ("[::1]8155", .notAPort),
        ]
        for (text, expected) in texts {
            XCTAssertThrowsError(try ServerName(text), text) { error in
                XCTAssertEqual(error as? ServerNameError, expected, text)
            }
        }
    }

    func testANameWithAPortStandsForItselfAlone() throws {
        let names = ServerNames([try ServerName("kill.internal.example:8443")], ports: [8155])
        let verdicts = try [
            ("kill.internal.example:8443", SignatureVerdict.verified), ("kill.internal.example", .mismatched),
            ("kill.internal.example:8155", .mismatched), ("kill.internal.example:443", .mismatched),
        ].map { signedHost, expected in
            let client = SigningClient().with {
                $0.host = "10.0.0.9"; $0.signedHost = signedHost
            }
            let request = try TC3SignedRequest(try client.request(), signedHosts: names)
            return (signedHost, try request.verify(secretKey: client.secretKey, at: client.timestamp), expected)
        }
        for (signedHost, verdict, expected) in verdicts { XCTAssertEqual(verdict, expected, signedHost) }
    }

    func testAPortThatAProxyTellsIsTriedToo() throws {
        let client = SigningClient().with {
            $0.host = "10.0.0.9"; $0.signedHost = "kill.internal.example:9443"
        }
        for (ports, expected) in [
            ([8155], .mismatched), ([8155, 9443], .verified),
        ] as [([UInt16], SignatureVerdict)] {
            let names = ServerNames([try ServerName("kill.internal.example")], ports: ports)
            let request = try TC3SignedRequest(try client.request(), signedHosts: names)
            XCTAssertEqual(try request.verify(secretKey: client.secretKey, at: client.timestamp), expected)
        }
    }
}
