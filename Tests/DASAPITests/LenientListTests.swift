import Parameters
import SessionKill
import XCTest

@testable import DASAPI

final class LenientListTests: XCTestCase {
    private func users(_ text: String) throws -> Set<String> { try UserList(text: text).users }
    private func ids(_ text: String) throws -> [UInt32] { try SessionIDList(text: text).threads.map(\.rawValue) }

    func testUsersStandInQuotationMarksOfEitherKind() throws {
        for text in [
            "['db_user1','db_user2']", #"["db_user1","db_user2"]"#, #" [ 'db_user1' , "db_user2" ] "#,
            "[\t'db_user1'\n,\r'db_user2']", #"["db\u005Fuser1","db_user2","db_user1"]"#,
        ] { XCTAssertEqual(try users(text), ["db_user1", "db_user2"], text) }
        XCTAssertEqual(try users("[]"), [])
        XCTAssertEqual(try users(#"["it's",'a"b','it\'s']"#), ["it's", "a\"b"])
        XCTAssertEqual(
            try users(#"["J\u00fcrgen","\ud83d\ude00","日本","a,b]","c\\d","e\/f"]"#),
            ["Jürgen", "😀", "日本", "a,b]", "c\\d", "e/f"])
    }

    func testWhatIsNoListOfUsersIsRefused() {
        let long = String(repeating: "u", count: 513)
        for text in [
            "", "app", "app,app2", "[app]", "['app'", "'app'", "['app',]", "[,'app']", "['app' 'app2']", "['app'];",
            "[' ']", "['app','\u{3000}']",
            "['app']]", "[['app']]", "['app\"]", "[1]", "[null]", "['']", #"["a\nb"]"#, #"["\u0000"]"#, #"["\u00g0"]"#,
            #"["\u+041"]"#, #"["\ud83d"]"#, #"["\ud83dx"]"#, #"["\ude00"]"#, "['\u{1}']", "['a\\", "{'a'}",
            "['\(long)']",
            "[" + String(repeating: "'a',", count: 1_000) + "'a']", "['\(String(repeating: " ", count: 70_000))']",
            "['app'\u{0}]", "\u{FEFF}['app']", "[‘app’]",
        ] { XCTAssertThrowsError(try users(text), String(text.prefix(40))) }
    }

    func testIdsStandWithAndWithoutQuotationMarks() throws {
        XCTAssertEqual(try ids("[10805639,10805623]"), [10_805_639, 10_805_623])
        XCTAssertEqual(try ids(#"['1', "2", 3]"#), [1, 2, 3])
        XCTAssertEqual(try ids("[4294967295]"), [.max])
        XCTAssertEqual(try ids("[]"), [])
    }

    func testIdsThatAServerWouldTakeForOthersAreRefused() {
        for text in [
            "[0]", "[4294967296]", "[4294967297]", "[18446744073709551617]", "[-1]", "[+1]", "[1.0]", "[1e3]", "[0x10]",
            "[01]", "['']", "[' 1']", "['1 ']", "['1;KILL 2']", "[1 2]", "[1,]", "1", "1,2", "[١]", "['１']", "[true]",
            "[[1]]", "[\(String(repeating: "9", count: 400))]", "['1'+'2']",
        ] { XCTAssertThrowsError(try ids(text), text) }
    }

    func testAJSONBodyMayHaveListsInTheirPlace() throws {
        struct Request: Decodable {
            var IgnoredUsers: UserList?
            var SessionIds: SessionIDList?
        }
        func read(_ json: String) throws -> Request {
            try ParameterDecoder().decode(Request.self, from: ParameterTree(json: Array(json.utf8)))
        }
        let request = try read(#"{"IgnoredUsers":["app"],"SessionIds":[1,"2"]}"#)
        XCTAssertEqual(try request.IgnoredUsers?.users, ["app"])
        XCTAssertEqual(try request.SessionIds?.threads.map(\.rawValue), [1, 2])
        XCTAssertEqual(try read(#"{"SessionIds":"[1,2]"}"#).SessionIds?.threads.map(\.rawValue), [1, 2])
        for json in [
            #"{"SessionIds":[4294967297]}"#, #"{"SessionIds":[-1]}"#, #"{"SessionIds":1}"#, #"{"SessionIds":[null]}"#,
            #"{"SessionIds":[1.5]}"#, #"{"IgnoredUsers":[1]}"#, #"{"IgnoredUsers":[""]}"#, #"{"IgnoredUsers":{}}"#,
        ] {
            let request = try read(json)
            XCTAssertThrowsError(try (request.IgnoredUsers?.users, request.SessionIds?.threads), json) {
                XCTAssertEqual(($0 as? DASError)?.code, "InvalidParams")
            }
        }
    }
}
