import Text

/// Who holds locks that are no table's, whether or not anybody waits for them, as far as the server tells.
public struct HeldLocks: Hashable, Sendable {
    /// Who keeps the whole server from writing, or from changing definitions: a global read lock or a backup lock.
    public var global: Set<ThreadID>
    /// Who holds a lock that `GET_LOCK` took.
    public var user: Set<ThreadID>

    public init(global: Set<ThreadID> = [], user: Set<ThreadID> = []) {
        self.global = global
        self.user = user
    }
}

extension HeldLocks {
    /// With those that somebody waits for.
    func adding(_ waits: LockWaits) -> HeldLocks {
        waits.known.reduce(into: self) { held, wait in
            guard let holder = wait.holder else { return }
            if wait.lock.kind == .user { held.user.insert(holder) }
            if wait.lock.isGlobalReadOrBackupLock { held.global.insert(holder) }
        }
    }
}

extension Lock {
    /// Whether it keeps all others of the server from writing or from changing definitions.
    ///
    /// Whoever writes holds locks of the same objects, of other types.
    public var isGlobalReadOrBackupLock: Bool {
        guard kind == .metadata else { return false }
        return Self.isGlobalReadOrBackupLock(object: ExactText(object), type: ExactText(mode ?? ""))
    }

    /// - Parameters:
    ///   - object: the kind of object, as `metadata_locks` or METADATA_LOCK_INFO names it.
    ///   - type: as there.
    public static func isGlobalReadOrBackupLock(object: ExactText, type: ExactText) -> Bool {
        switch object {
        // MySQL
        case "GLOBAL", "COMMIT", "BACKUP LOCK": type == "SHARED" || type == "EXCLUSIVE"
        // MariaDB, in METADATA_LOCK_INFO with MDL_ before it
        case "BACKUP", "Backup lock":
            typesOfMariaDB.contains { type.text.isSame(as: $0) || type.text.isSame(as: "MDL_" + $0) }
        default: false
        }
    }

    /// The others are taken by whoever writes or changes a definition: `mdl.h` of MariaDB 10.11.
    private static let typesOfMariaDB = [
        "BACKUP_START", "BACKUP_FLUSH", "BACKUP_WAIT_FLUSH", "BACKUP_WAIT_DDL", "BACKUP_BLOCK_DDL",
        "BACKUP_WAIT_COMMIT", "BACKUP_FTWRL1", "BACKUP_FTWRL2",
    ]
}
