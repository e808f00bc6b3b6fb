import SessionKill

/// Which sessions a process list is to show: those for which everything holds
/// that was asked for.
///
/// An empty text asks for nothing: several SDKs drop it from queries and forms
/// and send it in JSON, and the same call must mean the same in both.
struct SessionFilter {
    private let request: DescribeMySqlProcessListRequest

    init(_ request: DescribeMySqlProcessListRequest) { self.request = request }

    func selects(_ session: Session) -> Bool {
        let picture = session.picture
        return request.ID.map { $0 == UInt64(session.id.rawValue) } != false
            && Self.holds(request.User) { $0.utf8.elementsEqual(session.identity.user.utf8) }
            && Self.holds(request.Host) { session.identity.comesFrom($0) }
            && Self.holds(request.DB) { picture.database?.utf8.elementsEqual($0.utf8) == true }
            && Self.holds(request.State) { picture.state?.isSameWord(as: $0) == true }
            && Self.holds(request.Command) { picture.command.isSameWord(as: $0) }
            && request.Time.map { UInt64(clamping: picture.seconds ?? 0) > $0 } != false
            && Self.holds(request.Info) { picture.statement?.utf8.firstRange(of: $0.utf8) != nil }
    }

    private static func holds(_ wanted: String?, _ condition: (String) -> Bool) -> Bool {
        guard let wanted, !wanted.isEmpty else { return true }
        return condition(wanted)
    }
}

extension SessionIdentity {
    /// Whether the server shows the client as `address`, or as `address` with a
    /// port.
    fileprivate func comesFrom(_ address: String) -> Bool {
        if host.utf8.elementsEqual(address.utf8) { return true }
        guard let colon = host.utf8.lastIndex(of: UInt8(ascii: ":")) else { return false }
        return host.utf8[..<colon].elementsEqual(address.utf8)
    }
}

extension String {
    /// Whether it is `word` with ASCII letters of either case: the vendor writes
    /// the state `updating` with a capital as well.
    fileprivate func isSameWord(as word: String) -> Bool {
        func folded(_ byte: UInt8) -> UInt8 {
            (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
        }
        return utf8.elementsEqual(word.utf8) { folded($0) == folded($1) }
    }
}
