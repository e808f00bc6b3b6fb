import SessionKill

/// Why an address of a server gave no connection.
struct AddressRefusal: Sendable {
    let error: ServerError
    /// The time until which it counts as true.
    let end: ContinuousClock.Instant
}

// The ordinary and the administrative address of a server.
extension MySQLServer {
    private static let pauseOfOrdinaryAddress = Duration.seconds(30)

    /// Opens a connection at whichever address lets it in: the administrative one where the ordinary one does not, or
    /// does not answer in time.
    ///
    /// A login that one of them refused is not tried at the other: servers count what fails, and lock accounts.
    ///
    /// - Parameter login: in place of killd's own account.
    func connect(as login: DatabaseLogin? = nil) async throws(ServerError) -> MySQLConnection {
        guard let adminAddress = configuration.adminAddress else { return try await open(login) }
        var adminError: ServerError?
        if let known = ordinaryRefusal, ContinuousClock.now < known.end {
            do throws(ServerError) {
                return try await open(login, at: adminAddress)
            } catch {
                // It has few places, and killd may have them all.
                if error.reason == .tooManyConnections { throw known.error.besides(error) }
                if error.isOfLogin {
                    guard login == nil else { throw error }
                    ordinaryRefusal = nil
                    throw known.error.besides(error)
                }
                adminError = error
            }
        }
        do throws(ServerError) {
            let connection = try await open(login)
            ordinaryRefusal = nil
            return connection
        } catch {
            guard error.isOfAddress else { throw error }
            if login == nil || !error.isLimitOfAccount {
                ordinaryRefusal = AddressRefusal(error: error, end: .now + Self.pauseOfOrdinaryAddress)
            }
            if let adminError { throw error.besides(adminError) }
            do throws(ServerError) {
                return try await open(login, at: adminAddress)
            } catch let adminError {
                // Whoever delegated a login is told that it is wrong; killd's own work may still go on elsewhere.
                throw login != nil && adminError.isOfLogin ? adminError.besides(error) : error.besides(adminError)
            }
        }
    }

    private func open(
        _ login: DatabaseLogin?, at address: MySQLAddress? = nil
    ) async throws(ServerError) -> MySQLConnection {
        guard let login else { return try await MySQLConnection.open(configuration, at: address) }
        return try await MySQLConnection.open(configuration, as: login, at: address)
    }
}

extension ServerError {
    /// Whether another address of the same server, or another connection, may do: it is not the account that was
    /// refused, nor what answered.
    var isOfAddress: Bool {
        switch reason {
        case .unreachable, .tooManyConnections, .connectionLost, .timedOut, .other: true
        // Comes in place of the greeting.
        case .loginRefused: code == ErrorNumber.hostIsBlocked
        case .tlsUnavailable, .privilegeMissing, .behindProxy, .unexpectedKind, .startedMomentsAgo, .resultTooLarge:
            false
        }
    }

    /// Whether the server has refused the account that logged in.
    fileprivate var isOfLogin: Bool { reason == .loginRefused && !isOfAddress }

    /// Whether it is the account that may have no more connections, not the server.
    var isLimitOfAccount: Bool {
        [ErrorNumber.tooManyUserConnections, ErrorNumber.userLimitReached].contains(code)
    }

    /// The same, with what the other address answered.
    fileprivate func besides(_ other: ServerError) -> ServerError {
        ServerError(reason, code: code, "\(description); \(other.description)")
    }
}
