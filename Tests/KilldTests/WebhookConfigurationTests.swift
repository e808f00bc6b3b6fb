import Foundation
import XCTest

@testable import Webhooks
@testable import killd

/// What a configuration says of webhooks is taken as it is meant, or refused in words that name the key and no secret.
final class WebhookConfigurationTests: XCTestCase {
    private func read(_ webhooks: String, top: String = "") throws -> WebhookConfiguration {
        let account = #"{"name":"a","uin":"1","secretId":"b","secretKey":"c","may":["*"],"instances":["*"]}"#
        let json = #"""
            {\#(top)"accounts":[\#(account)],"instances":[{"id":"x","host":"h","user":"u"}],"webhooks":\#(webhooks)}
            """#
        return try Configuration(json: Array(json.utf8), folder: "/nowhere").webhooks
    }

    private func error(_ webhooks: String, top: String = "") -> String {
        do {
            _ = try read(webhooks, top: top)
            return ""
        } catch {
            return "\(error)"
        }
    }

    func testAWebhookHasTheDocumentedDefaults() throws {
        let target = try XCTUnwrap(read(#"[{"format":"slack","url":"https://hooks.example/s3cr3t"}]"#).targets.first)
        XCTAssertEqual(target.name, "slack")
        XCTAssertEqual(target.kinds, Notice.Kind.usual)
        XCTAssertFalse(target.kinds.contains(.claimed))
        XCTAssertEqual(target.language, .english)
        XCTAssertFalse(target.isInsecure)
        XCTAssertTrue(target.allowed.isEmpty)
    }

    func testWhatIsWrongIsNamedAndNoSecretShown() {
        let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        let wrong: [(String, String)] = [
            (#"[{"url":"https://h/s3cr3t"}]"#, "webhooks.0.format: missing"),
            (#"[{"format":"teams","url":"https://h/s3cr3t"}]"#, "webhooks.0.format: expected one of"),
            (#"[{"format":"slack"}]"#, "webhooks.0.url: missing"),
            (#"[{"format":"slack","url":"ftp://h/s3cr3t"}]"#, "webhooks.0.url: expected https://"),
            (#"[{"format":"slack","url":"https://u:s3cr3t@h/"}]"#, "webhooks.0.url: expected https://"),
            (#"[{"format":"slack","url":"http://h/s3cr3t"}]"#, "webhooks.0.url: is plain http to another machine"),
            (#"[{"format":"slack","url":"https://h/","secret":"s3cr3t"}]"#, "webhooks.0.secret: messages to slack"),
            (#"[{"format":"standard","url":"https://h/s3cr3t"}]"#, "webhooks.0.secret: missing"),
            (#"[{"format":"standard","url":"https://h/","secret":"s3cr3t"}]"#, "webhooks.0.secret: expected whsec_"),
            (#"[{"format":"feishu","url":"https://h/","secret":null}]"#, "webhooks.0.secret: null"),
            (#"[{"format":"slack","url":"https://h/","events":["killed"]}]"#, "webhooks.0.events: \"killed\" is none"),
            (#"[{"format":"slack","url":"https://h/","language":"zh"}]"#, "webhooks.0.language: expected one of"),
            (#"[{"format":"slack","url":"https://h/","allow":["h"]}]"#, "webhooks.0.allow: \"h\" is no IP address"),
            (
                #"[{"format":"slack","url":"https://h/1"},{"format":"slack","url":"https://h/2"}]"#,
                "webhooks.1.name: \"slack\" is used twice"
            ),
            ("[]", "webhooks: expected a list with at least one"),
        ]
        for (webhooks, words) in wrong {
            let error = error(webhooks)
            XCTAssertTrue(error.hasPrefix(words), "\(error) for \(webhooks)")
            XCTAssertFalse(error.contains("s3cr3t"), error)
        }
        XCTAssertEqual(error(#"[{"format":"standard","url":"https://h/","secret":"\#(key)"}]"#), "")
        XCTAssertEqual(error(#"[{"format":"slack","url":"http://h/","insecure":true}]"#), "")
        for loopback in ["127.0.0.1", "localhost", "[::1]"] {
            XCTAssertEqual(error(#"[{"format":"slack","url":"http://\#(loopback):1/"}]"#), "")
        }
    }

    func testThePublicURLIsAPlainAddressWithoutASlashAtItsEnd() throws {
        let slack = #"[{"format":"slack","url":"https://h/"}]"#
        XCTAssertEqual(
            try read(slack, top: #""publicURL":"https://k.example/killd/","#).publicURL, "https://k.example/killd")
        for wrong in ["killd.example", "https://k/?a", "https://k/#a", "javascript:alert(1)", "https://k/ a"] {
            XCTAssertTrue(error(slack, top: #""publicURL":"\#(wrong)","#).hasPrefix("publicURL: expected"), wrong)
        }
    }
}
