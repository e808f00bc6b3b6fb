import Foundation
public import SeededRandom
public import XCTest

extension XCTestCase {
    /// A random number generator whose seed is printed if the test fails.
    ///
    /// - Parameter seed: that of the environment variable `KILLD_TEST_SEED`, or a new one in every run, if not given.
    public func randomNumbers(seed: UInt64? = nil) -> SplitMix64 {
        let wanted = ProcessInfo.processInfo.environment["KILLD_TEST_SEED"].flatMap { UInt64($0) }
        let seed = seed ?? wanted ?? .random(in: 0...UInt64.max)
        addTeardownBlock { [self] in
            guard let run = testRun, run.totalFailureCount > 0 else { return }
            print("\(name) failed with the seed \(seed): KILLD_TEST_SEED=\(seed) repeats it")
        }
        return SplitMix64(seed: seed)
    }
}

extension XCTestCase {
    /// Runs `body` with so many generators, and fails with the seed of the first for which it throws.
    public func withSeeds(
        _ count: Int, file: StaticString = #filePath, line: UInt = #line, _ body: (SplitMix64) throws -> Void
    ) {
        var seeds = randomNumbers()
        for _ in 0..<count {
            let seed = seeds.next()
            do {
                try body(SplitMix64(seed: seed))
            } catch {
                return XCTFail("\(error) (with the seed \(seed))", file: file, line: line)
            }
        }
    }
}
