import Glibc

/// The reason why there is no private database.
public struct PrivateDatabaseError: Error, CustomStringConvertible {
    public enum Reason: Sendable {
        /// A program is not installed; the packages that bring it on Debian.
        case programMissing(String, package: String)
        /// A system call failed with this `errno`.
        case systemCall(String, errorNumber: Int32)
        /// The data directory could not be made; what the programs printed last.
        case initializationFailed(log: String)
        /// The server ended before it was ready; the end of its error log.
        case endedAtStart(log: String)
        /// The server was not ready in time; the end of its error log.
        case notReadyInTime(log: String)
        case alreadyStopped
    }

    public let reason: Reason

    init(_ reason: Reason) { self.reason = reason }

    /// For a failed system call; to be made before anything else can change `errno`.
    init(systemCall: String) { reason = .systemCall(systemCall, errorNumber: errno) }

    public var description: String {
        switch reason {
        case .programMissing(let program, let package):
            "the program \(program) is missing: install \(package) (apt install \(package))"
        case .systemCall(let call, let number): "\(call): \(String(cString: strerror(number)))"
        case .initializationFailed(let log): "the data directory could not be made:\n\(log)"
        case .endedAtStart(let log): "the database server ended at its start:\n\(log)"
        case .notReadyInTime(let log): "the database server was not ready in time:\n\(log)"
        case .alreadyStopped: "the private database was stopped"
        }
    }
}
