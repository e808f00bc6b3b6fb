/// By what a session was told from every other when its KILL was sent, the strongest first.
///
/// A server that is sick may be unable to run the stronger ones. Nobody is ever killed by an id alone.
public enum KillGuard: String, Hashable, Sendable, CaseIterable, Codable {
    /// The server looked it up in the packet of the KILL by its id, user, host and performance_schema's THREAD_ID,
    /// which no other connection of the server process ever has.
    case threadID = "thread-id"
    /// The server looked it up in the packet of the KILL by its id, user and host, and right before the KILL confirmed
    /// by the number of its last command that it had begun nothing since (MariaDB).
    case queryID = "query-id"
    /// The server looked it up in the packet of the KILL by its id, user and host.
    case list
    /// killd found it by its id, user and host in a list that it read on the same connection right before the KILL.
    case listBefore = "list-before"
}
