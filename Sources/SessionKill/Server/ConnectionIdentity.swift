/// One connection to one process of a database server, for as long as it is open.
///
/// The connections of a process end with it, so whoever has the same one before him as a while ago has the same process
/// before him. A proxy may keep a connection open and go on to another server behind it. So the server is asked each
/// time for what it drew for the session: a proxy that logs in anew and repeats there what was set has another drawn.
public struct ConnectionIdentity: Hashable, Sendable {
    /// Counted by killd over all its connections, and never given twice.
    public let number: UInt64
    /// The server's number for it.
    public let threadID: ThreadID
    /// What the server drew for its session.
    public let draw: String

    public init(number: UInt64, threadID: ThreadID, draw: String) {
        self.number = number
        self.threadID = threadID
        self.draw = draw
    }
}
