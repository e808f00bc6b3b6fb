import APIClient
import DBbrainAPI
import Text

/// `killd sessions`: the session list of an instance.
struct SessionsCommand: Command {
    static let name = "sessions"
    static let summary = "shows the sessions of an instance, longest first"
    static let usage = "--instance ID [--limit N] [--product PRODUCT]"
    static let options =
        [
            (spelling: "--instance ID", meaning: "the instance, as the server's configuration names it"),
            (spelling: "--limit N", meaning: "how many sessions; default 20"),
            InstanceOptions.product,
        ] + ClientOptions.options

    private let client: ClientOptions
    private let request: DescribeMySqlProcessListRequest

    init(_ arguments: inout Arguments) throws {
        client = try ClientOptions(&arguments)
        let instance = try InstanceOptions(&arguments)
        let limit = try arguments.number("--limit")
        request = DescribeMySqlProcessListRequest(InstanceId: instance.id, Limit: limit, Product: instance.product)
    }

    func run() throws -> ExitStatus {
        let response = try client.call(
            "DescribeMySqlProcessList", request, response: DescribeMySqlProcessListResponse.self)
        client.show(response) { Self.table($0.ProcessList).text }
        return .done
    }

    static func table(_ sessions: [MySqlProcess]) -> Table {
        var table = Table("ID", "USER", "HOST", "DB", "COMMAND", "TIME", "STATE", "INFO")
        table.rows = sessions.map { session in
            [
                session.ID, session.User, session.Host, session.DB, session.Command, session.Time, session.State,
                session.Info.beginning(scalars: 60),
            ]
        }
        return table
    }
}

/// The instance that a client command is about.
struct InstanceOptions {
    let id: String
    let product: Product?

    static let product = (spelling: "--product PRODUCT", meaning: "the instance's product: mysql (default) or cynosdb")

    init(_ arguments: inout Arguments) throws(UsageError) {
        guard let options = try InstanceOptions(ifAny: &arguments) else { throw UsageError("--instance is needed") }
        self = options
    }

    /// `nil` without an instance.
    init?(ifAny arguments: inout Arguments) throws(UsageError) {
        guard let id = try arguments.option("--instance") else { return nil }
        self.id = id
        guard let text = try arguments.option("--product") else {
            product = nil
            return
        }
        guard let product = Product(rawValue: text) else {
            let choices = Product.allCases.map(\.rawValue).joined(separator: " or ")
            throw UsageError("--product: expected \(choices), found \"\(text)\"")
        }
        self.product = product
    }
}
