import MySQLWire

/// The response to a statement.
struct Response {
    var answers: [Answer]
    /// Whether the ODP answers itself: with status 0.
    var isCommand = true
    /// After the response the ODP closes the connection.
    var endsSession = false

    init(_ answer: Answer, isCommand: Bool = true, endsSession: Bool = false) {
        answers = [answer]
        self.isCommand = isCommand
        self.endsSession = endsSession
    }
}

/// The words of each statement in a text, in lower case.
func words(of text: String) -> [[String]] {
    text.lowercased().utf8.split(separator: UInt8(ascii: ";")).map { statement in
        statement.split(whereSeparator: { " \n\t,".utf8.contains($0) }).map { String(Substring($0)) }
    }.filter { !$0.isEmpty }
}

extension ODPDouble.State {
    mutating func response(to statements: [[String]], of id: UInt32) -> Response {
        // [P] Several statements are no command to the ODP: the database server gets them, and knows no PROXYSESSION.
        if statements.count > 1 {
            var response = Response(.ok, isCommand: false)
            response.answers = []
            for statement in statements {
                guard !statement.contains("proxysession") else {
                    response.answers.append(.syntax)
                    break
                }
                response.answers.append(onServer(statement, of: id))
            }
            return response
        }
        guard let words = statements.first else { return Response(.syntax, isCommand: false) }
        switch (words.first ?? "", words.dropFirst().first ?? "") {
        case ("show", "proxysession"): return Response(showProxySession(Array(words.dropFirst(2)), of: id))
        case ("show", "processlist") where words.count == 2 && settings.idVersion == 1:
            return Response(.rows(Columns.processList, visible(to: id).map(\.processListRow)))
        case ("kill", _): return kill(Array(words.dropFirst()), by: id)
        case ("select", "proxy_version()"):
            guard let version = settings.version else {
                return Response(
                    .error(1_305, state: "42000", "FUNCTION proxy_version does not exist"), isCommand: false)
            }
            return Response(.rows([Column(aliases(in: words).first ?? "proxy_version()")], [[version]]))
        default: return Response(onServer(words, of: id), isCommand: false)
        }
    }

    /// root@proxysys and every user of the tenant sys see all sessions, all others their own only [P].
    private func visible(to id: UInt32) -> [ODPDouble.Session] {
        guard let own = sessions[id] else { return [] }
        let all = ["sys", "proxysys"].contains(own.tenant) ? Array(sessions.values) : [own]
        return all.sorted { $0.id < $1.id }
    }

    private func showProxySession(_ words: [String], of id: UInt32) -> Answer {
        guard let first = words.first else {
            let columns = settings.showsSSL ? Columns.list : Array(Columns.list.dropLast())
            return .encodedRows(columns, visible(to: id).compactMap { listRows[$0.id] })
        }
        guard first == "attribute" else { return .badCommand }
        guard words.count > 1 else {
            return sessions[id].map { $0.attributes(process: settings.processID) } ?? .badCommand
        }
        guard let number = commandNumber(words[1]) else { return .badCommand }
        // [P] No right is needed to look at any session by its id.
        return find(number).map { $0.attributes(process: settings.processID) } ?? notFound(number)
    }

    // MARK: KILL

    private mutating func kill(_ words: [String], by id: UInt32) -> Response {
        guard let own = sessions[id] else { return Response(.badCommand) }
        switch words.first {
        case "proxysession"?: return killProxySession(Array(words.dropFirst()), by: own)
        case "query"?:
            // [P] Not within a transaction; an id that does not decode; other tenants are hidden; nothing happens to
            // who is idle.
            guard !own.isInTransaction else {
                return Response(.error(1_235, state: "0A000", "Not supported feature or function"))
            }
            guard words.count > 1, let number = commandNumber(words[1]) else { return Response(.badCommand) }
            guard let target = find(number) else { return Response(.error(4_081, state: "HY000", "Unknown result")) }
            return Response(target.tenant == own.tenant ? .ok : .unknownThread(number))
        default:
            let word = words.first == "connection" ? words.dropFirst().first : words.first
            guard let number = word.flatMap(commandNumber) else { return Response(.badCommand) }
            guard settings.idVersion == 2 else { return kill(number, by: own) }
            // [I] A database server ends the session without a packet, and the ODP with it.
            if number == UInt64(id) { return Response(.ok, isCommand: false, endsSession: true) }
            guard let target = find(number) else { return Response(.unknownThread(number), isCommand: false) }
            ending.append(target.id)
            return Response(.ok, isCommand: false)
        }
    }

    private mutating func killProxySession(_ words: [String], by own: ODPDouble.Session) -> Response {
        // [P] To anybody else it is as good as nonsense.
        guard own.user == "root", ["sys", "proxysys"].contains(own.tenant) else { return Response(.badCommand) }
        let numbers = words.map(commandNumber)
        guard (1...2).contains(numbers.count), let first = numbers[0] else { return Response(.badCommand) }
        guard numbers.count == 2 else { return kill(first, by: own) }
        guard let second = numbers[1] else { return Response(.badCommand) }
        guard let target = find(first) else { return Response(notFound(first)) }
        guard target.connections.contains(where: { $0.id == Int(second) }) else {
            return Response(.unknownThread(second))
        }
        if settings.closeDelay != nil {
            sessions[target.id]?.connections.removeAll { $0.id == Int(second) }
            renewListRow(target.id)
        }
        return Response(.ok)
    }

    private mutating func kill(_ number: UInt64, by own: ODPDouble.Session) -> Response {
        guard let target = find(number) else { return Response(notFound(number)) }
        if target.id == own.id {
            return Response(.error(1_317, state: "70100", "Query execution was interrupted"), endsSession: true)
        }
        if own.tenant == "sys" {
            // [P] Before 4.2.3 the tenant sys had no more rights than others.
            if settings.version.map({ $0 < "4.2.3" }) ?? true, target.tenant != "sys" {
                return Response(.unknownThread(number))
            }
            if target.cluster != own.cluster {
                return Response(.error(1_095, state: "HY000", "You are not owner of thread \(number)"))
            }
        } else if own.tenant != "proxysys" {
            guard target.tenant == own.tenant else { return Response(.unknownThread(number)) }
            guard target.user == own.user else {
                return Response(.error(1_095, state: "HY000", "You are not owner of thread \(number)"))
            }
        }
        ending.append(target.id)
        return Response(.ok)
    }

    /// [P] Of the lexer: 1 to 17 digits.
    private func commandNumber(_ word: String) -> UInt64? {
        word.utf8.count <= 17 && word.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt64(word) : nil
    }

    /// By the session's id, or that of one of its connections if the 32nd bit is set.
    private func find(_ number: UInt64) -> ODPDouble.Session? {
        guard let id = UInt32(exactly: number) else { return nil }
        guard id >= 1 << 31 else { return sessions[id] }
        return sessions.values.first { $0.connections.contains { $0.serverID == id } }
    }

    private func notFound(_ number: UInt64) -> Answer {
        settings.saysInternalError ? .error(4_016, state: "HY000", "Internal error") : .unknownThread(number)
    }

    /// Whose connections are to end now, and when.
    mutating func takeToEnd() -> [(UInt32, Duration)] {
        defer { ending = [] }
        guard let delay = settings.closeDelay else { return [] }
        return ending.map { ($0, delay) }
    }

    // MARK: What the database servers answer

    private mutating func onServer(_ words: [String], of id: UInt32) -> Answer {
        guard let own = sessions[id] else { return .syntax }
        switch words.first {
        case "set"?, "do"?, "use"?: return .ok
        case "begin"?:
            sessions[id]?.isInTransaction = true
            return .ok
        case "commit"?, "rollback"?:
            sessions[id]?.isInTransaction = false
            sessions[id]?.transactionCount += 1
            renewListRow(id)
            return .ok
        case "show"? where words.count > 1 && words.last == "processlist":
            // Their own ids, which are others than the ODP's with session ids of version 1.
            return .rows(Columns.serverProcessList, sessions.values.flatMap(\.serverProcessListRows))
        case "select"?:
            if words.contains("oceanbase.gv$ob_processlist") { return serverList(words, for: own) }
            guard words.count > 1, words[1].hasPrefix("connection_id()") else {
                return .rows([Column("1", .longLong)], [["1"]])
            }
            // OceanBase takes what only MariaDB reads for a comment.
            let values = [String(own.connections.first?.serverID ?? 0), "5.7.25-OceanBase-v4.3.1.0", "0"]
            let names = aliases(in: words)
            let columns = [
                Column(names.first ?? "connection_id()", .longLong), Column(names.dropFirst().first ?? "version()"),
                Column(names.dropFirst(2).first ?? "0", .longLong),
            ]
            let count = words.contains("version()") ? max(2, names.count) : 1
            return .rows(Array(columns.prefix(count)), [Array(values.prefix(count))])
        default: return .syntax
        }
    }

    private func aliases(in words: [String]) -> [String] {
        zip(words, words.dropFirst()).compactMap { $0 == "as" ? $1 : nil }
    }

    private func serverList(_ words: [String], for own: ODPDouble.Session) -> Answer {
        guard !settings.lacksProcessList else {
            return .error(1_146, state: "42S02", "Table 'oceanbase.GV$OB_PROCESSLIST' doesn't exist")
        }
        // SELECT 1, or columns that are all named.
        let named = aliases(in: words)
        let names = named.isEmpty ? ["1"] : named
        let wanted: Set<String>? = words.firstIndex(of: "in").map { index in
            Set(words[(index + 1)...].map { $0.filter(\.isWholeNumber) })
        }
        // `GV$OB_PROCESSLIST` of a tenant shows that tenant.
        let mine = sessions.values.filter { own.tenant == "sys" || $0.tenant == own.tenant }
        let rows = mine.flatMap { session in session.connections.map { (session.proxySessionID, $0) } } + dying
        let range = words.firstIndex(of: "between").flatMap { index -> ClosedRange<UInt64>? in
            guard words.count > index + 3, let first = UInt64(words[index + 1]), let last = UInt64(words[index + 3]),
                first <= last
            else { return nil }
            return first...last
        }
        let found = rows.filter { row in wanted?.contains(String(row.0)) ?? range?.contains(row.0) ?? true }
        return .rows(
            names.map { Column($0.uppercased(), $0 == "id" || $0 == "proxy_sessid" ? .longLong : .varchar) },
            found.map { proxySessionID, connection in
                names.map { connection.value(of: $0, proxySessionID: proxySessionID) }
            })
    }
}

extension Answer {
    fileprivate static let badCommand = Answer.error(5_010, state: "21000", "Unknown operator, bad internal cmd")
}
