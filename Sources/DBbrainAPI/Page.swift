import Accounts
import ActionDispatch
import SessionKill
import TencentCloudErrors

/// A request for a part of a long list.
public struct PageRequest: Codable, Sendable {
    /// The instance; all that the account may see, if missing.
    public var InstanceId: String?
    /// The most elements of the part; default 20, at most 100.
    public var Limit: UInt64?
    /// The elements to skip, at most 10,000; default 0.
    public var Offset: UInt64?

    public init(InstanceId: String? = nil, Limit: UInt64? = nil, Offset: UInt64? = nil) {
        self.InstanceId = InstanceId
        self.Limit = Limit
        self.Offset = Offset
    }
}

/// The part of a long list that is wanted.
struct Page {
    let limit: Int
    let offset: Int

    init(_ request: PageRequest) throws(TencentCloudError) {
        try self.init(limit: request.Limit, offset: request.Offset)
    }

    init(limit: UInt64?, offset: UInt64?) throws(TencentCloudError) {
        let limit = limit ?? 20
        let offset = offset ?? 0
        guard (1...100).contains(limit) else { throw .invalidValue("\(limit)", of: "Limit") }
        guard offset <= 10_000 else { throw .invalidValue("\(offset)", of: "Offset") }
        self.limit = Int(limit)
        self.offset = Int(offset)
    }
}

extension DBbrain {
    /// The instances whose plans and tasks are wanted: the one that is named, or
    /// all that the account may see.
    ///
    /// - Parameter right: with which they may be listed too.
    func listableInstances(
        _ id: String?, for call: Call, alsoWith right: Permission? = nil
    ) throws(TencentCloudError) -> Set<InstanceID> {
        guard let id else {
            try call.require(.list, or: right, on: "qcs::dbbrain::uin/\(call.account.uin):instance/*")
            return Set(instances.keys.filter { call.account.maySee(instance: $0.rawValue) })
        }
        guard let managed = visibleInstance(id, for: call) else { throw .instanceIDInvalid }
        try call.require(.list, or: right, on: managed.resource(for: call.account))
        return [managed.instance.id]
    }
}

extension Call {
    /// - Parameter other: with which the account may, too.
    func require(
        _ permission: Permission, or other: Permission?, on resource: String
    ) throws(TencentCloudError) {
        if let other, account.permissions.contains(other) { return }
        try require(permission, on: resource)
    }
}
