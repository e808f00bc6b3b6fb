public import SessionKill
public import XCTest

/// What ``PlanStore``, ``KillTaskStore`` and ``SessionTaskStore`` promise, as promises that any store can be held to.
///
/// Every implementation has a test that calls ``check(_:_:)``; where two stores disagree, one of them is wrong by
/// what the protocols say, and the promise belongs here.
public enum StoreContract {
    public typealias Store = PlanStore & KillTaskStore & SessionTaskStore

    struct Promise: Sendable {
        let words: String
        let check: @Sendable (any Store) async throws -> Void

        init(_ words: String, _ check: @escaping @Sendable (any Store) async throws -> Void) {
            self.words = words
            self.check = check
        }
    }

    static let promises =
        planPromises + decisionPromises + claimPromises + historyPromises + killTaskPromises + sessionTaskPromises

    /// Fails `test` for each promise that a store does not keep.
    ///
    /// - Parameter makeStore: gives an empty store, another one in each call.
    public static func check(_ test: XCTestCase, _ makeStore: () async throws -> any Store) async throws {
        for promise in promises {
            let failures = test.testRun?.totalFailureCount
            do {
                try await promise.check(try await makeStore())
            } catch {
                XCTFail("\(error)")
            }
            if test.testRun?.totalFailureCount != failures { XCTFail("broken promise: \(promise.words)") }
        }
    }
}
