import ODPDouble
import SessionKill
import XCTest

/// Sessions of clients through a double of ODP.
public struct ProxyClients: Sendable {
    private let clients: ClientSessions
    /// By which the double knows them.
    public let ids: [ThreadID]

    /// - Parameter user: such as `app@t1`.
    public static func open(
        _ count: Int, on odp: ODPDouble, as user: String = "app@t1", port: UInt16? = nil
    ) async throws -> ProxyClients {
        let clients = try await ClientSessions.open(count, port: port ?? odp.port, as: user)
        return ProxyClients(clients: clients, ids: await clients.threadIDs)
    }

    /// Those whose connection answers.
    public func answering() async -> [ThreadID] {
        var answering: [ThreadID] = []
        for (index, id) in ids.enumerated() where (try? await clients.run("DO 0", on: index)) != nil {
            answering.append(id)
        }
        return answering
    }

    public func assertAllAnswer(file: StaticString = #filePath, line: UInt = #line) async {
        let answering = await answering()
        XCTAssertEqual(answering, ids, "bystanders were hit", file: file, line: line)
    }

    /// Checks that all connections have ended, as the clients see it.
    public func assertAllEnded(file: StaticString = #filePath, line: UInt = #line) async {
        for (index, id) in ids.enumerated() {
            do {
                try await clients.run("DO 0", on: index)
                XCTFail("\(id) still answers", file: file, line: line)
            } catch let error as ClientError {
                // Lost connection, or gone away: no error of the ODP's.
                XCTAssertTrue([2_006, 2_013].contains(error.code), "\(error)", file: file, line: line)
            } catch {
                XCTFail("\(error)", file: file, line: line)
            }
        }
    }

    @discardableResult
    public func run(_ sql: String, on index: Int = 0) async throws -> [[String?]] {
        try await clients.run(sql, on: index)
    }
}
