import MySQLSessions

/// Runs `body` while a server's `max_connections` is used up, the place for an administrator included.
///
/// Who was connected before still is.
public func withFullServer(_ server: RealServer, _ body: () async throws -> Void) async throws {
    let root = try await server.administrator()
    try await root.query("SET GLOBAL max_connections=12")
    var sessions: [ClientSessions] = []
    for user in ["app", "killd"] {
        while sessions.count < 40, let session = try? await ClientSessions.open(1, on: server, as: user) {
            sessions.append(session)
        }
    }
    let result = await Result { try await body() }
    try await root.query("SET GLOBAL max_connections=2000")
    await root.close()
    try result.get()
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
