import RequestSigning
import Parameters
import Text

/// Whose sessions a step may end, whatever the server makes of it. What is not known to end nobody counts as if it did.
public enum Reach: Int, Comparable, Sendable {
    case nobody
    /// Those of the user that the verification names as victims, or tasks that somebody has begun.
    case victims
    /// It goes to a stand-in only.
    case anybody

    public static func < (left: Reach, right: Reach) -> Bool { left.rawValue < right.rawValue }
}

extension Fixture {
    /// The reach of each step.
    public var reaches: [Reach] {
        var pinsVictimsOnly = true
        var reaches: [Reach] = []
        for step in steps {
            if let list = step.request.plannedThreads { pinsVictimsOnly = pinsVictimsOnly && list.isOfValues }
            reaches.append(step.endsNobody == nil ? step.request.reach(ofPlans: pinsVictimsOnly) : .nobody)
        }
        return reaches
    }

    public var reach: Reach { reaches.max() ?? .nobody }
}

extension StepRequest {
    /// What a Prepare is about.
    fileprivate var plannedThreads: ParameterTree? {
        guard api == .dbbrain, action.isSame(as: "KillMySqlThreads"), stage == "Prepare" else { return nil }
        return parameters.value(at: "Threads") ?? .null
    }

    private var stage: String? { body == nil ? parameters.value(at: "Stage")?.scalar : nil }

    /// - Parameter pinsVictimsOnly: whether everything that was prepared before was named by values.
    fileprivate func reach(ofPlans pinsVictimsOnly: Bool) -> Reach {
        guard body == nil else { return isReading ? .nobody : .anybody }
        switch (api, action) {
        case (_, _) where isReading: return .nobody
        case (.dbbrain, "KillMySqlThreads") where stage == "Prepare": return .nobody
        case (.dbbrain, "KillMySqlThreads"): return isOneValue("SqlExecId") && pinsVictimsOnly ? .victims : .anybody
        case (.dbbrain, "CommitKillPlan"): return isOneValue("PlanName") && pinsVictimsOnly ? .victims : .anybody
        case (.dbbrain, "ApproveKillPlan"), (.dbbrain, "RejectKillPlan"), (.dbbrain, "CancelKillPlan"): return .nobody
        case (.dbbrain, "CreateKillTask"):
            return parameters.value(at: "User") == .string("{{victims}}") ? .victims : .anybody
        case (.dbbrain, "CancelKillTask"): return .victims
        case (.das, "CreateKillInstanceSessionTask"), (.das, "CreateKillInstanceSessionTaskWithMaintainUser"):
            let isOfSome = parameters.value(at: "KillAllSessions")?.scalar.map { $0.isSame(as: "false") } == true
            return isOfSome && parameters.value(at: "SessionIds")?.scalar.map(isListOfValues) == true
                ? .victims : .anybody
        default: return .anybody
        }
    }

    /// Whether the action can change nothing, by whatever its name and its pages say.
    private var isReading: Bool {
        switch api {
        case .dbbrain: action.utf8.starts(with: "Describe".utf8) || action.isSame(as: "VerifyUserAccount")
        case .das: action.utf8.starts(with: "Get".utf8)
        }
    }

    private func isOneValue(_ name: String) -> Bool {
        parameters.value(at: name)?.scalar.map(Template.isOneValue) == true
    }
}

/// Whether a text such as `[{{a}},{{b}}]` has no ids of its own.
private func isListOfValues(_ text: String) -> Bool {
    Template.pieces(of: text).allSatisfy { piece in
        switch piece {
        case .value: true
        case .literal(let text): text.utf8.allSatisfy { "[], ".utf8.contains($0) }
        }
    }
}

extension ParameterTree {
    /// Whether it is a list of values, and of nothing else.
    fileprivate var isOfValues: Bool {
        guard case .array(let elements) = self else { return true }
        return elements.allSatisfy { element in
            if case .object(let members) = element, members.count == 1, let text = members[0].value.scalar {
                return Template.isOneValue(text)
            }
            return false
        }
    }
}
