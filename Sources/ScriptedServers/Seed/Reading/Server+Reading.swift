import Parameters
import SessionKill
import Settings

extension Seed.Server {
    /// Reads `server` and `sessions`.
    init(_ reader: inout SeedReader, _ kind: Seed.Kind, _ version: String) throws(SeedError) {
        self.kind = kind
        self.version = version
        let list = try SeedSessions(&reader, kind)
        sessions = list.sessions
        let given = try reader.object("server")
        var server = if let given { given } else { try SeedReader(.object([]), at: reader.place.member("server")) }
        hostname = try server.string("hostname") ?? (kind == .oceanBaseODP ? "10.0.0.9" : "db1")
        if kind == .oceanBaseODP, IPv4Address(hostname) == nil {
            throw server.error("hostname", "expected an address such as \"10.0.0.9\", by which an ODP is told")
        }
        port = try server.integer("port", in: 1...65_535) ?? (kind == .oceanBaseODP ? 2_883 : 3_306)
        serverID = UInt64(try server.integer("serverId", in: 1...Int(UInt32.max)) ?? 1)
        uptime = Int64(try server.integer("uptimeSeconds", in: 0...3_153_600_000) ?? 864_000)
        showsPerformanceSchema = try server.boolean("performanceSchema") ?? (kind == .mysql)
        if showsPerformanceSchema, kind == .oceanBaseODP {
            throw server.error("performanceSchema", "an ODP has none; leave it out")
        }
        strongestGuard = try server.choice("guard", KillGuard.self) ?? kind.guards(showsPerformanceSchema)[0]
        guard kind.guards(showsPerformanceSchema).contains(strongestGuard) else {
            let guards = kind.guards(showsPerformanceSchema).map(\.rawValue).joined(separator: ", ")
            throw server.error("guard", "expected what this server can run: \(guards)")
        }
        lacks = try server.privileges("lacks")
        users = []
        if server.value("users") != nil {
            for var user in try server.objects("users") { users.append(try Seed.User(&user)) }
            try SeedReader.refuseRepetition(of: users.map(\.name), in: server.place.member("users"), "name")
        }
        faults = try server.faults("faults", kind)
        try server.refuseUnknownKeys()
    }
}

extension Seed.Kind {
    /// Those that a server can run, the strongest first.
    fileprivate func guards(_ showsPerformanceSchema: Bool) -> [KillGuard] {
        switch self {
        case .mysql: (showsPerformanceSchema ? [.threadID] : []) + [.list, .listBefore]
        case .mariadb: [.queryID, .list, .listBefore]
        case .oceanBaseODP: [.listBefore]
        }
    }
}

extension Seed.User {
    fileprivate init(_ reader: inout SeedReader) throws(SeedError) {
        name = try reader.requiredString("name")
        password = try reader.requiredString("password")
        privileges = try reader.privileges("may")
        do throws(DatabaseLogin.Defect) {
            _ = try DatabaseLogin(user: name, password: DatabasePassword(password))
        } catch {
            throw reader.error(error == .user ? "name" : "password", "expected at most \(DatabaseLogin.longest) bytes")
        }
        try reader.refuseUnknownKeys()
    }
}

extension SeedReader {
    fileprivate mutating func privileges(_ key: String) throws(SeedError) -> Set<Seed.Privilege> {
        var privileges: Set<Seed.Privilege> = []
        for word in try strings(key) ?? [] {
            guard let privilege = Seed.Privilege(rawValue: word) else {
                let words = Seed.Privilege.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
                throw error(key, "expected some of \(words), found \"\(word)\"")
            }
            privileges.insert(privilege)
        }
        return privileges
    }

    fileprivate mutating func faults(_ key: String, _ kind: Seed.Kind) throws(SeedError) -> [Seed.Fault] {
        guard let value = value(key) else { return [] }
        guard case .array(let elements) = value else {
            throw error(key, "expected a list: [\"unreachable\", { \"restarts\": { … } }, …]")
        }
        var faults: [Seed.Fault] = []
        for (index, element) in elements.enumerated() {
            faults.append(try Seed.Fault(Script(element, FaultWord.self, at: place.member(key).element(index)), kind))
        }
        return faults
    }
}

/// What ``Seed/Server/faults`` can hold.
enum FaultWord: String, CaseIterable {
    case unreachable, tooManyConnections, loginRefused, tlsUnavailable, behindProxy, unexpectedKind, resultTooLarge
    case senseless, hangs, losesConnection, restarts, failsOver
}

extension Seed.Fault {
    fileprivate init(_ script: Script<FaultWord>, _ kind: Seed.Kind) throws(SeedError) {
        var reader = try script.reader()
        let when = try reader.moment("when")
        switch script.word {
        case .hangs:
            self.kind = .hangs(seconds: try reader.secondsOrForever("seconds"))
            (moment, times) = (when ?? .fromTheStart, nil)
        case .losesConnection:
            self.kind = .losesConnection
            (moment, times) = (when ?? .afterKill, try reader.integer("times", in: 1...1_000_000) ?? 1)
        case .restarts, .failsOver:
            let sessions = try SeedSessions(&reader, kind).sessions
            self.kind = script.word == .restarts ? .restarts(sessions) : .failsOver(sessions)
            (moment, times) = (when ?? .beforeCommit, 1)
        default:
            guard let refusal = Refusal(rawValue: script.word.rawValue) else {
                throw SeedError(at: script.place, found: nil, "expected a fault")
            }
            self.kind = .refuses(refusal)
            (moment, times) = (when ?? .fromTheStart, try reader.integer("times", in: 1...1_000_000))
        }
        try reader.refuseUnknownKeys()
    }
}

extension SeedReader {
    /// When something happens.
    mutating func moment(_ key: String) throws(SeedError) -> Seed.Moment? {
        switch value(key) {
        case nil: return nil
        case .string:
            switch try choice(key, Seed.Moment.Word.self) {
            case .beforeCommit?: return .beforeCommit
            case .beforeKill?: return .beforeKill
            case .afterKill?: return .afterKill
            case nil: return nil
            }
        case .object?:
            guard var reader = try object(key) else { return nil }
            let looks = try reader.integer("afterLooks", in: 1...1_000_000)
            let seconds = try reader.integer("afterSeconds", in: 1...315_360_000)
            try reader.refuseUnknownKeys()
            switch (looks, seconds) {
            case (let looks?, nil): return .afterLooks(looks)
            case (nil, let seconds?): return .afterSeconds(seconds)
            default: throw error(key, "expected either { \"afterLooks\": N } or { \"afterSeconds\": N }")
            }
        default:
            let words = Seed.Moment.Word.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
            throw error(key, "expected \(words), { \"afterLooks\": N } or { \"afterSeconds\": N }")
        }
    }

    /// - Returns: `nil` for ever, which is also meant if nothing stands there.
    fileprivate mutating func secondsOrForever(_ key: String) throws(SeedError) -> Int? {
        if case .string("forever")? = value(key) { return nil }
        guard value(key) != nil else { return nil }
        guard case .number? = value(key) else { throw error(key, "expected a number of seconds, or \"forever\"") }
        return try integer(key, in: 1...315_360_000)
    }
}

extension Seed.Moment {
    enum Word: String, CaseIterable { case beforeCommit, beforeKill, afterKill }
}

/// A word, or an object with a word and what goes with it: `"dies"`, `{ "dies": { … } }`.
struct Script<Word: RawRepresentable & CaseIterable> where Word.RawValue == String {
    let word: Word
    /// `nil` if the word stands alone.
    let argument: ParameterTree?
    let place: SettingsPlace

    init(_ tree: ParameterTree, _: Word.Type, at place: SettingsPlace) throws(SeedError) {
        let words = Word.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
        let name: String
        switch tree {
        case .string(let text): (name, argument, self.place) = (text, nil, place)
        case .object(let members) where members.count == 1:
            (name, argument, self.place) = (members[0].name, members[0].value, place.member(members[0].name))
        default:
            throw SeedError(
                at: place, found: nil, "expected one of \(words), or an object with one of them and what goes with it")
        }
        guard let word = Word(rawValue: name) else {
            throw SeedError(at: place, found: .string(name), "expected one of \(words), found \"\(name)\"")
        }
        self.word = word
    }

    /// A reader of what goes with the word; of nothing, if nothing does.
    func reader() throws(SeedError) -> SeedReader { try SeedReader(argument ?? .object([]), at: place) }
}

/// The four numbers of an address such as `10.0.0.9` in one.
struct IPv4Address {
    let number: UInt64

    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).compactMap { UInt8($0) }
        guard parts.count == 4 else { return nil }
        number = parts.reduce(0) { $0 << 8 | UInt64($1) }
    }
}
