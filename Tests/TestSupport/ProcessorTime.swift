import Glibc

/// What this thread computes in `body`.
///
/// A bound on it says how much there is to do; one on the time by a clock says also how busy the machine is with other
/// things.
public func processorTime(of body: () throws -> Void) rethrows -> Duration {
    let start = processorTime(CLOCK_THREAD_CPUTIME_ID)
    try body()
    return processorTime(CLOCK_THREAD_CPUTIME_ID) - start
}

/// What all threads of this process compute until `body` has returned.
public func processorTimeOfAllThreads(of body: () async throws -> Void) async rethrows -> Duration {
    let start = processorTime(CLOCK_PROCESS_CPUTIME_ID)
    try await body()
    return processorTime(CLOCK_PROCESS_CPUTIME_ID) - start
}

private func processorTime(_ clock: clockid_t) -> Duration {
    var time = timespec()
    clock_gettime(clock, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
}
