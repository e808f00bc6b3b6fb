import Glibc
import Foundation

func openDescriptors() throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
}

/// What this process has computed so far, on all threads.
func processorSeconds() -> Double { Double(clock()) / Double(CLOCKS_PER_SEC) }
