import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// Law 3: what stands for an id in `Threads`, as JSON text.
final class OnlyDecimalIDsTests: XCTestCase {
    private typealias Case = (text: String, codes: Set<String>)

    /// - Parameter id: of a session that is there, which MySQL takes several of these for when they stand in KILL.
    private static func cases(near id: Int64) -> [Case] {
        let wrap: Int64 = 1 << 32
        let outOfRange: Set = ["InvalidParameterValue"]
        let wrongType: Set = ["InvalidParameter"]
        // Beyond the API's int64 it can be called either.
        let beyond = outOfRange.union(wrongType)
        return [
            ("0", outOfRange),
            ("-0", outOfRange),
            ("-1", outOfRange),
            ("\(-id)", outOfRange),
            ("\(id - wrap)", outOfRange),
            ("\(wrap)", outOfRange),
            ("\(wrap + id)", outOfRange),
            ("\(2 * wrap + id)", outOfRange),
            ("9223372036854775807", outOfRange),
            ("-9223372036854775808", outOfRange),
            ("9223372036854775808", beyond),
            ("-9223372036854775809", beyond),
            ("18446744073709551615", beyond),
            // 2^64 + id: 2^64 is 18446744073709551616.
            ("1844674407370\(9_551_616 + id)", beyond),
            ("\(String(repeating: "9", count: 400))", beyond),
            ("\(id).4", wrongType),
            ("\(id).0", wrongType),
            ("\(id)e0", wrongType),
            ("1e2", wrongType),
            ("1e400", wrongType),
            (#""\#(id)""#, wrongType),
            (#""\#(id)x""#, wrongType),
            (#""text""#, wrongType),
            (#"" \#(id) OR 1=1""#, wrongType),
            ("true", wrongType),
            ("[\(id)]", wrongType),
            (#"{"id":\#(id)}"#, wrongType),
            // The API's way with null everywhere: it counts as absent.
            ("null", ["MissingParameter"]),
        ]
    }

    func testWhatIsNoThreadIDIsRefusedByNameAndKillsNobody() async throws {
        try await withKilld { scene in
            let victim = try await ClientSessions.open(1, on: scene.server)
            let id = await Int64(victim.threadIDs[0].rawValue)
            let killsBefore = try await scene.killsRun()
            for (text, codes) in Self.cases(near: id) {
                // First as the only one, then behind a good one, which must not be pinned alone.
                for (threads, name) in [("[\(text)]", "`Threads.0`"), ("[\(id),\(text)]", "`Threads.1`")] {
                    let answer = try scene.client.prepare(threadsText: threads)
                    let code = answer.Error?.Code ?? "none"
                    XCTAssertTrue(codes.contains(code), "\(threads): \(answer)")
                    assertRefused(answer, code, name)
                }
            }
            try await scene.assertKillsRun(0, since: killsBefore)
            await victim.assertAllAnswer()
        }
    }

    func testWhatIsNoListOfThreadIDsIsRefusedByName() async throws {
        let cases: [(text: String, code: String)] = [
            ("7", "InvalidParameter"),
            (#""7""#, "InvalidParameter"),
            (#"{"0":7}"#, "InvalidParameter"),
            ("true", "InvalidParameter"),
            ("[]", "InvalidParameterValue"),
            ("null", "MissingParameter"),
        ]
        try await withKilld { scene in
            for (text, code) in cases {
                assertRefused(try scene.client.prepare(threadsText: text), code, "`Threads`")
            }
        }
    }

    func testTheLargestThreadIDIsNobodyElses() async throws {
        try await withKilld { scene in
            let victim = try await ClientSessions.open(1, on: scene.server)
            let planned = await victim.threadIDs
            let killsBefore = try await scene.killsRun()
            let ticket = try scene.client.prepare(threadsText: "[4294967295,\(planned[0])]").ticket()
            XCTAssertEqual(try scene.client.commit(ticket).Threads, planned)
            try await scene.assertKillsRun(1, since: killsBefore)
            await victim.assertNoneAnswers()
        }
    }
}
