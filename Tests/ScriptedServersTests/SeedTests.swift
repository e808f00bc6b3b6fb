import ScriptedServers
import SessionKill
import XCTest

final class SeedTests: XCTestCase {
    func testTheStandardSeedIsAShopsServerWithProtectedSessionsAndAQueueBehindALock() throws {
        let seed = try Seed.standard()
        XCTAssertEqual(seed.instances.map(\.id), ["cdb-standin"])
        XCTAssertEqual(seed.accounts.map(\.name), ["standin", "alice", "bob", "ci"])
        let server = seed.instances[0].server
        XCTAssertGreaterThanOrEqual(server.sessions.count, 20)
        XCTAssertEqual(server.sessions.filter { $0.waitsFor != nil }.count, 4)
    }

    func testASeedComesBackFromItsOwnCoding() throws {
        for seed in [try Seed.standard(), try Seed.file("dies")] {
            XCTAssertEqual(try JSONDecoder().decode(Seed.self, from: JSONEncoder().encode(seed)), seed)
        }
    }

    // MARK: What is refused, and where

    private func assertRefused(
        _ json: String, _ path: String?, _ words: String, file: StaticString = #filePath, line: UInt = #line
    ) {
        XCTAssertThrowsError(try Seed(json: Array(json.utf8)), file: file, line: line) { error in
            guard let error = error as? SeedError else { return XCTFail("\(error)", file: file, line: line) }
            XCTAssertEqual(error.path, path, file: file, line: line)
            XCTAssertTrue("\(error)".contains(words), "\(error)", file: file, line: line)
        }
    }

    private func assertRefused(
        sessions: String, server: String = "{}", _ path: String, _ words: String, file: StaticString = #filePath,
        line: UInt = #line
    ) {
        assertRefused(
            #"{"instances":[{"id":"cdb-1","server":\#(server),"sessions":\#(sessions)}]}"#, "instances[0].\(path)",
            words,
            file: file, line: line)
    }

    func testWhatIsNoObjectOfJSONIsRefused() {
        assertRefused("", nil, "line 1, column 1")
        assertRefused("[]", nil, "expected an object")
        assertRefused("{\n  \"instances\": [,]\n}", nil, "line 2, column 17")
        assertRefused(#"{"instances":[],"instances":[]}"#, nil, "second time")
    }

    func testUnknownKeysAreRefusedByNameEverywhere() {
        assertRefused(#"{"instances":[{"id":"a"}],"sessions":[]}"#, "sessions", "known here: accounts, instances")
        assertRefused(#"{"instances":[{"id":"a","behavior":1}]}"#, "instances[0].behavior", "there is no such key")
        assertRefused(sessions: #"[{"id":1,"user":"a","behavior":"dies"}]"#, "sessions[0].behavior", "known here: ")
        assertRefused(
            sessions: #"[{"id":1,"user":"a","behaviour":{"dies":{"after":3}}}]"#, "sessions[0].behaviour.dies.after",
            "known here: afterLooks, afterSeconds")
        assertRefused(sessions: "[]", server: #"{"hang":1}"#, "server.hang", "known here: ")
        assertRefused(
            sessions: "[]", server: #"{"faults":[{"hangs":{"times":1}}]}"#, "server.faults[0].hangs.times", "known here"
        )
    }

    func testAnUnknownBehaviourIsRefusedWithTheOnesThatThereAre() {
        assertRefused(
            sessions: #"[{"id":1,"user":"a"},{"id":2,"user":"a","behaviour":"dyes"}]"#, "sessions[1].behaviour",
            "expected one of \"dies\", \"rollsBack\"")
        assertRefused(
            sessions: #"[{"id":1,"user":"a","behaviour":[{"dyes":{}}]}]"#, "sessions[0].behaviour[0]", "found \"dyes\"")
        assertRefused(
            sessions: #"[{"id":1,"user":"a","behaviour":{"dies":{},"statements":["x"]}}]"#, "sessions[0].behaviour",
            "an object with one of them")
        assertRefused(
            sessions: #"[{"id":1,"user":"a","behaviour":["dies","survives"]}]"#, "sessions[0].behaviour[1]",
            "does one thing when it is killed")
        assertRefused(sessions: "[]", server: #"{"faults":["hung"]}"#, "server.faults[0]", "\"hangs\"")
    }

    func testTwoOfOneNameAreRefused() {
        assertRefused(
            sessions: #"[{"id":7,"user":"a"},{"id":7,"user":"b"}]"#, "sessions[1].id", "7 is used twice")
        assertRefused(#"{"instances":[{"id":"a"},{"id":"a"}]}"#, "instances[1].id", "used twice")
        assertRefused(
            #"{"accounts":[{"name":"a","may":["*"]},{"name":"a","may":["*"]}],"instances":[{"id":"a"}]}"#,
            "accounts[1].name", "used twice")
        assertRefused(
            #"{"instances":[{"id":"a","nodes":[{"id":"n"},{"id":"n"}]}]}"#, "instances[0].nodes[1].id", "used twice")
    }

    func testIdsThatNoThreadCanHaveAreRefused() {
        for id in ["0", "-1", "4294967296", "1.0", "\"7\"", "true"] {
            assertRefused(
                sessions: #"[{"id":\#(id),"user":"a"}]"#, "sessions[0].id", "from 1 to 4294967295")
        }
        assertRefused(sessions: #"[{"user":"a"}]"#, "sessions[0].id", "missing; ")
    }

    func testALockOfNobodyIsRefused() {
        assertRefused(
            sessions: #"[{"id":1,"user":"a","waitsFor":2}]"#, "sessions[0].waitsFor", "there is no session 2")
        assertRefused(
            sessions: #"[{"id":1,"user":"a","waitsFor":1}]"#, "sessions[0].waitsFor", "nobody's lock but another's")
        assertRefused(
            sessions: #"[{"id":1,"user":"a","waitsFor":2},{"id":2,"user":"b"}]"#, "sessions[0].waitsFor",
            "session 2 holds nothing")
        assertRefused(
            sessions: #"[{"id":1,"user":"a","waitsFor":{"session":9,"kind":"row","object":"d.t"}}]"#,
            "sessions[0].waitsFor.session", "there is no session 9")
        assertRefused(
            sessions: #"[{"id":1,"user":"a","holds":[{"kind":"page"}]}]"#, "sessions[0].holds[0].kind", "\"row\"")
    }

    func testAccountsThatMayNothingOrWhosePlansNobodyCouldApproveAreRefused() {
        assertRefused(
            #"{"accounts":[{"name":"a","may":[]}],"instances":[{"id":"a"}]}"#, "accounts[0].may", "at least one of")
        assertRefused(
            #"{"accounts":[{"name":"a.b","may":["*"]}],"instances":[{"id":"a"}]}"#, "accounts[0].name", "letters")
        assertRefused(
            #"{"accounts":[{"name":"a","may":["*"]}],"instances":[{"id":"x","approvals":1}]}"#,
            "instances[0].approvals", "only 0 other person(s)")
    }

    func testServersThatCannotBeAreRefused() {
        assertRefused(sessions: "[]", server: #"{"guard":"query-id"}"#, "server.guard", "thread-id, list, list-before")
        assertRefused(sessions: "[]", server: #"{"lacks":["SUPER"]}"#, "server.lacks", "\"PROCESS\"")
        assertRefused(
            #"{"instances":[{"id":"a","kind":"oceanbase-odp","server":{"hostname":"db1"}}]}"#,
            "instances[0].server.hostname", "an address")
        assertRefused(#"{"instances":[{"id":"a","kind":"postgres"}]}"#, "instances[0].kind", "\"mariadb\"")
        assertRefused(sessions: #"[{"id":1,"user":"a","tenant":"t"}]"#, "sessions[0].tenant", "oceanbase-odp")
    }
}
