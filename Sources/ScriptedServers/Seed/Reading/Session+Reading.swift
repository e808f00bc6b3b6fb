import Parameters
import SessionKill
import Settings

/// The `sessions` of a server.
struct SeedSessions {
    private(set) var sessions: [Seed.Session] = []

    init(_ reader: inout SeedReader, _ kind: Seed.Kind) throws(SeedError) {
        guard let value = reader.value("sessions") else { return }
        guard case .array(let elements) = value else { throw reader.error("sessions", "expected a list: [{ … }]") }
        let place = reader.place.member("sessions")
        var holders: [ThreadID: [Lock]] = [:]
        var readers: [SeedReader] = []
        // First who is there and what they hold: others may wait for somebody further down.
        for (index, element) in elements.enumerated() {
            var session = try SeedReader(element, at: place.element(index))
            let id = try session.threadID("id")
            guard holders.updateValue(try session.locks("holds", kind), forKey: id) == nil else {
                throw session.error("id", "\(id) is used twice; each session has an id of its own")
            }
            readers.append(session)
        }
        for var session in readers {
            sessions.append(try Seed.Session(&session, kind, holders))
            try session.refuseUnknownKeys()
        }
    }
}

extension Seed.Session {
    fileprivate init(_ reader: inout SeedReader, _ kind: Seed.Kind, _ holders: [ThreadID: [Lock]]) throws(SeedError) {
        id = try reader.threadID("id")
        locks = holders[id] ?? []
        user = try reader.requiredString("user")
        host = try reader.text("host") ?? "10.0.0.7:\(10_000 + id.rawValue % 50_000)"
        client = try ClientAttributes(&reader)
        proxy = try Seed.Proxy(&reader, kind, id)
        waitsFor = try reader.wait("waitsFor", of: id, kind, holders)
        details = try Seed.Details(&reader, kind, waitingFor: waitsFor)
        reaction = .dies(afterLooks: 0, afterSeconds: 0)
        happenings = []
        statements = []
        try readBehaviour(&reader, kind)
    }

    // MARK: Behaviour

    private mutating func readBehaviour(_ reader: inout SeedReader, _ kind: Seed.Kind) throws(SeedError) {
        guard let value = reader.value("behaviour") else { return }
        let place = reader.place.member("behaviour")
        var scripts: [Script<BehaviourWord>] = []
        if case .array(let elements) = value {
            for (index, element) in elements.enumerated() {
                scripts.append(try Script(element, BehaviourWord.self, at: place.element(index)))
            }
        } else {
            scripts.append(try Script(value, BehaviourWord.self, at: place))
        }
        if let second = scripts.filter(\.word.isReaction).dropFirst().first {
            throw SeedError(
                at: second.place, found: nil, "a session does one thing when it is killed; say only one of them")
        }
        for script in scripts { try read(script, kind) }
    }

    private mutating func read(_ script: Script<BehaviourWord>, _ kind: Seed.Kind) throws(SeedError) {
        if script.word == .statements {
            guard case .array(let elements)? = script.argument, !elements.isEmpty else {
                throw SeedError(at: script.place, found: script.argument, "expected a list of statements: [\"…\", …]")
            }
            for (index, element) in elements.enumerated() {
                guard case .string(let text) = element, !text.isEmpty else {
                    throw SeedError(at: script.place.element(index), found: element, "expected a statement")
                }
                statements.append(text)
            }
            if details.command == "Sleep" { (details.command, details.state) = ("Query", kind.stateOfStatement) }
            return
        }
        var reader = try script.reader()
        switch script.word {
        case .dies:
            reaction = .dies(
                afterLooks: try reader.integer("afterLooks", in: 1...1_000_000) ?? 0,
                afterSeconds: try reader.integer("afterSeconds", in: 1...315_360_000) ?? 0)
        case .rollsBack:
            guard let seconds = try reader.integer("seconds", in: 1...315_360_000) else {
                throw reader.error("seconds", "missing; expected for how many seconds its transaction is undone")
            }
            let rows = try reader.integer("rows", in: 1...Int.max).map(UInt64.init)
            var transaction =
                details.transaction ?? Seed.Transaction(seconds: details.seconds ?? 0, rows: 1, state: "RUNNING")
            transaction.rows = rows ?? transaction.rows.map { max($0, 1) }
            details.transaction = transaction
            reaction = .rollsBack(seconds: seconds)
        case .refuses: reaction = .refuses(try Seed.Reaction.ServerError(&reader, of: id))
        case .survives: reaction = .survives
        case .unkillable: reaction = .unkillable
        case .unguardable: reaction = .unguardable
        case .waitsForReplica:
            let seconds = try reader.integer("seconds", in: 1...315_360_000)
            details.command = "Query"
            details.state = "Waiting for semi-sync ACK from \(kind == .mariadb ? "slave" : "replica")"
            details.statement = details.statement ?? "COMMIT"
            // MariaDB lets go at once.
            reaction =
                kind == .mariadb
                ? .dies(afterLooks: 0, afterSeconds: 0)
                : seconds.map { .dies(afterLooks: 0, afterSeconds: $0) } ?? .survives
        case .vanishes:
            happenings.append(
                Seed.Happening(kind: .vanishes, moment: try reader.moment("when") ?? .beforeCommit))
        case .replaced:
            let moment = try reader.moment("when") ?? .beforeCommit
            guard var by = try reader.object("by") else {
                throw reader.error("by", "missing; expected who has the id then: { \"user\": … }")
            }
            let successor = try Seed.Successor(&by, kind)
            try by.refuseUnknownKeys()
            happenings.append(Seed.Happening(kind: .replaced(successor), moment: moment))
        case .changes:
            let moment = try reader.moment("when") ?? .beforeCommit
            guard var to = try reader.object("to") else {
                throw reader.error("to", "missing; expected what it does then: { \"info\": … }")
            }
            let changed = try Seed.Details(&to, kind, waitingFor: nil, before: details)
            try to.refuseUnknownKeys()
            happenings.append(Seed.Happening(kind: .changes(changed), moment: moment))
        case .statements: break
        }
        try reader.refuseUnknownKeys()
    }
}

/// What ``Seed/Session``'s `behaviour` can hold.
enum BehaviourWord: String, CaseIterable {
    case dies, rollsBack, refuses, survives, unkillable, unguardable, waitsForReplica
    case vanishes, replaced, changes, statements

    /// Whether it says what a session does when it is killed.
    var isReaction: Bool {
        switch self {
        case .dies, .rollsBack, .refuses, .survives, .unkillable, .unguardable, .waitsForReplica: true
        case .vanishes, .replaced, .changes, .statements: false
        }
    }
}

extension Seed.Reaction.ServerError {
    /// The usual one is 1095.
    fileprivate init(_ reader: inout SeedReader, of id: ThreadID) throws(SeedError) {
        code = UInt32(try reader.integer("code", in: 1_000...65_535) ?? 1_095)
        let message = try reader.string("message")
        guard code == 1_095 || message != nil else {
            throw reader.error("message", "missing; expected the server's words")
        }
        self.message = message ?? "You are not owner of thread \(id)"
    }
}

extension Seed.Successor {
    fileprivate init(_ reader: inout SeedReader, _ kind: Seed.Kind) throws(SeedError) {
        user = try reader.requiredString("user")
        host = try reader.text("host")
        client = try ClientAttributes(&reader)
        details = try Seed.Details(&reader, kind, waitingFor: nil)
    }
}

// MARK: What a session does

extension Seed.Details {
    /// - Parameter before: what stays as it was where nothing else is said.
    fileprivate init(
        _ reader: inout SeedReader, _ kind: Seed.Kind, waitingFor wait: Seed.Wait?, before: Seed.Details? = nil
    ) throws(SeedError) {
        database = try reader.string("db") ?? before?.database
        let info = try reader.text("info")
        let namedCommand = try reader.text("command")
        let runs = info != nil || wait != nil
        command = namedCommand ?? (runs ? "Query" : before?.command ?? "Sleep")
        let isAsleep = command == "Sleep"
        seconds = Int64(try reader.integer("time", in: 0...3_153_600_000) ?? 0)
        let isNews = before == nil || info != nil || namedCommand != nil
        let usualState = isAsleep ? "" : wait.map { $0.state(of: kind) } ?? kind.stateOfStatement
        state = try reader.text("state") ?? (isNews ? usualState : before?.state)
        statement = info ?? (isAsleep ? nil : before?.statement)
        transaction = try reader.transaction("transaction", of: wait) ?? before?.transaction
        if transaction == nil, wait?.isOfRow == true {
            transaction = Seed.Transaction(seconds: seconds ?? 0, rows: 0, state: "LOCK WAIT")
        }
        hasPreparedXA = try reader.boolean("xaPrepared") ?? before?.hasPreparedXA ?? false
        if hasPreparedXA, transaction == nil {
            transaction = Seed.Transaction(seconds: seconds ?? 0, rows: 1, state: "RUNNING")
        }
    }
}

extension Seed.Kind {
    /// What a session shows as its state while it runs a statement.
    var stateOfStatement: String { self == .mariadb ? "Sending data" : "executing" }
}

extension Seed.Wait {
    var isOfRow: Bool {
        if case .lock(let lock, _) = self { lock.kind == .row } else { false }
    }

    fileprivate func state(of kind: Seed.Kind) -> String {
        guard case .lock(let lock, _) = self else { return "Waiting for table metadata lock" }
        switch lock.kind {
        case .row: return kind == .mariadb ? "Updating" : "updating"
        case .metadata where lock.isGlobalReadOrBackupLock: return "Waiting for global read lock"
        case .metadata: return "Waiting for table metadata lock"
        case .user: return "User lock"
        }
    }
}

extension ClientAttributes {
    fileprivate init?(_ reader: inout SeedReader) throws(SeedError) {
        let program = try reader.string("program")
        let processID = try reader.integer("pid", in: 1...Int(Int32.max)).map(String.init)
        guard program != nil || processID != nil else { return nil }
        self.init(programName: program, processID: processID)
    }
}

extension Seed.Proxy {
    /// `nil` for a session of no ODP.
    fileprivate init?(_ reader: inout SeedReader, _ kind: Seed.Kind, _ id: ThreadID) throws(SeedError) {
        for key in ["cluster", "tenant", "transactions", "reached", "serverSessions"] {
            guard reader.value(key) != nil, kind != .oceanBaseODP else { continue }
            throw reader.error(key, "is for kind \"oceanbase-odp\" only")
        }
        cluster = try reader.string("cluster") ?? "ob1"
        tenant = try reader.string("tenant") ?? "shop"
        transactionCount = UInt64(try reader.integer("transactions", in: 0...Int.max) ?? 1)
        isPinnable = try reader.boolean("reached") ?? true
        serverSessions = []
        guard kind == .oceanBaseODP else { return nil }
        guard reader.value("serverSessions") != nil else { return }
        for var session in try reader.objects("serverSessions") {
            guard let number = try session.integer("id", in: 1...Int.max) else {
                throw session.error("id", "missing; expected the ODP's number for it")
            }
            let connection = try session.threadID("connectionId")
            let address = try session.string("address") ?? "10.0.0.21:2881"
            try session.refuseUnknownKeys()
            serverSessions.append(
                ServerSession(id: UInt64(number), connectionID: UInt64(connection.rawValue), address: address))
        }
    }
}

extension SeedReader {
    fileprivate mutating func threadID(_ key: String) throws(SeedError) -> ThreadID {
        guard case .number(let text)? = value(key), let id = Int64(text).flatMap({ ThreadID($0) }) else {
            let missing = value(key) == nil ? "missing; " : ""
            throw error(key, "\(missing)expected a whole number from 1 to 4294967295")
        }
        return id
    }

    /// A text, which may be empty.
    fileprivate mutating func text(_ key: String) throws(SeedError) -> String? {
        switch value(key) {
        case nil: return nil
        case .string(let text)?: return text
        case _?: throw error(key, "expected a text")
        }
    }

    fileprivate mutating func transaction(
        _ key: String, of wait: Seed.Wait?
    ) throws(SeedError) -> Seed.Transaction? {
        guard var reader = try object(key) else { return nil }
        let transaction = Seed.Transaction(
            seconds: Int64(try reader.integer("seconds", in: 0...3_153_600_000) ?? 0),
            rows: try reader.rows("rows"),
            state: try reader.string("state") ?? (wait?.isOfRow == true ? "LOCK WAIT" : "RUNNING"))
        try reader.refuseUnknownKeys()
        return transaction
    }

    /// - Returns: `nil` for a number that the server does not tell.
    private mutating func rows(_ key: String) throws(SeedError) -> UInt64? {
        switch value(key) {
        case .string("unknown")?: return nil
        case nil, .number?: return UInt64(try integer(key, in: 0...Int.max) ?? 0)
        case _?: throw error(key, "expected a whole number, or \"unknown\" where the server does not count")
        }
    }

    // MARK: Locks

    fileprivate mutating func locks(_ key: String, _ kind: Seed.Kind) throws(SeedError) -> [Lock] {
        guard value(key) != nil else { return [] }
        var locks: [Lock] = []
        for var reader in try objects(key) {
            locks.append(try reader.lock(kind))
            try reader.refuseUnknownKeys()
        }
        return locks
    }

    private enum LockKind: String, CaseIterable { case row, metadata, user, global }

    private mutating func lock(_ kind: Seed.Kind) throws(SeedError) -> Lock {
        let isMariaDB = kind == .mariadb
        guard let lockKind = try choice("kind", LockKind.self) else {
            throw error("kind", "missing; expected one of \"row\", \"metadata\", \"user\", \"global\"")
        }
        let (object, index, mode) = (try string("object"), try string("index"), try string("mode"))
        if lockKind == .global {
            return Lock(
                kind: .metadata, object: object ?? (isMariaDB ? "BACKUP" : "GLOBAL"),
                mode: mode ?? (isMariaDB ? "BACKUP_FTWRL2" : "SHARED"))
        }
        guard let object else {
            throw error("object", "missing; expected what is locked: \"shop.orders\", or the name for GET_LOCK")
        }
        switch lockKind {
        case .row:
            return Lock(
                kind: .row, object: object, index: index ?? "PRIMARY", mode: mode ?? (isMariaDB ? "X" : "X,REC_NOT_GAP")
            )
        case .metadata: return Lock(kind: .metadata, object: object, mode: mode ?? "SHARED_READ")
        case .user, .global: return Lock(kind: .user, object: object, mode: mode ?? "EXCLUSIVE")
        }
    }

    fileprivate mutating func wait(
        _ key: String, of id: ThreadID, _ kind: Seed.Kind, _ holders: [ThreadID: [Lock]]
    ) throws(SeedError) -> Seed.Wait? {
        func require(_ holder: ThreadID, _ error: (String) -> SeedError) throws(SeedError) {
            guard holder != id else { throw error("a session waits for nobody's lock but another's") }
            guard holders[holder] != nil else { throw error("there is no session \(holder) here that could hold it") }
        }
        switch value(key) {
        case nil: return nil
        case .string("unexplained")?: return .unexplained
        case .number?:
            let holder = try threadID(key)
            try require(holder) { error(key, $0) }
            guard let lock = holders[holder]?.first else {
                throw error(key, "session \(holder) holds nothing; give it \"holds\", or say here which lock it is")
            }
            return .lock(lock, holder: holder)
        case .object?:
            guard var reader = try object(key) else { return nil }
            let holder = reader.value("session") == nil ? nil : try reader.threadID("session")
            if let holder { try require(holder) { reader.error("session", $0) } }
            let lock = try reader.lock(kind)
            try reader.refuseUnknownKeys()
            return .lock(lock, holder: holder)
        case _?:
            throw error(
                key, "expected the id of a session, { \"session\": …, \"kind\": …, \"object\": … } or \"unexplained\"")
        }
    }
}
