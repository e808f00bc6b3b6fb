import Cryptography
import RequestSigning
import Text

/// Somebody who may call the API.
public struct Account: Sendable {
    /// The name, unique in a configuration; owns plans, and stands in logs.
    public let name: String
    /// Who acts through it: several accounts may be one person's, whose word counts once.
    public let person: String
    /// The account id that authorization messages show.
    public let uin: String
    public let secretID: String
    public let secretKey: Secret
    /// The token of temporary credentials, which are good only together with it.
    public let token: Secret?
    public let permissions: Set<Permission>
    public let instances: [InstancePattern]
    /// Whether it may also change something by requests whose payload is not
    /// signed, so that whoever sees one can send another in its place.
    public let mayLeavePayloadUnsigned: Bool

    public init(
        name: String, person: String? = nil, uin: String, secretID: String, secretKey: Secret, token: Secret? = nil,
        permissions: Set<Permission>, instances: [InstancePattern], mayLeavePayloadUnsigned: Bool = false
    ) {
        self.name = name
        self.person = person ?? name
        self.uin = uin
        self.secretID = secretID
        self.secretKey = secretKey
        self.token = token
        self.permissions = permissions
        self.instances = instances
        self.mayLeavePayloadUnsigned = mayLeavePayloadUnsigned
    }

    /// Whether a request may carry this token, or none.
    public func accepts(token sent: String?) -> Bool {
        equalInConstantTime(Array((sent ?? "").utf8), Array((token?.reveal() ?? "").utf8))
    }

    public func maySee(instance: String) -> Bool { instances.contains { $0.matches(instance) } }

    public func may(_ permission: Permission, on instance: String) -> Bool {
        permissions.contains(permission) && maySee(instance: instance)
    }
}

/// What the configuration's `may` can name.
public enum Permission: String, Sendable, CaseIterable, Codable {
    case list, prepare, approve, commit
    /// CreateKillTask and CancelKillTask.
    case rule
    /// Commits without the approvals that a plan needs.
    case breakGlass = "break-glass"

    /// What `*` stands for. Not what is for emergencies: nobody is given that without thinking of it.
    public static let everyday = Set(allCases).subtracting([.breakGlass])
}

/// An instance id, or the beginning of one followed by `*`.
public struct InstancePattern: Hashable, Sendable, CustomStringConvertible {
    @Exact private var beginning: String
    private let isPrefix: Bool

    /// `nil` if a `*` stands anywhere but at the end, or nothing stands there.
    public init?(_ text: String) {
        isPrefix = text.utf8.last == UInt8(ascii: "*")
        beginning = isPrefix ? String(Substring(text.utf8.dropLast())) : text
        guard !text.isEmpty, !beginning.utf8.contains(UInt8(ascii: "*")) else { return nil }
    }

    /// The pattern as it was written.
    public var description: String { beginning + (isPrefix ? "*" : "") }

    public func matches(_ instance: String) -> Bool {
        isPrefix ? instance.utf8.starts(with: beginning.utf8) : instance.isSame(as: beginning)
    }
}
