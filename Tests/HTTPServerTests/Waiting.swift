import Glibc
import XCTest

/// Tests `condition` until it holds or ten seconds are over.
func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < deadline {
        if try condition() { return true }
        sched_yield()
    }
    return false
}

func openDescriptors() throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
}

/// What this process has computed so far, on all threads.
func processorSeconds() -> Double { Double(clock()) / Double(CLOCKS_PER_SEC) }
