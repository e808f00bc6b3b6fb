import SessionKill

// In the words that a client of a real server has for them.
extension ServerError {
    static let connectionLost = ServerError(
        .connectionLost, code: 2_013, "a query: Lost connection to server during query (2013)")

    static let timedOut = ServerError(
        .timedOut, code: 2_013, "a query: the server was not done within 30 s (2013)")

    static let listIsPartial = ServerError(
        .privilegeMissing("PROCESS"), "the server shows killd's account its own sessions only")

    static let listIsPartialOnProxy = ServerError(
        .privilegeMissing("SHOW PROXYSESSION of all clients (tenant sys)"),
        "the ODP shows killd's account its own session only")

    static func timedOutConnecting(to server: ScriptedServerState) -> ServerError {
        ServerError(
            .timedOut, code: 2_013,
            "\(server.connecting(as: server.script.kind.ownUser)): the server was not done within 30 s (2013)")
    }

    /// - Parameter user: who wants to log in, or is.
    init(_ refusal: Seed.Fault.Refusal, _ user: String, _ server: ScriptedServerState) {
        let connecting = server.connecting(as: user)
        switch refusal {
        case .unreachable:
            self.init(
                .unreachable, code: 2_002,
                """
                \(connecting): Connection refused: nothing listens there; is the server running, and is the address the \
                one it listens at? (2002)
                """)
        case .tooManyConnections:
            self.init(.tooManyConnections, code: 1_040, "\(connecting): Too many connections (1040)")
        case .loginRefused:
            self.init(
                .loginRefused, code: 1_045,
                """
                \(connecting): Access denied for user '\(user)'@'\(OwnConnection.address)' (using password: YES) (1045)
                """)
        case .tlsUnavailable:
            self.init(
                .tlsUnavailable, code: 2_026,
                "\(connecting): SSL connection error: SSL is required, but the server does not support it (2026)")
        case .behindProxy:
            self.init(.behindProxy, "the greeting gave id 12, CONNECTION_ID() is 4711: a proxy answers")
        case .unexpectedKind:
            self.init(
                .unexpectedKind, code: 1_064,
                """
                no OceanBase Database Proxy answers, as the kind "oceanbase-odp" says, but something that does not know \
                SHOW PROXYSESSION: You have an error in your SQL syntax (1064)
                """)
        case .resultTooLarge:
            self.init(
                .resultTooLarge, code: 2_020,
                """
                a query: the server sent more than the 250000 rows or 64 MiB that are read of its responses at a time \
                (2020)
                """)
        case .senseless: self.init(.other, "the server's answer for the session list makes no sense")
        }
    }
}

extension ScriptedServerState {
    fileprivate func connecting(as user: String) -> String {
        "connecting to \(process.hostname):\(process.port) as \(user)"
    }
}
