import SessionKill
import Text

/// A metadata lock that a session has or wants: a row of
/// `performance_schema.metadata_locks`.
struct MetadataLock: Hashable {
    let owner: ThreadID?
    let isGranted: Bool
    /// `SHARED_READ`, `EXCLUSIVE`, `INTENTION_EXCLUSIVE`, …
    let type: ExactText
    let object: Object

    struct Object: Hashable {
        /// `TABLE`, `GLOBAL`, `USER LEVEL LOCK`, …
        let type: ExactText
        @Exact private(set) var schema: String?
        @Exact private(set) var name: String?
    }

    /// All locks on the objects that somebody waits for.
    static let query = """
        SELECT t.PROCESSLIST_ID AS owner,m.LOCK_STATUS AS status,m.LOCK_TYPE AS type,m.OBJECT_TYPE AS object_type,\
        m.OBJECT_SCHEMA AS object_schema,m.OBJECT_NAME AS object_name \
        FROM (SELECT DISTINCT OBJECT_TYPE,OBJECT_SCHEMA,OBJECT_NAME FROM performance_schema.metadata_locks \
        WHERE LOCK_STATUS='PENDING') w \
        JOIN performance_schema.metadata_locks m ON m.OBJECT_TYPE=w.OBJECT_TYPE \
        AND m.OBJECT_SCHEMA<=>w.OBJECT_SCHEMA AND m.OBJECT_NAME<=>w.OBJECT_NAME \
        LEFT JOIN performance_schema.threads t ON t.THREAD_ID=m.OWNER_THREAD_ID \
        WHERE m.LOCK_STATUS IN ('GRANTED','PENDING')
        """

    /// - Parameter rows: of ``query``.
    static func locks(_ rows: Rows) throws(ServerError) -> [MetadataLock] {
        let (owner, status, type) = (try rows.column("owner"), try rows.column("status"), try rows.column("type"))
        let object = try rows.column("object_type")
        let (schema, name) = (try rows.column("object_schema"), try rows.column("object_name"))
        var locks: [MetadataLock] = []
        locks.reserveCapacity(rows.count)
        for row in rows {
            locks.append(
                MetadataLock(
                    owner: try row.threadIfAny(owner), isGranted: row.text(status)?.isSame(as: "GRANTED") == true,
                    type: ExactText(try row.name(type) ?? ""),
                    object: Object(
                        type: ExactText(try row.name(object) ?? ""), schema: try row.name(schema),
                        name: try row.name(name))))
        }
        // Servers have about twenty, and each is compared with each.
        guard Set(locks.map(\.type)).count <= 100 else { throw .senseless("metadata_locks", "its types of locks") }
        return locks
    }

    /// Who waits for whom among these: for those who have a lock that does not
    /// go together with the wanted one, and for those who want such a lock
    /// and go first.
    ///
    /// - Parameter limit: beyond so many, nothing is said of a waiter; less than
    ///   all that it waits for would be a lie.
    static func waits(among locks: [MetadataLock], atMost limit: Int) -> [LockWait] {
        var waits: Set<LockWait> = []
        var untold: Set<ThreadID> = []
        for (object, locks) in Dictionary(grouping: locks, by: \.object) {
            // Readers of a table by the thousand have all the same type: compared once for each waiter, not each.
            let holders = Dictionary(grouping: locks.filter(\.isGranted), by: \.type)
            let wanted = Dictionary(grouping: locks.filter { !$0.isGranted }, by: \.type)
            for requests in wanted.values {
                guard let first = requests.first else { continue }
                let inTheWay =
                    Array(holders.filter { !first.goesTogether(withHeld: $0.key) }.values.joined())
                    + Array(wanted.filter { first.waits(behindWanted: $0.key) }.values.joined())
                for waiter in requests.compactMap(\.owner) {
                    guard waits.count + inTheWay.count <= limit else {
                        untold.insert(waiter)
                        continue
                    }
                    for lock in inTheWay where lock.owner != waiter {
                        waits.insert(LockWait(waiter: waiter, holder: lock.owner, lock: object.lock(lock.type.text)))
                    }
                }
            }
        }
        return Array(waits.filter { !untold.contains($0.waiter) })
    }

    /// Whether the server grants this while somebody has a lock of type `held`
    /// on the same object: the matrices in the comments of MySQL's `mdl.cc`.
    private func goesTogether(withHeld held: ExactText) -> Bool {
        switch object.type {
        case "TABLE", "FUNCTION", "PROCEDURE", "TRIGGER", "EVENT":
            Self.excludedByHeld[type].map { !$0.contains(held) } ?? false
        // EXCLUSIVE on MySQL, SHARED_NO_WRITE on MariaDB.
        case "USER LEVEL LOCK": false
        default: type == held && type != "EXCLUSIVE"
        }
    }

    /// A lock that shuts out others is served before those whom it would shut
    /// out, or busy readers would keep it waiting for ever.
    private func waits(behindWanted wanted: ExactText) -> Bool {
        switch object.type {
        case "TABLE", "FUNCTION", "PROCEDURE", "TRIGGER", "EVENT":
            ["EXCLUSIVE", "SHARED_NO_READ_WRITE", "SHARED_NO_WRITE"].contains(wanted) && wanted != type
                && !goesTogether(withHeld: wanted)
        // Of several who wait for one name, none is in another's way until it has it.
        case "USER LEVEL LOCK": false
        default: type != "EXCLUSIVE" && wanted == "EXCLUSIVE" || type == "INTENTION_EXCLUSIVE" && wanted == "SHARED"
        }
    }

    /// The types that must not be held, by the type that is wanted.
    private static let excludedByHeld: [ExactText: Set<ExactText>] = {
        let exclusive: Set<ExactText> = ["EXCLUSIVE"]
        let readers: Set<ExactText> = ["SHARED_READ"]
        let writers: Set<ExactText> = ["SHARED_WRITE", "SHARED_WRITE_LOW_PRIO"]
        let all = readers.union(writers).union(exclusive).union([
            "SHARED", "SHARED_HIGH_PRIO", "SHARED_UPGRADABLE", "SHARED_READ_ONLY", "SHARED_NO_WRITE",
            "SHARED_NO_READ_WRITE",
        ])
        let noReadWrite = exclusive.union(["SHARED_NO_READ_WRITE"])
        let noWrite = noReadWrite.union(["SHARED_NO_WRITE"])
        return [
            "SHARED": exclusive, "SHARED_HIGH_PRIO": exclusive, "SHARED_READ": noReadWrite,
            "SHARED_WRITE": noWrite.union(["SHARED_READ_ONLY"]),
            "SHARED_WRITE_LOW_PRIO": noWrite.union(["SHARED_READ_ONLY"]),
            "SHARED_UPGRADABLE": noWrite.union(["SHARED_UPGRADABLE"]),
            "SHARED_READ_ONLY": noReadWrite.union(writers),
            "SHARED_NO_WRITE": noWrite.union(writers).union(["SHARED_UPGRADABLE"]),
            "SHARED_NO_READ_WRITE": all.subtracting(["SHARED", "SHARED_HIGH_PRIO"]), "EXCLUSIVE": all,
        ]
    }()
}

extension MetadataLock.Object {
    fileprivate func lock(_ mode: String) -> Lock {
        let names = [schema, name].compactMap { $0 }
        return Lock(
            kind: type == "USER LEVEL LOCK" ? .user : .metadata,
            object: names.isEmpty ? type.text : names.joined(separator: "."), mode: mode)
    }
}
