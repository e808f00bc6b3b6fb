import Foundation
import MySQLSessions
import PrivateDatabase
import SessionKill
import TestSupport
import XCTest

/// DescribeDiagDBInstances and DescribeDBInstances.
final class InstanceListTests: XCTestCase {
    private struct Request: Encodable {
        var IsSupported: Bool? = true
        var Product: String? = "mysql"
        var Offset: Int64? = 0
        var Limit: Int64? = 20
        var InstanceNames: [String]?
        var InstanceIds: [String]?
        var Regions: [String]?
    }

    private struct Answer: Decodable {
        struct Response: Decodable {
            struct Item: Decodable {
                let InstanceId: String
                let InstanceName: String?
                let Product: String
                let Region: String
                let EngineVersion: String?
                let Status: Int?
                let CreateTime: String?
                let Vip: String?
                let Vport: Int?
                let InstanceStatus: String?
                let AgentStatus: String?
            }
            let TotalCount: Int?
            let Items: [Item]
        }
        let Response: Response
    }

    private func list(_ scene: Scene, _ request: Request) throws -> Answer.Response {
        let body = try scene.client.raw("DescribeDiagDBInstances", request)
        return try JSONDecoder().decode(Answer.self, from: Data(body.utf8)).Response
    }

    private func ids(_ scene: Scene, _ request: Request) throws -> [String] {
        try list(scene, request).Items.map(\.InstanceId)
    }

    /// On one server, five instances, the last of them of the other product.
    private func withFiveInstances(_ body: (Scene) async throws -> Void) async throws {
        let configure = { (configuration: inout KilldConfiguration) in
            configuration.instances = (1...5).map { number in
                var instance = configuration.instances[0]
                instance.id = "cdb-\(number)"
                instance.name = "orders \(number)"
                instance.region = number == 2 ? "ap-shanghai" : nil
                instance.product = number == 5 ? "cynosdb" : nil
                return instance
            }
            configuration.accounts.append(.init(name: "other"))
            configuration.accounts[1].instances = ["cdb-1", "cdb-5"]
        }
        try await withKilld(configure: configure, body)
    }

    func testTellsWhatTheServerTells() async throws {
        try await withKilld { scene in
            let item = try XCTUnwrap(list(scene, Request()).Items.first)
            XCTAssertEqual(item.InstanceId, "cdb-test")
            XCTAssertEqual(item.InstanceName, "cdb-test")
            XCTAssertEqual(item.Product, "MySQL")
            XCTAssertEqual(item.Region, "ap-guangzhou")
            XCTAssertEqual(item.Vip, "127.0.0.1")
            XCTAssertEqual(item.Vport, Int(scene.server.database.port))
            XCTAssertEqual(item.Status, 1)
            XCTAssertEqual(item.InstanceStatus, "attached")
            XCTAssertEqual(item.AgentStatus, "not_deployed")
            let answers = try await scene.administrator.query(
                "SELECT VERSION(), UNIX_TIMESTAMP(); SHOW GLOBAL STATUS LIKE 'Uptime'")
            XCTAssertEqual(item.EngineVersion, answers[0].rows[0][0])
            let format = DateFormatter()
            format.dateFormat = "yyyy-MM-dd HH:mm:ss"
            format.locale = Locale(identifier: "en_US_POSIX")
            format.timeZone = TimeZone(identifier: "Asia/Shanghai")
            let shown = try XCTUnwrap(item.CreateTime.flatMap { format.date(from: $0) }, "\(item)")
            let now = try XCTUnwrap(answers[0].rows[0][1].flatMap { Double($0) })
            let uptime = try XCTUnwrap(answers[1].rows[0][1].flatMap { Double($0) })
            XCTAssertEqual(shown.timeIntervalSince1970, now - uptime, accuracy: 2)
        }
    }

    func testPagesThroughTheConfigurationsOrder() async throws {
        try await withFiveInstances { scene in
            XCTAssertEqual(try ids(scene, Request()), ["cdb-1", "cdb-2", "cdb-3", "cdb-4"])
            XCTAssertEqual(try ids(scene, Request(Offset: 1, Limit: 2)), ["cdb-2", "cdb-3"])
            let last = try list(scene, Request(Offset: 3, Limit: 100))
            XCTAssertEqual(last.Items.map(\.InstanceId), ["cdb-4"])
            XCTAssertEqual(last.TotalCount, 4)
            let beyond = try list(scene, Request(Offset: Int64.max))
            XCTAssertEqual(beyond.Items.count, 0)
            XCTAssertEqual(beyond.TotalCount, 4)
        }
    }

    func testFindsInstancesByNameIdRegionAndProduct() async throws {
        try await withFiveInstances { scene in
            let empty: [String] = []
            let names = ["orders 4", "orders 2", "orders"]
            XCTAssertEqual(try ids(scene, Request(InstanceNames: names)), ["cdb-2", "cdb-4"])
            XCTAssertEqual(try ids(scene, Request(InstanceIds: ["cdb-3", "cdb-9", "cdb-5"])), ["cdb-3"])
            XCTAssertEqual(try ids(scene, Request(Regions: ["ap-shanghai"])), ["cdb-2"])
            XCTAssertEqual(try ids(scene, Request(InstanceIds: ["cdb-1"], Regions: ["ap-shanghai"])), [])
            XCTAssertEqual(
                try ids(scene, Request(InstanceNames: empty, InstanceIds: empty, Regions: empty)).count, 4)
            let cynosdb = try list(scene, Request(Product: "cynosdb"))
            XCTAssertEqual(cynosdb.Items.map(\.Product), ["CynosDB"])
            XCTAssertEqual(cynosdb.Items.map(\.InstanceId), ["cdb-5"])
            for product in ["redis", "dbbrain-mysql", "mongodb"] {
                let answer = try list(scene, Request(Product: product))
                XCTAssertEqual(answer.Items.count, 0)
                XCTAssertEqual(answer.TotalCount, 0)
            }
        }
    }

    func testShowsAnAccountItsOwnInstancesOnly() async throws {
        try await withFiveInstances { scene in
            let client = try SigningClient(scene.killd, as: scene.killd.configuration.accounts[1])
            let body = try client.raw("DescribeDiagDBInstances", Request())
            let answer = try JSONDecoder().decode(Answer.self, from: Data(body.utf8)).Response
            XCTAssertEqual(answer.Items.map(\.InstanceId), ["cdb-1"])
            XCTAssertEqual(answer.TotalCount, 1)

            let named = try client.raw(
                "DescribeDBInstances", ["InstanceIds": ["cdb-5", "cdb-2", "cdb-9", "cdb-1", "cdb-5"]])
            let items = try JSONDecoder().decode(Answer.self, from: Data(named.utf8)).Response.Items
            XCTAssertEqual(items.map(\.InstanceId), ["cdb-5", "cdb-1"])
            XCTAssertEqual(items.map(\.Product), ["CynosDB", "MySQL"])
            XCTAssertEqual(items.map(\.Status), [1, 1])
            XCTAssertNotNil(items[1].EngineVersion)
        }
    }

    func testADeadServerNeitherDelaysNorBreaksTheList() async throws {
        let silent = SilentListener()
        let closed = try PrivateDatabase.freePort()
        let configure = { (configuration: inout KilldConfiguration) in
            let answering = configuration.instances[0]
            configuration.instances = ["cdb-a", "cdb-b", "cdb-c", "cdb-d"].map { id in
                var instance = answering
                instance.id = id
                return instance
            }
            configuration.instances[0].port = silent.port
            configuration.instances[1].port = closed
            configuration.instances[2].user = "nobody"
        }
        try await withKilld(configure: configure) { scene in
            let clock = ContinuousClock()
            // Only the page is looked at. Whoever looks at all is the one who waits for the server that says nothing.
            let page = try clock.measure { XCTAssertEqual(try ids(scene, Request(Offset: 3, Limit: 1)), ["cdb-d"]) }
            for round in 0..<3 {
                var items: [Answer.Response.Item] = []
                let whole = try clock.measure { items = try list(scene, Request()).Items }
                if round == 0 { XCTAssertLessThan(page, whole) }
                // It is unknown after two seconds; after the five of a connection it would be failed.
                XCTAssertEqual(items.map(\.InstanceStatus), ["unknown", "failed", "failed", "attached"])
                XCTAssertEqual(items.map(\.Status), [0, 0, 0, 1])
                XCTAssertEqual(items.prefix(3).map(\.EngineVersion), ["", "", ""])
                XCTAssertEqual(items.prefix(3).map(\.CreateTime), ["", "", ""])
            }
            let body = try scene.client.raw("DescribeDBInstances", ["InstanceIds": ["cdb-d", "cdb-b", "cdb-a"]])
            let items = try JSONDecoder().decode(Answer.self, from: Data(body.utf8)).Response.Items
            XCTAssertEqual(items.map(\.InstanceId), ["cdb-d", "cdb-b", "cdb-a"])
            XCTAssertEqual(items.map(\.Status), [1, nil, nil])
        }
    }

    /// What is missing then is missing for kills, and not for this.
    func testAnAccountWithoutPrivilegesIsEnoughForTheVersion() async throws {
        try await withKilld {
            $0.instances[0].user = "app"
        } _: { scene in
            XCTAssertEqual(try list(scene, Request()).Items.map(\.InstanceStatus), ["attached"])
        }
    }

    func testRefusesWhatIsNoSensibleQuestion() async throws {
        try await withKilld { scene in
            let refused: [(Request, String, String)] = [
                (Request(IsSupported: nil), "MissingParameter", "`IsSupported`"),
                (Request(Product: nil), "MissingParameter", "`Product`"),
                (Request(Offset: nil), "MissingParameter", "`Offset`"),
                (Request(Limit: nil), "MissingParameter", "`Limit`"),
                (Request(IsSupported: false), "InvalidParameterValue", "`IsSupported`"),
                (Request(Product: "MySQL"), "InvalidParameterValue", "`Product`"),
                (Request(Offset: -1), "InvalidParameterValue", "`Offset`"),
                (Request(Limit: 0), "InvalidParameterValue", "`Limit`"),
                (Request(Limit: 101), "InvalidParameterValue", "`Limit`"),
            ]
            for (request, code, words) in refused {
                let body = try scene.client.raw("DescribeDiagDBInstances", request)
                XCTAssertTrue(body.contains("\"\(code)\"") && body.contains(words), body)
            }
            for count in [0, 101] {
                let ids = Array(repeating: "cdb-test", count: count)
                let body = try scene.client.raw("DescribeDBInstances", ["InstanceIds": ids])
                XCTAssertTrue(body.contains("InvalidParameterValue") && body.contains("`InstanceIds`"), body)
            }
            let redis = try scene.client.raw(
                "DescribeDiagDBInstances", Request(Product: "redis"), version: "2019-10-16")
            XCTAssertTrue(redis.contains("InvalidParameterValue") && redis.contains("`Product`"), redis)
        }
    }

    func testItNeedsTheRightToList() async throws {
        try await withKilld {
            $0.accounts[0].may = ["prepare", "commit"]
        } _: { scene in
            for body in [
                try scene.client.raw("DescribeDiagDBInstances", Request()),
                try scene.client.raw("DescribeDBInstances", ["InstanceIds": ["cdb-test"]]),
            ] {
                XCTAssertTrue(body.contains("AuthFailure.UnauthorizedOperation"), body)
            }
        }
    }

    func testItsAnswersAreOfTheVendorsTypes() async throws {
        let closed = try PrivateDatabase.freePort()
        try await withKilld {
            $0.instances.append($0.instances[0])
            $0.instances[1].id = "cdb-dead"
            $0.instances[1].port = closed
        } _: { scene in
            for version in ["2021-05-27", "2019-10-16"] {
                let schema = try await VendorSchema(version: version)
                let body = try scene.client.raw("DescribeDiagDBInstances", Request(), version: version)
                try schema.assertDescribes(body, as: "DescribeDiagDBInstancesResponse")
                XCTAssertTrue(body.contains(#""KeyDelimiters":[]"#), body)
            }
            let body = try scene.client.raw("DescribeDBInstances", ["InstanceIds": ["cdb-test", "cdb-dead"]])
            try await VendorSchema(version: "2021-05-27").assertDescribes(body, as: "DescribeDBInstancesResponse")
        }
    }
}
