import Accounts
import ActionDispatch
import SessionKill
import TencentCloudErrors

/// Some instances by their ids.
///
/// Source: the action's page of 2021-05-27.
struct DescribeDBInstancesRequest: Decodable, Sendable {
    /// The ids, from 1 to 100. One that is not configured and one that is not
    /// allowed are left out of the response alike, so that nobody learns which ids
    /// exist.
    var InstanceIds: [String]
}

public struct DescribeDBInstancesResponse: Codable, Sendable {
    /// The instances in the order of the request, each once.
    public var Items: [InstanceItem]
}

/// What is missing was not found out: the server did not answer.
public struct InstanceItem: Codable, Sendable {
    public var InstanceId: String
    /// `MySQL` or `CynosDB`.
    public var Product: String
    public var Region: String
    public var ClusterId = ""
    /// The server's whole version.
    public var EngineVersion: String?
    /// 1: running.
    public var Status: Int?
    /// The time at which the server process started.
    public var CreateTime: String?
    public var DeadlineTime = InstanceInfo.neverExpires
}

extension DBbrain {
    func describeDBInstances(
        _ request: DescribeDBInstancesRequest, _ call: Call
    ) async throws -> DescribeDBInstancesResponse {
        guard (1...100).contains(request.InstanceIds.count) else {
            throw TencentCloudError.invalidValue("[\(request.InstanceIds.joined(separator: ","))]", of: "InstanceIds")
        }
        try call.require(.list, on: "qcs::dbbrain::uin/\(call.account.uin):instance/*")
        var seen: Set<InstanceID> = []
        let found = request.InstanceIds.compactMap { visibleInstance($0, for: call) }
            .filter { seen.insert($0.instance.id).inserted }
        let snapshots = await found.map(\.instance).snapshots()
        return DescribeDBInstancesResponse(Items: zip(found, snapshots).map(InstanceItem.init))
    }
}

extension InstanceItem {
    fileprivate init(_ managed: ManagedInstance, _ snapshot: ProbeResult) {
        InstanceId = managed.instance.id.rawValue
        Product = managed.product.answered
        Region = managed.region
        guard case .answered(let fingerprint) = snapshot else { return }
        EngineVersion = fingerprint.version
        Status = 1
        CreateTime = fingerprint.startText
    }
}
