import Accounts
import ActionDispatch
import SessionKill
import TencentCloudErrors

/// Which part of a long list is wanted.
struct Page {
    let limit: Int
    let offset: Int

    /// - Parameters:
    ///   - limit: from 1 to 100; 20 if missing.
    ///   - offset: at most 10,000; 0 if missing.
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
    func listableInstances(_ id: String?, for call: Call) throws(TencentCloudError) -> Set<InstanceID> {
        guard let id else {
            try call.require(.list, on: "qcs::dbbrain::uin/\(call.account.uin):instance/*")
            return Set(instances.keys.filter { call.account.maySee(instance: $0.rawValue) })
        }
        guard let managed = visibleInstance(id, for: call) else { throw .instanceIDInvalid }
        try call.require(.list, on: managed.resource(for: call.account))
        return [managed.instance.id]
    }
}
