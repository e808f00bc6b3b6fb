import Foundation
import SessionKill
import XCTest

final class DatabaseLoginTests: XCTestCase {
    private let text = "hunter2 & Co"

    func testAPasswordIsShownByNothingThatHoldsIt() throws {
        struct Request: Decodable {
            let password: DatabasePassword
        }
        let password = DatabasePassword(text)
        let request = try JSONDecoder().decode(Request.self, from: Data(#"{"password":"hunter2 & Co"}"#.utf8))
        XCTAssertEqual(request.password, password)
        XCTAssertEqual(request.password.reveal(), text)
        let holders: [Any] = [
            password, request, try DatabaseLogin(user: "u", password: password), [password], ["key": password],
            Optional(password) as Any,
        ]
        for holder in holders {
            var dumped = ""
            dump(holder, to: &dumped)
            for shown in [dumped, "\(holder)", String(describing: holder), String(reflecting: holder)] {
                XCTAssertFalse(shown.contains("hunter"), shown)
            }
        }
        XCTAssertTrue(Mirror(reflecting: password).children.isEmpty)
    }

    /// Client libraries end texts at a NUL, cut long ones, and put somebody in for nobody.
    func testWhatClientLibrariesWouldChangeIsNoLogin() {
        func defect(_ user: String, _ password: String) -> DatabaseLogin.Defect? {
            do throws(DatabaseLogin.Defect) {
                _ = try DatabaseLogin(user: user, password: DatabasePassword(password))
                return nil
            } catch {
                return error
            }
        }
        let long = String(repeating: "x", count: 512)
        XCTAssertNil(defect("u", ""))
        XCTAssertNil(defect(long, long))
        for user in ["", "root\0", long + "x"] { XCTAssertEqual(defect(user, "p"), .user) }
        for password in ["\0", "right\0wrong", long + "x"] { XCTAssertEqual(defect("u", password), .password) }
    }
}
