/// A configuration file of killd.
public struct KilldConfiguration: Encodable {
    public var listen = "127.0.0.1:0"
    public var tls: TLS?
    public var store = "killd.sqlite"
    public var accounts = [Account(name: "ci")]
    public var instances: [Instance]
    public var planLifetimeSeconds: Int?
    public var killWaitSeconds: Int?
    public var maximumStatementBytes: Int?
    public var requestsPerSecond: Int? = 1_000
    public var logLevel: String?
    public var signedHosts: [String]?
    public var keepAliveSeconds: Int?
    public var trustedProxies: TrustedProxies?
    /// On a free port, if set.
    public var das: DAS?
    /// On a free port, if set.
    public var operations: Operations?

    public var auditHeads: String?
    public var auditRetentionDays: Int?
    public var planRetentionDays: Int?

    public var webhooks: [Webhook]?
    public var publicURL: String?

    public struct Webhook: Encodable {
        public var format: String
        public var url: String
        public var name: String?
        public var secret: String?

        public init(format: String, url: String) {
            self.format = format
            self.url = url
        }
    }

    public struct Operations: Encodable {
        public var listen = "127.0.0.1:0"

        public init() {}
    }

    public struct DAS: Encodable {
        public var listen = "127.0.0.1:0"

        public init() {}
    }

    public struct TrustedProxies: Encodable {
        public var addresses: [String]
        public var `protocol`: String

        public init(_ addresses: [String], protocol: String) {
            self.addresses = addresses
            self.protocol = `protocol`
        }
    }

    public struct TLS: Encodable {
        public var certificate: String
        public var privateKey: String
        public var clientCA: String?

        public init(_ server: TestCertificates.Pair) {
            certificate = server.certificate
            privateKey = server.key
        }
    }

    public struct Account: Encodable, Sendable {
        public var name: String
        public var person: String?
        public var uin = "100000000001"
        public var secretId: String
        public var secretKey: String
        public var may = ["list", "prepare", "commit"]
        public var instances = ["*"]
        public var unsignedPayload: Bool?

        public init(name: String) {
            self.name = name
            secretId = "AKID\(name)"
            secretKey = "key of \(name)"
        }
    }

    public struct Instance: Encodable {
        public var id = "cdb-test"
        public var name: String?
        public var product: String?
        public var region: String?
        public var host: String? = "127.0.0.1"
        public var port: UInt16?
        /// In place of host and port, which have to be `nil` then.
        public var socket: String?
        public var adminHost: String?
        public var adminPort: UInt16?
        public var user = "killd"
        public var password = RealServer.password
        public var tls = "preferred"
        public var protectedUsers: [String] = []
        public var statements: String?
        public var kind: String?
        public var nodes: [Node]?
        /// How many by grade.
        public var approvals: [String: Int]?
        public var approvableSeconds: Int?
        public var commitWithinSeconds: Int?
        public var riskRows: Int?
        public var riskSessions: Int?

        public struct Node: Encodable {
            public var id: String
            public var host = "127.0.0.1"
            public var port: UInt16

            public init(id: String, port: UInt16) {
                self.id = id
                self.port = port
            }
        }

        public init(port: UInt16) { self.port = port }
    }

    public init(port: UInt16) { instances = [Instance(port: port)] }
}
