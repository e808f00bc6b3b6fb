import Foundation
import MySQLSessions
import SessionKill
import TestSupport
import XCTest

final class ProcessListTests: XCTestCase {
    private struct Request: Encodable {
        struct Dimension: Encodable {
            var Dimension = "SqlTag"
            var Data: [String]?
        }
        var InstanceId = "cdb-test"
        var ID: UInt64?
        var User: String?
        var Host: String?
        var DB: String?
        var State: String?
        var Command: String?
        var Time: UInt64?
        var Info: String?
        var Limit: UInt64? = 1_000
        var Product: String?
        var StatDimensions: [Dimension]?
    }

    private struct Answer: Decodable {
        struct Response: Decodable {
            struct Process: Decodable {
                let ID: String
                let Host: String
                let Command: String
                let Time: String
                let Info: String
                let SqlType: String
            }
            struct Statistic: Decodable {
                struct Group: Decodable {
                    let Name: String
                    let TimeAvg: Double
                    let TimeSum: Double
                    let Count: Int
                }
                let Dimension: String
                let Data: [Group]
            }
            let ProcessList: [Process]
            let Statistics: [Statistic]?
        }
        let Response: Response
    }

    private func list(_ scene: Scene, _ request: Request) throws -> Answer.Response {
        let body = try scene.client.raw("DescribeMySqlProcessList", request)
        return try JSONDecoder().decode(Answer.self, from: Data(body.utf8)).Response
    }

    private func ids(_ scene: Scene, _ request: Request) throws -> Set<String> {
        Set(try list(scene, request).ProcessList.map(\.ID))
    }

    private func refusal(
        _ scene: Scene, _ request: some Encodable, version: String = "2021-05-27"
    ) throws -> String {
        try scene.client.raw("DescribeMySqlProcessList", request, version: version)
    }

    func testTellsWhatSessionsRunAndCountsThemByTheirTags() async throws {
        try await withKilld { scene in
            try await scene.administrator.query(RealServer.creation(of: "counted"))
            let sessions = try await ClientSessions.open(5, on: scene.server, as: "counted")
            let ids = await sessions.threadIDs.map(\.description)
            try await sessions.send("/* p = 2342 , f=abd */  select sleep(600)", on: 0)
            try await sessions.send("SELECT SLEEP(600) /*f=abd,p=2342*/", on: 1)
            try await sessions.send("/*f=xyz*/ DO SLEEP(600)", on: 2)
            try await sessions.send("SELECT SLEEP(600), '/*f=xyz*/'", on: 3)
            var request = Request(User: "counted", StatDimensions: [.init()])
            try await eventually("four running statements") {
                try self.list(scene, request).ProcessList.count { !$0.Info.isEmpty } == 4
            }
            let answer = try list(scene, request)
            let types = answer.ProcessList.reduce(into: [:]) { $0[$1.ID] = $1.SqlType }
            let select = "SQLSelectStatement"
            XCTAssertEqual(ids.map { types[$0] }, [select, select, "", select, ""])
            let groups = try XCTUnwrap(answer.Statistics?.first?.Data)
            XCTAssertEqual(answer.Statistics?.map(\.Dimension), ["SqlTag"])
            XCTAssertEqual(groups.reduce(into: [:]) { $0[$1.Name] = $1.Count }, ["f=abd,p=2342": 2, "f=xyz": 1])
            for group in groups { XCTAssertEqual(group.TimeAvg * Double(group.Count), group.TimeSum) }

            // Whatever Limit is, and only what the filters select.
            request.Limit = 1
            request.StatDimensions = [.init(Data: ["[p=2342]"]), .init(Data: ["f=xyz", "p"]), .init(Data: ["[f]"])]
            let limited = try list(scene, request)
            XCTAssertEqual(limited.ProcessList.count, 1)
            XCTAssertEqual(limited.Statistics?.map { $0.Data.map(\.Count).reduce(0, +) }, [2, 0, 3])
            request.ID = UInt64(ids[0])
            XCTAssertEqual(try list(scene, request).Statistics?.map { $0.Data.map(\.Count) }, [[1], [], [1]])
            request.StatDimensions = nil
            XCTAssertNil(try list(scene, request).Statistics)
            request.StatDimensions = []
            XCTAssertEqual(try list(scene, request).Statistics?.count, 0)
        }
    }

    func testFindsSessionsByEveryFilterAndTakesEmptyOnesForNone() async throws {
        try await withKilld { scene in
            try await scene.administrator.query(RealServer.creation(of: "found"))
            try await scene.administrator.query("GRANT ALL ON d.* TO found@'%'")
            let sessions = try await ClientSessions.open(2, on: scene.server, as: "found")
            let ids = await sessions.threadIDs.map(\.description)
            try await sessions.run("USE d", on: 0)
            try await sessions.send("SELECT SLEEP(600), 'needle'", on: 1)
            try await eventually("a running statement") { try self.ids(scene, Request(Info: "'needle'")) == [ids[1]] }
            let all = try list(scene, Request(User: "found"))
            XCTAssertEqual(Set(all.ProcessList.map(\.ID)), Set(ids))
            let host = try XCTUnwrap(all.ProcessList.first { $0.ID == ids[0] }?.Host)
            let address = String(host.prefix { $0 != ":" })
            XCTAssertNotEqual(host, address)

            XCTAssertEqual(try self.ids(scene, Request(Host: host)), [ids[0]])
            XCTAssertEqual(try self.ids(scene, Request(User: "found", Host: address)), Set(ids))
            XCTAssertEqual(try self.ids(scene, Request(User: "found", DB: "d")), [ids[0]])
            XCTAssertEqual(try self.ids(scene, Request(User: "found", Command: "sleep")), [ids[0]])
            XCTAssertEqual(try self.ids(scene, Request(User: "found", State: "USER SLEEP")), [ids[1]])
            XCTAssertEqual(try self.ids(scene, Request(User: "found", Time: 1_000_000)), [])
            XCTAssertEqual(try self.ids(scene, Request(User: "found", Limit: 1)).count, 1)
            let empty = Request(User: "found", DB: "", State: "", Command: "", Info: "")
            XCTAssertEqual(try self.ids(scene, empty), Set(ids))
        }
    }

    func testTheLongestComeFirst() async throws {
        try await withKilld { scene in
            let times = try list(scene, Request()).ProcessList.compactMap { Int64($0.Time) }
            XCTAssertGreaterThanOrEqual(times.count, 10)
            XCTAssertEqual(times, times.sorted(by: >))
            XCTAssertEqual(try list(scene, Request(Limit: nil)).ProcessList.count, min(20, times.count))
        }
    }

    func testRefusesWhatIsNoSensibleQuestion() async throws {
        try await withKilld { scene in
            let refused: [(Request, String)] = [
                (Request(StatDimensions: [.init(Dimension: "User")]), "`StatDimensions.0.Dimension`"),
                (Request(StatDimensions: [.init(Data: ["[p"])]), "The value `[p` specified in the parameter `Stat"),
                (Request(StatDimensions: [.init(), .init(Data: ["[p]", "[p"])]), "`StatDimensions.1.Data.1`"),
                (Request(StatDimensions: [.init(Data: Array(repeating: "p", count: 101))]), "`StatDimensions.0.Data`"),
                (Request(StatDimensions: Array(repeating: .init(), count: 11)), "`StatDimensions`"),
                (Request(Limit: 0), "`0` specified in the parameter `Limit`"),
                (Request(Product: "mariadb"), "`mariadb` specified in the parameter `Product`"),
                (Request(InstanceId: "cdb-none"), "InstanceId is invalid"),
            ]
            for (request, words) in refused {
                let body = try refusal(scene, request)
                XCTAssertTrue(body.contains(#""Code":"InvalidParameterValue""#) && body.contains(words), body)
            }
        }
    }

    func testStatisticsAreOfThePresentVersionOnly() async throws {
        try await withKilld { scene in
            let body = try refusal(scene, Request(StatDimensions: []), version: "2019-10-16")
            XCTAssertTrue(body.contains("The parameter `StatDimensions` is not recognized."), body)
            let schema = try await VendorSchema(version: "2019-10-16")
            for request in [Request(), Request(User: "killd", Host: "", Time: 0, Limit: 5, Product: "mysql")] {
                let body = try refusal(scene, request, version: "2019-10-16")
                try schema.assertDescribes(body, as: "DescribeMySqlProcessListResponse")
            }
        }
    }

    func testItsAnswersAreOfTheVendorsTypes() async throws {
        try await withKilld { scene in
            let schema = try await VendorSchema(version: "2021-05-27")
            let session = try await ClientSessions.open(1, on: scene.server)
            try await session.send("/*a=1*/ SELECT SLEEP(600)")
            try await eventually("the statement") {
                try self.list(scene, Request(StatDimensions: [.init()])).Statistics?.first?.Data.isEmpty == false
            }
            let body = try scene.client.raw("DescribeMySqlProcessList", Request(StatDimensions: [.init()]))
            try schema.assertDescribes(body, as: "DescribeMySqlProcessListResponse")
        }
    }
}
