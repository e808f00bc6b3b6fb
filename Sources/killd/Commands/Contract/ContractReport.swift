import APIClient
import ContractFixtures
import Text

/// What a verification has found, for people.
enum ContractReport {
    /// Whether no fixture has differed, and at least one was sent.
    static func isAsExpected(_ results: [Verification.Result]) -> Bool {
        var sent = 0
        for result in results {
            switch result.verdict {
            case .asExpected: sent += 1
            case .skipped: break
            case .different, .failed: return false
            }
        }
        return sent > 0
    }

    /// Nothing for what is as expected, or was not sent: the summary counts those.
    static func text(of result: Verification.Result) -> VisibleText {
        let fixture = result.fixture
        switch result.verdict {
        case .asExpected, .skipped: return ""
        case .failed(let step, let error):
            return "\(title(of: fixture))  \(place(step, of: fixture)): \(CommandFailure(error).text)\n\n"
        case .different(let step, let differences):
            let lines = differences.map { difference -> VisibleText in
                """
                    \(difference.path)
                      expected  \(difference.expected)
                      found     \(difference.found)

                """
            }
            return "\(title(of: fixture))  \(place(step, of: fixture)):\n\(VisibleText(joining: lines))\n"
        }
    }

    private static func title(of fixture: Fixture) -> VisibleText {
        "\(fixture.file): \(fixture.name)\n  \(fixture.evidence.words): \(fixture.source)\n"
    }

    private static func place(_ step: Int, of fixture: Fixture) -> VisibleText {
        "step \(step + 1), \(fixture.steps[step].request.action)"
    }

    static func summary(of results: [Verification.Result]) -> VisibleText {
        var (expected, different) = (0, 0)
        var reasons: [(reason: String, count: Int)] = []
        for result in results {
            switch result.verdict {
            case .asExpected: expected += 1
            case .different, .failed: different += 1
            case .skipped(let reason):
                if let index = reasons.firstIndex(where: { $0.reason.isSame(as: reason) }) {
                    reasons[index].count += 1
                } else {
                    reasons.append((reason, 1))
                }
            }
        }
        var text: VisibleText = "\(results.count.counted("fixture")): \(expected) as expected, \(different) not"
        let skipped = reasons.reduce(0) { $0 + $1.count }
        text = skipped == 0 ? "\(text)\n" : "\(text), \(skipped) not sent\n"
        for (reason, count) in reasons { text = "\(text)  \(count) \(reason)\n" }
        return expected + different > 0 ? text : "\(text)Nothing was sent, so nothing is verified.\n"
    }
}

extension Evidence {
    var words: String {
        switch self {
        case .documented: "documented"
        case .seen: "seen"
        case .ours: "our choice"
        }
    }
}
