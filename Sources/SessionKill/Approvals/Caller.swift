import Text

/// The name of a person who acts through one account or several. Four eyes are between persons, not accounts.
public struct PersonName: TextID, Codable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
}

/// Who does something, as plans, decisions and the audit record it.
public struct Caller: Hashable, Sendable {
    public var account: AccountName
    public var person: PersonName
    /// The request by which it is done; `nil` for what killd does by itself in the name of an account, such as the
    /// rounds of a kill task.
    public var request: Request?

    public struct Request: Hashable, Sendable {
        /// Where it came from, without the port.
        @Exact public var address: String
        /// The `RequestId` of its response.
        @Exact public var id: String

        public init(address: String, id: String) {
            self.address = address
            self.id = id
        }
    }

    public init(account: AccountName, person: PersonName, request: Request? = nil) {
        self.account = account
        self.person = person
        self.request = request
    }

    /// An account whose person is not configured: the account is its own.
    public init(_ account: AccountName) {
        self.init(account: account, person: PersonName(rawValue: account.rawValue))
    }
}
