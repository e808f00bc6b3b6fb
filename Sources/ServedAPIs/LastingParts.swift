import ActionDispatch
import DASAPI
import DBbrainAPI
import SessionKill

/// The part that outlives accounts, instances and settings, and so is handed from each ``APIs`` to the next.
public struct LastingParts: Sendable {
    /// With the settings of the first.
    public let engine: KillEngine
    public let tasks: KillTaskRunner
    public let sessionTasks: SessionTaskRunner
    public let listings: SessionListings
    /// No change of accounts or instances must let a request be taken twice.
    public let nonces: SeenNonces
    public let usedSignatures: UsedSignatures

    /// The times, in Unix seconds, from which on it is known which requests were taken: those that were signed earlier
    /// may have been taken by the process of before.
    public struct Start: Sendable {
        public var ofRequests: Int64
        public var ofDecisions: Int64

        public init(ofRequests: Int64, ofDecisions: Int64) {
            self.ofRequests = ofRequests
            self.ofDecisions = ofDecisions
        }

        /// Nobody took any before.
        public static let none = Start(ofRequests: .min, ofDecisions: .min)
    }

    /// Whom to tell of what happens beside the requests. Must not block.
    public struct Reports: Sendable {
        public var ofTasks: @Sendable (KillTaskRunner.Event) -> Void
        public var ofSessionTasks: @Sendable (SessionTaskRunner.Event) -> Void
        public var ofListings: @Sendable (SessionTaskTarget, any Error) -> Void

        public init(
            ofTasks: @escaping @Sendable (KillTaskRunner.Event) -> Void,
            ofSessionTasks: @escaping @Sendable (SessionTaskRunner.Event) -> Void,
            ofListings: @escaping @Sendable (SessionTaskTarget, any Error) -> Void
        ) {
            self.ofTasks = ofTasks
            self.ofSessionTasks = ofSessionTasks
            self.ofListings = ofListings
        }

        /// To nobody.
        public static let none = Reports(ofTasks: { _ in }, ofSessionTasks: { _ in }, ofListings: { _, _ in })
    }

    /// - Parameters:
    ///   - plans: where plans are kept.
    ///   - tasks: where tasks are kept; the same store, unless something stands between it and the engine.
    public init(
        plans: any PlanStore, tasks store: any KillTaskStore & SessionTaskStore, settings: KillEngine.Settings,
        clock: KillEngine.Clock, start: Start, reports: Reports
    ) {
        engine = KillEngine(store: plans, settings: settings, clock: clock)
        tasks = KillTaskRunner(engine: engine, store: store, clock: clock, report: reports.ofTasks)
        sessionTasks = SessionTaskRunner(engine: engine, store: store, clock: clock, report: reports.ofSessionTasks)
        listings = SessionListings(now: clock.now, report: reports.ofListings)
        nonces = SeenNonces(start: start.ofRequests)
        usedSignatures = UsedSignatures(start: start.ofRequests, startOfDecisions: start.ofDecisions)
    }

    /// The names of DBbrain's actions, also of those that are rejected by name.
    public var dbbrainActions: [String] {
        DBbrain(engine: engine, tasks: tasks, instances: [], maximumThreads: 0).actions.map(\.name)
    }

    /// The names of DAS's actions.
    public var dasActions: [String] {
        DAS(tasks: sessionTasks, listings: listings, instances: [], maximumThreads: 0).actions.map { type(of: $0).name }
    }
}
