import SessionKill
import Text

/// Which sessions a process list is to show: those for which everything holds
/// that was asked for.
///
/// Of states and commands ASCII letters of either case are alike: the vendor
/// writes the state `updating` with a capital as well. All else is compared by
/// its bytes.
///
/// An empty text asks for nothing: several SDKs drop it from queries and forms
/// and send it in JSON, and the same call must mean the same in both.
struct SessionFilter {
    private let request: DescribeMySqlProcessListRequest

    init(_ request: DescribeMySqlProcessListRequest) { self.request = request }

    func selects(_ session: Session) -> Bool {
        let details = session.details
        return request.ID.map { $0 == UInt64(session.id.rawValue) } != false
            && Self.holds(request.User) { $0.isSame(as: session.identity.user) }
            && Self.holds(request.Host) { session.identity.comesFrom($0) }
            && Self.holds(request.DB) { details.database?.isSame(as: $0) == true }
            && Self.holds(request.State) { details.state?.utf8.isSameWord(as: $0) == true }
            && Self.holds(request.Command) { details.command.utf8.isSameWord(as: $0) }
            && request.Time.map { UInt64(clamping: details.seconds ?? 0) > $0 } != false
            && Self.holds(request.Info) { details.statement?.hasBytes(of: $0) == true }
    }

    private static func holds(_ wanted: String?, _ condition: (String) -> Bool) -> Bool {
        guard let wanted, !wanted.isEmpty else { return true }
        return condition(wanted)
    }
}
