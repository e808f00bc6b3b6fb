import Foundation
import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

final class VerifyUserAccountTests: XCTestCase {
    private struct Request: Encodable {
        var InstanceId = "cdb-test"
        var User = "app"
        var Password = RealServer.password
        var Product: String?
    }

    private struct Answer: Decodable {
        struct Response: Decodable {
            let SessionToken: String
        }
        let Response: Response
    }

    private func verify(_ scene: Scene, _ request: some Encodable) throws -> String {
        try scene.client.raw("VerifyUserAccount", request)
    }

    private func assertRefused(
        _ body: String, _ code: String, _ words: String, file: StaticString = #filePath, line: UInt = #line
    ) {
        XCTAssertTrue(body.contains("\"Code\":\"\(code)\"") && body.contains(words), body, file: file, line: line)
    }

    private let refused = "The database server of the instance refused the login: please check `User` and `Password`."

    func testTheRightPasswordIsGivenATokenAndNoConnectionStays() async throws {
        try await withKilld { scene in
            try await scene.administrator.query(RealServer.creation(of: "verified"))
            var tokens: Set<String> = []
            for product in [nil, "mysql"] {
                let body = try verify(scene, Request(User: "verified", Product: product))
                let token = try JSONDecoder().decode(Answer.self, from: Data(body.utf8)).Response.SessionToken
                XCTAssertNotNil(token.wholeMatch(of: /QCth[0-9A-Za-z]{24}/), body)
                tokens.insert(token)
            }
            XCTAssertEqual(tokens.count, 2)
            try await eventually("the end of the connections") {
                try await !scene.sessions().values.contains("verified")
            }
            let body = try verify(scene, Request())
            try await VendorSchema(version: "2021-05-27").assertDescribes(body, as: "VerifyUserAccountResponse")
        }
    }

    func testAWrongPasswordIsRefusedInWordsAndStandsNowhere() async throws {
        try await withKilld { scene in
            for password in ["Tr0ub4dor&3", "Tr0ub4dor\0x", String(repeating: "Tr0ub4dor", count: 100)] {
                let body = try verify(scene, Request(Password: password))
                assertRefused(body, "FailedOperation", refused)
                XCTAssertFalse(body.contains("Tr0ub4dor"), body)
            }
            assertRefused(try verify(scene, Request(Password: RealServer.password + "\0x")), "FailedOperation", refused)
            assertRefused(try verify(scene, Request(User: "nobody")), "FailedOperation", refused)
            // Wherever it is put, by mistake or not.
            for request in [
                #"{"InstanceId":"cdb-test","User":"app","Password":["Tr0ub4dor"]}"#,
                #"{"InstanceId":"cdb-test","User":"app","Password":{"Tr0ub4dor":1}}"#,
                #"{"InstanceId":"cdb-test","Password":"Tr0ub4dor"}"#,
                #"{"InstanceId":"cdb-test","User":"app","Password":"Tr0ub4dor","Product":"redis"}"#,
                #"{"InstanceId":"cdb-other","User":"app","Password":"Tr0ub4dor"}"#,
            ] {
                let parameters = try JSONDecoder().decode([String: Fragment].self, from: Data(request.utf8))
                let body = try verify(scene, parameters)
                XCTAssertTrue(body.contains("\"Error\""), body)
                XCTAssertFalse(body.contains("Tr0ub4dor"), body)
            }
            // As the vendor's example sends it.
            let connection = try TestClient(port: scene.killd.port)
            connection.send(
                "GET /?Action=VerifyUserAccount&Password=Tr0ub4dor HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            XCTAssertEqual(connection.receive()?.contains("MissingParameter"), true)
            _ = try verify(scene, Request())
            let log = try await scene.killd.wholeLog()
            XCTAssertTrue(log.contains("VerifyUserAccount"))
            let store = String(decoding: try scene.killd.storeBytes(), as: UTF8.self)
            for secret in ["Tr0ub4dor"] + RealServer.passwordTraces {
                XCTAssertFalse(log.contains(secret), log)
                XCTAssertFalse(store.contains(secret))
            }
        }
    }

    /// Client libraries would put in the name of whoever runs killd.
    func testNobodyIsNoUser() async throws {
        try await withKilld { scene in
            assertRefused(
                try verify(scene, Request(User: "", Password: "")), "InvalidParameterValue", "`User`")
            assertRefused(try verify(scene, Request(User: "app\0")), "InvalidParameterValue", "`User`")
        }
    }

    func testAServerThatCannotBeReachedIsNotTakenForARefusal() async throws {
        let port = try PrivateDatabase.freePort()
        let killd = try await KilldProcess.start(KilldConfiguration(port: port))
        let body = try SigningClient(killd).raw("VerifyUserAccount", Request())
        assertRefused(body, "FailedOperation", "The database server of the instance cannot be reached: ")
        try await killd.stop()
    }

    func testThePasswordOfKilldsOwnAccountDoesNotMatter() async throws {
        try await withKilld {
            $0.instances[0].password = "wrong"
        } _: { scene in
            XCTAssertTrue(try verify(scene, Request()).contains("SessionToken"))
            assertRefused(try verify(scene, Request(Password: "wrong too")), "FailedOperation", refused)
        }
    }

    func testTheInstancesDemandForTLSHoldsForCallersToo() async throws {
        let server = try RealServer.shared(.mariadb)
        try await server.createAccounts()
        var configuration = KilldConfiguration(port: server.database.port)
        configuration.instances[0].tls = "required"
        try await withKilld(configuration, on: server) { scene in
            assertRefused(try verify(scene, Request()), "FailedOperation", "TLS is required")
        }
    }

    func testItNeedsTheInstanceAndTheRightToList() async throws {
        try await withKilld {
            $0.accounts[0].may = ["prepare"]
        } _: { scene in
            assertRefused(
                try verify(scene, Request()), "AuthFailure.UnauthorizedOperation", "dbbrain:VerifyUserAccount")
            assertRefused(
                try verify(scene, Request(InstanceId: "cdb-other")), "InvalidParameterValue", "InstanceId is invalid")
        }
    }

    /// Any JSON value.
    private enum Fragment: Codable {
        case text(String)
        case list([String])
        case object([String: Int])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                self = .text(text)
            } else if let list = try? container.decode([String].self) {
                self = .list(list)
            } else {
                self = .object(try container.decode([String: Int].self))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .list(let list): try container.encode(list)
            case .object(let object): try container.encode(object)
            }
        }
    }
}
