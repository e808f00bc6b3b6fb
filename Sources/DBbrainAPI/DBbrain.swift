import ActionDispatch
import SessionKill
import TencentCloudErrors

/// DBbrain's actions over the configured instances.
public struct DBbrain: Sendable {
    let engine: KillEngine
    let tasks: KillTaskRunner
    let instances: [InstanceID: ManagedInstance]
    /// Ids that one Prepare may name.
    let maximumThreads: Int

    public init(engine: KillEngine, tasks: KillTaskRunner, instances: [ManagedInstance], maximumThreads: Int) {
        self.engine = engine
        self.tasks = tasks
        self.instances = Dictionary(instances.map { ($0.instance.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.maximumThreads = maximumThreads
    }

    /// The table of actions: one row, and one file, for each.
    public var actions: [Action] {
        [
            Action("KillMySqlThreads", request: KillMySqlThreadsRequest.self, answer: killMySqlThreads),
            Action(
                "DescribeMySqlProcessList", versions: [.v20210527, .v20191016],
                request: DescribeMySqlProcessListRequest.self, answer: describeMySqlProcessList),
            Action("DescribeKillPlan", request: DescribeKillPlanRequest.self, answer: describeKillPlan),
            Action("DescribeKillPlans", request: DescribeKillPlansRequest.self, answer: describeKillPlans),
            Action("CreateKillTask", request: CreateKillTaskRequest.self, answer: createKillTask),
            Action("CancelKillTask", request: CancelKillTaskRequest.self, answer: cancelKillTask),
            Action("DescribeKillTasks", request: DescribeKillTasksRequest.self, answer: describeKillTasks),
        ]
    }

    /// The instance that a request names, if its account may see it.
    ///
    /// One that is not configured and one that is not allowed are answered
    /// alike, so that nobody learns which ids exist.
    func instance(_ id: String, product: Product?, for call: Call) throws(TencentCloudError) -> ManagedInstance {
        guard let managed = visibleInstance(id, for: call) else { throw .instanceIDInvalid }
        let product = product ?? .mysql
        guard product == managed.product else { throw .invalidValue(product.rawValue, of: "Product") }
        return managed
    }

    /// A configured instance that the account may see.
    func visibleInstance(_ id: String, for call: Call) -> ManagedInstance? {
        // Bounded before it is hashed: a string's hash is quadratic in its combining marks.
        guard id.utf8.count <= 128, call.account.maySee(instance: id) else { return nil }
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
            throw ActionFailure(answer: TencentCloudError(error), cause: error)
        } catch let error as StoreError {
            throw ActionFailure(answer: TencentCloudError(error), cause: error)
        } catch let error as KillError {
            switch error {
            case .planNotFound, .expired, .stale: throw TencentCloudError(error)
            case .planAltered, .beingCommitted, .outcomesNotStored:
                throw ActionFailure(answer: TencentCloudError(error), cause: error)
            }
        } catch let error as KillTaskError {
            switch error {
            case .duplicate, .notFound: throw TencentCloudError(error)
            case .cancellationNotStored: throw ActionFailure(answer: TencentCloudError(error), cause: error)
            }
        }
    }
}

/// An instance and what the API says of it.
public struct ManagedInstance: Sendable {
    public let instance: Instance
    public let product: Product
    public let region: String

    public init(instance: Instance, product: Product, region: String) {
        self.instance = instance
        self.product = product
        self.region = region
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
