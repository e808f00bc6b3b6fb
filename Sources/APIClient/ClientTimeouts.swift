/// How long a client waits.
public struct ClientTimeouts: Sendable {
    /// For all addresses of a host together to accept a connection; nil for each as long as for any other wait.
    public var connecting: Duration?
    /// For every wait on the server.
    public var silence: Duration
    /// From the first connect to the whole response; nil bounds the single waits only.
    public var whole: Duration?

    public init(connecting: Duration? = nil, silence: Duration, whole: Duration? = nil) {
        self.connecting = connecting
        self.silence = silence
        self.whole = whole
    }

    /// How long the next wait may be; nil if the time is over.
    func nextWait(connectingSince start: ContinuousClock.Instant) -> Duration? {
        guard let connecting else { return nextWait(since: start) }
        let left = connecting - start.duration(to: .now)
        return left > .zero ? min(silence, left) : nil
    }

    /// The same once there is a connection.
    func nextWait(since start: ContinuousClock.Instant) -> Duration? {
        guard let whole else { return silence }
        let left = whole - start.duration(to: .now)
        return left > .zero ? min(silence, left) : nil
    }
}
