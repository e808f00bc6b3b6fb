import SessionKill

/// An outcome as it stands in the columns `outcome` and `outcome_detail`.
struct OutcomeColumns: Hashable, Sendable {
    var outcome: String
    var detail: String?

    init(outcome: String, detail: String?) {
        self.outcome = outcome
        self.detail = detail
    }

    init(_ outcome: Outcome) { self.init(outcome: outcome.kind.rawValue, detail: outcome.detail) }

    /// `nil` if the columns hold what no outcome is stored as.
    var value: Outcome? {
        switch (Outcome.Kind(rawValue: outcome), detail) {
        case (.killed, nil): .killed
        case (.rollingBack, let detail?): UInt64(detail).map(Outcome.rollingBack)
        case (.gone, nil): .gone
        case (.replaced, nil): .replaced
        case (.protected, let detail?): Protection(rawValue: detail).map(Outcome.protected)
        case (.denied, let message): .denied(message)
        case (.xaPrepared, nil): .xaPrepared
        case (.xaUnknown, nil): .xaUnknown
        case (.alreadyCommitted, nil): .alreadyCommitted
        case (.failed, let detail?): .failed(detail)
        case (.ended, nil): .ended
        case (.unknown, nil): .unknown
        default: nil
        }
    }
}
