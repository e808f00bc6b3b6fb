/// Which server process answered.
///
/// `server_uuid`, host name and port survive a restart, after which thread ids
/// begin again near 5; the start time and the count of connections do not. Of a
/// proxy (OceanBase's ODP) there are neither: it is told by its own address, its
/// process's number and the cluster that killd logs in to.
public struct ServerFingerprint: Hashable, Sendable, Codable {
    /// `server_uuid` on MySQL and OceanBase, `server_uid` on MariaDB; `nil` on a MariaDB
    /// older than that variable.
    public var uniqueID: String?
    public var hostname: String
    public var port: Int
    public var serverID: UInt64
    public var version: String
    /// When the process started: Unix time in seconds by the server's own
    /// clock, exactly. `nil` for a proxy, which does not tell.
    public var startedAt: Int64?
    /// The status variable `Connections`: only grows while the process lives.
    /// `nil` for a proxy, and for OceanBase, which has none, but tells exactly
    /// when it started.
    public var connectionCount: UInt64?
    /// What each process makes anew at its start: on MySQL and MariaDB the clock
    /// sequence of `UUID()`, 14 random bits, with the node behind it; the
    /// microsecond of its start on OceanBase. MySQL draws another clock sequence
    /// also when its clock was set back (measured).
    ///
    /// `nil` in plans of a killd that did not read it, whose ``startedAt`` is from
    /// two statements, up to ``earlierStartTolerance`` seconds late; and in the
    /// view of an account that OceanBase does not show its start.
    public var startMark: String?

    static let earlierStartTolerance: Int64 = 2

    public init(
        uniqueID: String?, hostname: String, port: Int, serverID: UInt64, version: String, startedAt: Int64?,
        connectionCount: UInt64?, startMark: String? = nil
    ) {
        self.startMark = startMark
        self.uniqueID = uniqueID
        self.hostname = hostname
        self.port = port
        self.serverID = serverID
        self.version = version
        self.startedAt = startedAt
        self.connectionCount = connectionCount
    }

    /// Why `later` cannot be the same server process, or `nil` if it can.
    ///
    /// - Parameter isSameProcess: whether a connection that has been open since then proves that this server was not
    ///   restarted, whatever it says of its start.
    public func difference(from later: ServerFingerprint, inSameProcess isSameProcess: Bool = false) -> StaleReason? {
        if uniqueID != later.uniqueID || hostname != later.hostname || port != later.port || version != later.version
            || (startedAt == nil) != (later.startedAt == nil)
            || (connectionCount == nil) != (later.connectionCount == nil)
        {
            return .anotherServer
        }
        let restart = isSameProcess ? nil : restart(before: later)
        // An administrator may set it anew while the server runs; what each process makes at its start stays.
        let mayBeSetAnew = uniqueID != nil && startMark != nil && later.startMark != nil && restart == nil
        return serverID == later.serverID || mayBeSetAnew ? restart : .anotherServer
    }

    /// Whether `later` proves that this process has ended, and all its sessions with it.
    ///
    /// What the server draws at its start alone proves nothing: MySQL draws anew also when its clock is set back
    /// (measured on 9.7).
    func hasEnded(before later: ServerFingerprint) -> Bool {
        guard difference(from: later) == .serverRestarted else { return false }
        // OceanBase counts no connections, and draws nothing: it tells the microsecond of its start.
        guard connectionCount != nil else { return true }
        var drawnAlike = later
        drawnAlike.startMark = startMark
        return difference(from: drawnAlike) == .serverRestarted
    }

    private func restart(before later: ServerFingerprint) -> StaleReason? {
        if let startedAt, let laterStart = later.startedAt {
            // Late only: a process that started after the plan was made never began before it seemed to.
            let isInexact = startMark == nil && connectionCount != nil
            let tolerance = isInexact ? Self.earlierStartTolerance : 0
            // Servers and stored plans can say any number.
            let (lateness, overflow) = startedAt.subtractingReportingOverflow(laterStart)
            if overflow || !(0...tolerance).contains(lateness) { return .serverRestarted }
        }
        if let startMark, let laterMark = later.startMark, startMark != laterMark { return .serverRestarted }
        if let connectionCount, let laterCount = later.connectionCount, laterCount < connectionCount {
            return .serverRestarted
        }
        return nil
    }
}

/// Why a plan no longer fits what it was made for.
public enum StaleReason: String, Hashable, Sendable, Codable, CaseIterable {
    /// Failover, or a proxy or name that leads elsewhere now.
    case anotherServer = "another-server"
    case serverRestarted = "server-restarted"
    /// Its sessions' death would cost more than its approvals suffice for.
    case riskRose = "risk-rose"
}
