import Foundation

/// How many times as long as usual computing may take: 10 under ThreadSanitizer, which makes it 5 to 15 times slower,
/// and 1 otherwise. Bounds that tell linear from quadratic work are multiplied by it.
public let slowdown = ProcessInfo.processInfo.environment["TSAN_OPTIONS"] == nil ? 1 : 10
