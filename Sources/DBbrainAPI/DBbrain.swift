import Accounts
import ActionDispatch
import SessionKill
import TencentCloudErrors
import Text

/// DBbrain's actions over the configured instances.
public struct DBbrain: Sendable {
    let engine: KillEngine
    let tasks: KillTaskRunner
    let instances: [InstanceID: ManagedInstance]
    /// The instances in the order of the configuration.
    let orderedInstances: [ManagedInstance]
    /// Ids that one Prepare may name.
    let maximumThreads: Int
    let writtenInstances = ListedInstance.Written()

    public init(engine: KillEngine, tasks: KillTaskRunner, instances: [ManagedInstance], maximumThreads: Int) {
        self.engine = engine
        self.tasks = tasks
        self.instances = Dictionary(instances.map { ($0.instance.id, $0) }, uniquingKeysWith: { first, _ in first })
        orderedInstances = instances
        self.maximumThreads = maximumThreads
    }

    /// All actions: those that killd serves, and the vendor's others, which it
    /// rejects by name.
    public var actions: [Action] { served + VendorActions.unserved(besides: served) }

    /// The table of actions: one row, and one file, for each.
    private var served: [Action] {
        [
            Action(
                "KillMySqlThreads", repetition: .endsNobody, request: KillMySqlThreadsRequest.self,
                respond: killMySqlThreads),
            Action(
                "DescribeMySqlProcessList", request: DescribeMySqlProcessListRequest.self,
                respond: describeMySqlProcessList),
            Action(
                "DescribeMySqlProcessList", versions: [.v20191016],
                request: DescribeMySqlProcessListRequest20191016.self, respond: describeMySqlProcessList),
            Action(
                "DescribeDiagDBInstances", request: DescribeDiagDBInstancesRequest<VendorProduct>.self,
                respond: describeDiagDBInstances),
            Action(
                "DescribeDiagDBInstances", versions: [.v20191016],
                request: DescribeDiagDBInstancesRequest<Product>.self, respond: describeDiagDBInstances),
            Action("DescribeDBInstances", request: DescribeDBInstancesRequest.self, respond: describeDBInstances),
            Action("VerifyUserAccount", request: VerifyUserAccountRequest.self, respond: verifyUserAccount),
            Action(
                "ApproveKillPlan", repetition: .decidesOnce, request: ApproveKillPlanRequest.self,
                respond: approveKillPlan),
            Action(
                "RejectKillPlan", repetition: .decidesOnce, request: RejectKillPlanRequest.self,
                respond: rejectKillPlan),
            Action(
                "CancelKillPlan", repetition: .decidesOnce, request: CancelKillPlanRequest.self,
                respond: cancelKillPlan),
            Action(
                "CommitKillPlan", repetition: .endsNobody, request: CommitKillPlanRequest.self,
                respond: commitKillPlan),
            Action("DescribeKillPlan", request: DescribeKillPlanRequest.self, respond: describeKillPlan),
            Action("DescribeKillPlans", request: DescribeKillPlansRequest.self, respond: describeKillPlans),
            Action(
                "CreateKillTask", repetition: .rejected, request: CreateKillTaskRequest.self, respond: createKillTask),
            Action(
                "CancelKillTask", repetition: .rejected, request: CancelKillTaskRequest.self, respond: cancelKillTask),
            Action("DescribeKillTasks", request: DescribeKillTasksRequest.self, respond: describeKillTasks),
        ]
    }

    /// The instance that a request names, if its account may see it.
    ///
    /// One that is not configured and one that is not allowed are rejected
    /// alike, so that nobody learns which ids exist.
    func instance(_ id: String, product: Product?, for call: Call) throws(TencentCloudError) -> ManagedInstance {
        guard let managed = visibleInstance(id, for: call) else { throw .instanceIDInvalid }
        let product = product ?? .mysql
        guard product == managed.product else { throw .invalidValue(product.rawValue, of: "Product") }
        return managed
    }

    /// A configured instance that the account may see.
    func visibleInstance(_ id: String, for call: Call) -> ManagedInstance? {
        guard id.canBeName, call.account.maySee(instance: id) else { return nil }
        return instances[InstanceID(rawValue: id)]
    }

    func visibleInstance(_ id: InstanceID, for call: Call) -> ManagedInstance? {
        visibleInstance(id.rawValue, for: call)
    }

    /// Runs `work` and puts what goes wrong in it into the API's words.
    func inDialect<Answer>(_ work: () async throws -> Answer) async throws -> Answer {
        do {
            return try await work()
        } catch let error as ServerError {
            throw ActionFailure(TencentCloudError(error), cause: error)
        } catch let error as StoreError {
            throw ActionFailure(TencentCloudError(error), cause: error)
        } catch let error as KillError {
            switch error {
            case .planNotFound, .expired, .stale, .notApproved, .decided, .decisionRefused:
                throw TencentCloudError(error)
            case .notPermitted, .planAltered, .beingCommitted, .outcomesNotStored:
                throw ActionFailure(TencentCloudError(error), cause: error)
            }
        } catch let error as PreparationError {
            throw TencentCloudError(error)
        } catch let error as KillTaskError {
            switch error {
            case .duplicate, .notFound, .approvalsNeeded: throw TencentCloudError(error)
            case .cancellationNotStored: throw ActionFailure(TencentCloudError(error), cause: error)
            }
        }
    }
}

/// An instance and what the API says of it.
public struct ManagedInstance: Sendable {
    public let instance: Instance
    public let product: Product
    public let region: String
    /// What people call it.
    public let name: String
    /// The address at which the server listens; nil for a Unix socket.
    public let address: (host: String, port: UInt16)?

    public init(
        instance: Instance, product: Product, region: String, name: String, address: (host: String, port: UInt16)?
    ) {
        self.instance = instance
        self.product = product
        self.region = region
        self.name = name
        self.address = address
    }

    /// How messages about rights name the instance.
    func resource(for account: Account) -> String {
        "qcs::dbbrain:\(region):uin/\(account.uin):instance/\(instance.id.rawValue)"
    }
}

/// The API's `Product`, as far as killd serves it.
public enum Product: String, Codable, Sendable, CaseIterable {
    case mysql, cynosdb
}

extension Call {
    /// Who calls, as plans and tasks name them.
    var accountName: AccountName { AccountName(rawValue: account.name) }

    /// The same with the person behind the account, and the request.
    var caller: Caller {
        Caller(
            account: accountName, person: PersonName(rawValue: account.person),
            request: Caller.Request(address: address, id: requestID))
    }
}
