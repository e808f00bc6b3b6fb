import AuditTrail
import Glibc
import SessionKill
import Text

/// An entry as it is told outside of the store as soon as it is on disk.
public struct RecordedEntry: Hashable, Sendable {
    public var sequence: Int64
    public var hash: String
    public var kind: String
    public var plan: String?
}

/// Is told of every entry, in order and each once, and of the last one when the store is opened. Is called on the
/// store's thread and must not wait.
public typealias AuditWitness = @Sendable (_ entries: [RecordedEntry], _ store: String) -> Void

/// How a store stands to a head that is known outside of it.
public enum HeadStanding: Hashable, Sendable {
    case onChain
    /// It ends before; 0 for a store without an audit.
    case endsAt(Int64)
    case anotherEntry
    case anotherStore
}

extension SQLiteStore {
    /// How the store at `path` stands to a head, without changing anything, also while a killd uses it.
    public static func standing(
        ofStoreAt path: String, to head: KnownHead
    ) throws(StoreError) -> HeadStanding {
        try attempting("read the audit of \(path)") {
            guard access(path, F_OK) == 0 else { return .endsAt(0) }
            return try Connection.reading(path).standing(to: head)
        }
    }
}

extension Connection {
    /// Only reads, whatever killd wrote the store.
    borrowing func standing(to head: KnownHead) throws -> HeadStanding {
        let tables = try firstValue(of: "SELECT count(*) FROM sqlite_schema WHERE name = 'audit_entries'")
        guard tables == "1" else { return .endsAt(0) }
        if let store = head.store, let own = try storeName(), !own.isSame(as: store) { return .anotherStore }
        let last = try Statement("SELECT max(seq) AS seq FROM audit_entries", on: self).rows {
            try $0.optionalInteger("seq")
        }
        guard let last = last.first ?? nil, last >= head.sequence else { return .endsAt((last.first ?? nil) ?? 0) }
        let hash = try Statement("SELECT hash FROM audit_entries WHERE seq = ?", on: self)
            .rows([.integer(head.sequence)]) { try $0.text("hash") }.first
        return hash?.isSame(as: head.hash) == true ? .onChain : .anotherEntry
    }

    /// The random name that the first entry gives the store; `nil` if there is none yet.
    borrowing func storeName() throws -> String? {
        try Statement("SELECT payload FROM audit_entries WHERE seq = 1", on: self).rows { row in
            try row.optionalText("payload").flatMap { JSONSlice($0)["store"]?.string }
        }.first ?? nil
    }
}

extension HeadStanding {
    /// Why a killd must not go on with the store; `nil` if it can.
    public func problem(with head: KnownHead) -> String? {
        let remedy = """
            if it was restored from a backup on purpose, start killd once with: killd serve --accept-rollback, which the \
            audit will tell; otherwise put the newer store back
            """
        return switch self {
        case .onChain: nil
        case .endsAt(let last):
            """
            the store is older than the heads file: it ends at entry \(last) of the audit, and \(head.place.file) has \
            entry \(head.sequence); \(remedy)
            """
        case .anotherEntry:
            """
            the store was rolled back or rewritten: it has another entry \(head.sequence) of the audit than \
            \(head.place.file) has; \(remedy)
            """
        case .anotherStore:
            "the store is another one than that of the heads file \(head.place.file); \(remedy)"
        }
    }
}
