import HTTPServer
import TLS
import TestSupport
import XCTest

@testable import killd

/// The key `tls`.
final class TLSConfigurationTests: XCTestCase {
    private let made = Result { try TestCertificates() }

    private func read(_ tls: String) throws -> Configuration {
        let text = """
            {"tls":\(tls),
             "accounts":[{"name":"ci","uin":"1","secretId":"a","secretKey":"b","may":["*"],"instances":["*"]}],
             "instances":[{"id":"cdb-1","host":"127.0.0.1","user":"killd","password":"p"}]}
            """
        return try Configuration(json: Array(text.utf8), folder: made.get().folderPath)
    }

    func testItsPathsAreRelativeToTheFile() throws {
        XCTAssertNil(try read("null").tls)
        XCTAssertNotNil(try read(#"{"certificate":"server.pem","privateKey":"server.key"}"#).tls)
        let path = try made.get().folderPath
        XCTAssertNotNil(
            try read(
                #"{"certificate":"\#(path)/server.pem","privateKey":"server.key","clientCA":"authority.pem"}"#
            ).tls)
    }

    func testEveryMistakeNamesItsKeyAndWhatWasExpected() throws {
        let server = #""certificate":"server.pem","privateKey":"server.key""#
        let mistakes: [(tls: String, message: String)] = [
            ("true", "tls: expected an object"),
            ("{}", "tls.certificate: missing; expected the path of a PEM file"),
            (#"{"certificate":"server.pem"}"#, "tls.privateKey: missing; expected the path of a PEM file"),
            (#"{"certificate":1,"privateKey":"server.key"}"#, "tls.certificate: expected a text"),
            (#"{\#(server),"ca":"authority.pem"}"#, "tls.ca: there is no such key; known here: certificate, clientCA"),
            (#"{"certificate":"none","privateKey":"server.key"}"#, "tls.certificate: the file "),
            (#"{"certificate":"server.key","privateKey":"server.key"}"#, "holds no certificate in PEM form"),
            (#"{"certificate":"server.pem","privateKey":"server.pem"}"#, "tls.privateKey: the file "),
            (#"{"certificate":"server.pem","privateKey":"authority.key"}"#, "tls.privateKey: the key in the file "),
            (#"{\#(server),"clientCA":"server.key"}"#, "tls.clientCA: the file "),
        ]
        for (tls, message) in mistakes {
            XCTAssertThrowsError(try read(tls), tls) { error in
                XCTAssertTrue("\(error)".contains(message), "\(error) lacks \(message)")
            }
        }
    }

    func testACertificateThatHasExpiredIsTakenWithAWarning() throws {
        _ = try made.get().makeExpired()
        let tls = try XCTUnwrap(try read(#"{"certificate":"expired.pem","privateKey":"server.key"}"#).tls)
        XCTAssertEqual(tls.warnings.count, 1)
    }

    func testAReloadReplacesTheCertificateOrNothing() async throws {
        let store = try made.get().file("store.sqlite")
        func configuration(_ tls: String) throws -> Configuration {
            var configuration = try read(tls)
            configuration.listen = .init(host: "127.0.0.1", port: 0)
            configuration.store = store
            return configuration
        }
        func service(_ tls: String) async throws -> Service {
            try await Service(configuration(tls), log: .silent)
        }
        let tls = #"{"certificate":"server.pem","privateKey":"server.key"}"#
        let secure = try await service(tls)
        XCTAssertTrue(secure.endpoint.hasPrefix("https://127.0.0.1:"), secure.endpoint)
        try await secure.takeOver(configuration(tls))
        _ = try await assertThrows(ConfigurationError.self) { try await secure.takeOver(configuration("null")) }
        await secure.stop(within: .seconds(1))

        let plain = try await service("null")
        XCTAssertTrue(plain.endpoint.hasPrefix("http://127.0.0.1:"), plain.endpoint)
        try await plain.takeOver(configuration("null"))
        _ = try await assertThrows(ConfigurationError.self) { try await plain.takeOver(configuration(tls)) }
        await plain.stop(within: .seconds(1))
    }
}
