import Accounts
import ActionDispatch
import SessionKill
import TencentCloudErrors
import Text

/// The configured instances that the account may see, in the order of the
/// configuration.
///
/// Source: the action's pages. `ProductName` is what a version knows; a product
/// that killd has no instances of is a valid question.
struct DescribeDiagDBInstancesRequest<ProductName>: Decodable, Sendable
where ProductName: RawRepresentable & Decodable & Sendable, ProductName.RawValue == String {
    /// Always true.
    var IsSupported: Bool
    var Product: ProductName
    /// Instances to skip.
    var Offset: Int64
    /// The most instances of a page, from 1 to 100.
    var Limit: Int64
    /// Whole names. All instances, if empty or missing, like the other two.
    var InstanceNames: [String]?
    var InstanceIds: [String]?
    var Regions: [String]?
}

struct DescribeDiagDBInstancesResponse: Encodable, Sendable {
    /// The number of instances on all pages together.
    var TotalCount: Int
    /// Whether all instances are inspected: 0 yes, 1 no. killd inspects none.
    var DbScanStatus = 1
    var Items: [ListedInstance]
    let written: ListedInstance.Written

    private enum CodingKeys: String, CodingKey { case TotalCount, DbScanStatus, Items }
}

extension DescribeDiagDBInstancesResponse: PreparedResponse {
    func appendMembers(to json: inout [UInt8]) throws {
        json += #""DbScanStatus":\#(DbScanStatus),"Items":["#.utf8
        for (index, item) in Items.enumerated() {
            if index > 0 { json.append(UInt8(ascii: ",")) }
            json += try written.json(of: item, in: item.snapshot, for: item.key)
        }
        json += #"],"TotalCount":\#(TotalCount)"#.utf8
    }
}

/// An instance as a version of the API describes it.
struct ListedInstance: Encodable, Sendable {
    let managed: ManagedInstance
    let snapshot: ProbeResult
    let version: APIVersion

    /// The rest of an instance is the same for as long as its configuration is.
    typealias Written = WrittenJSON<Key, ProbeResult>

    struct Key: Hashable, Sendable {
        let instance: InstanceID
        let version: APIVersion
    }

    var key: Key { Key(instance: managed.instance.id, version: version) }

    func encode(to encoder: any Encoder) throws {
        var info = InstanceInfo(managed, snapshot)
        switch version {
        case .v20210527:
            info.InstanceConf.ShardNum = ""
            info.InstanceConf.AnalysisTopKey = "No"
        case .v20191016:
            info.AgentStatus = nil
            info.InstanceStatus = nil
        }
        try info.encode(to: encoder)
    }
}

/// An instance. What killd does not know is 0 or empty: no figure is made up.
public struct InstanceInfo: Codable, Sendable {
    public var InstanceId: String
    public var InstanceName: String
    public var Region: String
    public var HealthScore = 0
    /// `MySQL` or `CynosDB`.
    public var Product: String
    public var EventCount = 0
    /// 1 primary, 2 disaster recovery, 3 read-only: unknown.
    public var InstanceType = 0
    public var Cpu = 0
    /// The memory in MB.
    public var Memory = 0
    /// The volume in GB.
    public var Volume = 0
    /// The server's whole version, e.g. `8.0.36` or `10.11.19-MariaDB`; empty if it did not answer.
    public var EngineVersion = ""
    /// The configured host; empty for a Unix socket.
    public var Vip: String
    public var Vport: Int
    public var Source = ""
    public var GroupId = ""
    public var GroupName = ""
    /// 1 running; 0 if it did not answer: of the vendor's other values the one for
    /// an instance that cannot be used yet.
    public var Status = 0
    public var UniqSubnetId = ""
    public var DeployMode = ""
    /// Whether it is initialized: 1 if it answered.
    public var InitFlag = 0
    /// No task.
    public var TaskStatus = 0
    public var UniqVpcId = ""
    public var InstanceConf: InstanceConfs
    /// The vendor's for an instance that does not expire.
    public var DeadlineTime = InstanceInfo.neverExpires
    public var IsSupported = true
    /// killd audits no statements.
    public var SecAuditStatus = "OFF"
    public var AuditPolicyStatus = "UNBOUND"
    public var AuditRunningStatus = ""
    public var InternalVip = ""
    public var InternalVport = 0
    /// The time at which the server process started; empty if it did not answer.
    public var CreateTime = ""
    public var ClusterId = ""
    public var ClusterName = ""
    /// `not_deployed`: killd has no agents. Missing in version 2019-10-16, like the next.
    public var AgentStatus: String?
    /// `attached`; `failed` if the server could not be reached or does not let
    /// killd in, `unknown` if that did not turn out in time.
    public var InstanceStatus: String?

    static let neverExpires = "1970-01-03 00:00:00"
}

/// killd inspects nothing and shows no overview.
public struct InstanceConfs: Codable, Sendable {
    public var DailyInspection = "No"
    public var OverviewDisplay = "No"
    /// The delimiters of keys, for Redis only; present, since clients read it.
    public var KeyDelimiters: [String] = []
    /// Missing in version 2019-10-16, like the next.
    public var ShardNum: String?
    public var AnalysisTopKey: String?
}

extension DBbrain {
    func describeDiagDBInstances(
        _ request: DescribeDiagDBInstancesRequest<VendorProduct>, _ call: Call
    ) async throws -> DescribeDiagDBInstancesResponse {
        try await instances(request, .v20210527, call)
    }

    func describeDiagDBInstances(
        _ request: DescribeDiagDBInstancesRequest<Product>, _ call: Call
    ) async throws -> DescribeDiagDBInstancesResponse {
        try await instances(request, .v20191016, call)
    }

    private func instances<ProductName>(
        _ request: DescribeDiagDBInstancesRequest<ProductName>, _ version: APIVersion, _ call: Call
    ) async throws -> DescribeDiagDBInstancesResponse {
        guard request.IsSupported else { throw TencentCloudError.invalidValue("false", of: "IsSupported") }
        guard let offset = Int(exactly: request.Offset), offset >= 0 else {
            throw TencentCloudError.invalidValue("\(request.Offset)", of: "Offset")
        }
        guard (1...100).contains(request.Limit) else {
            throw TencentCloudError.invalidValue("\(request.Limit)", of: "Limit")
        }
        try call.require(.list, on: "qcs::dbbrain::uin/\(call.account.uin):instance/*")
        let found = orderedInstances.filter { managed in
            call.account.maySee(instance: managed.instance.id.rawValue)
                && managed.product.rawValue == request.Product.rawValue
                && request.InstanceNames.allows(managed.name)
                && request.InstanceIds.allows(managed.instance.id.rawValue)
                && request.Regions.allows(managed.region)
        }
        let page = found.dropFirst(offset).prefix(Int(request.Limit))
        let snapshots = await page.map(\.instance).snapshots()
        return DescribeDiagDBInstancesResponse(
            TotalCount: found.count,
            Items: zip(page, snapshots).map { ListedInstance(managed: $0, snapshot: $1, version: version) },
            written: writtenInstances)
    }
}

extension InstanceInfo {
    fileprivate init(_ managed: ManagedInstance, _ snapshot: ProbeResult) {
        InstanceId = managed.instance.id.rawValue
        InstanceName = managed.name
        Region = managed.region
        Product = managed.product.answered
        Vip = managed.address?.host ?? ""
        Vport = managed.address.map { Int($0.port) } ?? 0
        InstanceConf = InstanceConfs()
        AgentStatus = "not_deployed"
        switch snapshot {
        case .answered(let fingerprint):
            EngineVersion = fingerprint.version
            CreateTime = fingerprint.startText
            Status = 1
            InitFlag = 1
            InstanceStatus = "attached"
        case .failed: InstanceStatus = "failed"
        case .unfinished: InstanceStatus = "unknown"
        }
    }
}

extension ServerFingerprint {
    /// The time at which the server process started, as responses about instances
    /// write times; empty for a proxy, which does not tell.
    var startText: String { startedAt.flatMap { UnixTime(seconds: $0) }?.beijingText ?? "" }
}

extension Optional<[String]> {
    /// Whether the list holds `text`, or nothing at all.
    fileprivate func allows(_ text: String) -> Bool {
        map { $0.isEmpty || $0.contains(where: text.isSame) } ?? true
    }
}
