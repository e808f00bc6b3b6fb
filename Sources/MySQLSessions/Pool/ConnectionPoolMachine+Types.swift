import SessionKill

extension ConnectionPoolMachine {
    /// A number for a connection, also while it is being opened; never used twice.
    struct ConnectionID: Hashable, Sendable {
        let number: Int
    }

    /// A number for a request; later ones are greater.
    struct RequestID: Hashable, Comparable, Sendable {
        let number: Int

        static func < (left: RequestID, right: RequestID) -> Bool { left.number < right.number }
    }

    enum Purpose: Sendable {
        /// Work on a connection that has been asked first if the server is still there, which takes a round trip.
        case work
        /// A snapshot, which is taken again on another connection if the first turns out to be lost; so nobody asks
        /// before.
        case snapshot
        /// The question if the server can be used, on a connection that is free; not worth waiting for others' work.
        case probe
        /// A connection besides those of the pool, for another account than the pool's; only how many there are is
        /// decided here.
        case delegatedLogin
    }

    enum Response: Hashable, Sendable {
        case connection(ConnectionID)
        /// What a delegated login hears, which may be opened now.
        case admitted
        /// What a probe hears: no connection is free, and none can be opened.
        ///
        /// - Parameter lastLoss: why a connection was lost, if none has come back since that was not.
        case allInUse(lastLoss: ServerError?)
        case failure(Failure)
    }

    enum Failure: Error, Hashable, Sendable {
        case closed
        case cancelled
        /// No connection was free by the deadline.
        ///
        /// - Parameter rejection: why no other could be opened, where there could have been more than `connections`.
        case busy(connections: Int, rejection: ServerError?)
        case notOpened(ServerError)
    }

    enum Action: Hashable, Sendable {
        /// Open a connection: to be followed by ``opened(_:at:)`` or ``openingFailed(_:_:at:)``.
        case open(ConnectionID)
        /// Ask the server if it is still there: to be followed by ``checked(_:isAlive:at:)``.
        ///
        /// - Parameter request: who gets the connection if so.
        case check(ConnectionID, for: RequestID?)
        case close(ConnectionID)
        /// The connection stays although the client library holds much memory for it.
        case forgetLargeRow(ConnectionID)
        case respond(RequestID, Response)
        /// Call ``deadlineReached(at:)`` then, unless the request has been answered.
        case wakeUp(RequestID, at: Instant)
    }

    /// How a connection comes back.
    enum Condition: Hashable, Sendable {
        case usable
        /// Usable, but the client library holds much memory for it, which only another connection gives back.
        case large
        case lost(ServerError)
    }

    /// The question whether a connection is alive.
    struct Check: Hashable, Sendable {
        /// Who gets the connection if it is.
        var request: WaitingLine.Entry?
    }

    /// A connection that is opened to take the place of another.
    struct Replacement: Hashable, Sendable {
        let old: ConnectionID
        let new: ConnectionID
    }
}
