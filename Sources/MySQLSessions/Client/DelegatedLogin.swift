import SessionKill

extension MySQLConnection {
    /// Connects as somebody else than killd's account, with the same demands on
    /// the connection's encryption.
    ///
    /// - Parameter address: in place of the configuration's.
    /// - Throws: ``ServerError/Reason/loginRefused`` also for an account that the
    ///   server lets in with any password. Over a Unix socket that is one that
    ///   goes by who runs killd (`unix_socket`, `auth_socket`): MariaDB's `root`
    ///   for a killd that runs as root.
    static func open(
        _ configuration: MySQLServerConfiguration, as login: DatabaseLogin, at address: MySQLAddress? = nil
    ) async throws(ServerError) -> MySQLConnection {
        var configuration = configuration
        configuration.user = login.user
        configuration.password = login.password
        let connection = try await open(configuration, at: address)
        guard case .unixSocket = address ?? configuration.address else { return connection }
        do throws(ServerError) {
            configuration.password = .random()
            await (try await open(configuration, at: address)).close()
        } catch let error where error.reason == .loginRefused {
            return connection
        } catch {
            await connection.close()
            throw error
        }
        await connection.close()
        throw ServerError(.loginRefused, "\(login.user) is let in over the Unix socket with any password")
    }
}

extension DatabasePassword {
    fileprivate static func random() -> DatabasePassword {
        DatabasePassword((0..<2).map { _ in String(UInt64.random(in: 0...UInt64.max), radix: 36) }.joined())
    }
}
