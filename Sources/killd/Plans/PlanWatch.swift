import APIClient
import DBbrainAPI
import Glibc
import Text

/// Follows a plan until it is as somebody wants it to be.
///
/// A server that is started anew, or is too busy for a moment, ends no watch.
struct PlanWatch {
    typealias Response = DBbrainClient.Response<DescribeKillPlanResponse>

    let client: ClientOptions
    let plan: PlanReference
    /// `nil` for as long as it takes.
    let limit: Duration?

    enum Result {
        case reached(Response)
        case timedOut(Response)
    }

    /// How long a server may be away.
    private static let longestAbsence = Duration.seconds(60)
    private static let longestWait = 20.0

    /// - Parameter onChange: called for each answer that is not the end.
    /// - Throws: ``CommandFailure``
    func follow(
        until isOver: (KillPlanDescription) -> Bool, onChange: (KillPlanDescription) -> Void = { _ in }
    ) throws -> Result {
        let begin = ContinuousClock.now
        var known: Int64?
        var lastAnswer = begin
        while true {
            let left = limit.map { $0 - begin.duration(to: .now) }
            // A Commit that is under way tells how far it has come only if it is asked.
            let wait = min(Self.longestWait, max(0, left.map { $0 / .seconds(1) } ?? Self.longestWait))
            let asked = ContinuousClock.now
            do {
                let request = plan.request(known: known, wait: known.map { _ in UInt64(wait) })
                let response = try client.client.call(
                    "DescribeKillPlan", request, response: DescribeKillPlanResponse.self)
                lastAnswer = .now
                if isOver(response.content.Plan) { return .reached(response) }
                if let left, left <= .zero { return .timedOut(response) }
                onChange(response.content.Plan)
                let isUnchanged = known == response.content.Revision
                known = response.content.Revision
                // The server did not wait: too many do already, or the last second has begun.
                if isUnchanged, asked.duration(to: .now) < .milliseconds(500) { Self.pause() }
            } catch let error as APIClientError {
                let isTooLate = left.map { $0 <= .zero } == true || lastAnswer.duration(to: .now) >= Self.longestAbsence
                guard error.isPassing, !isTooLate else { throw client.failure(error) }
                Self.pause()
            }
        }
    }

    private static func pause() { usleep(250_000) }
}

extension APIClientError {
    /// Whether the same may go well in a moment.
    fileprivate var isPassing: Bool {
        switch reason {
        case .unreachable, .connectionFailed, .timeout, .noResponse, .truncated, .endedInHandshake: true
        case .status(let status): status >= 500
        case .refused(let code, _, _, _): code.isSame(as: "RequestLimitExceeded")
        case .unresolvable, .tlsSetup, .tls, .notHTTP, .tooLong, .notThisAPI, .unexpectedResult: false
        }
    }
}
