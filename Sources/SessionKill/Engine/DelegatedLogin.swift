/// A connection on which somebody is logged in in place of killd's account.
struct DelegatedLogin: Sendable {
    let user: String
    let connection: any ServerConnection
}

/// The server did not accept the login as which the sessions were to be ended; nothing was tried.
struct DelegatedLoginRefused: Error {
    let cause: ServerError
}
