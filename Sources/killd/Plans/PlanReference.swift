import DBbrainAPI

/// What a command calls a plan by.
enum PlanReference: CustomStringConvertible {
    case name(String)
    /// Its `SqlExecId`.
    case ticket(String)

    var description: String {
        switch self {
        case .name(let word), .ticket(let word): word
        }
    }

    /// The one word that is left.
    init(_ arguments: inout Arguments) throws(UsageError) {
        let words = try arguments.positional()
        guard words.count == 1 else { throw UsageError("give exactly one plan") }
        self.init(words[0])
    }

    init(_ word: String) {
        // A SqlExecId is letters and digits only.
        self = word.utf8.contains(UInt8(ascii: "-")) ? .name(word) : .ticket(word)
    }

    func request(now: Bool = false, known revision: Int64? = nil, wait seconds: UInt64? = nil)
        -> DescribeKillPlanRequest
    {
        var request: DescribeKillPlanRequest
        switch self {
        case .name(let name): request = DescribeKillPlanRequest(PlanName: name)
        case .ticket(let ticket): request = DescribeKillPlanRequest(SqlExecId: ticket)
        }
        if now { request.Now = true }
        request.KnownRevision = revision
        request.WaitSeconds = seconds
        return request
    }
}
