import RequestSigning
import Parameters

@testable import ContractFixtures

/// How something of the API is known.
enum Standing: String, Comparable {
    /// Documented or seen, and tested on real servers.
    case proven
    /// Our choice, or tested on a stand-in alone.
    case assumed
    case notCovered = "not covered"

    static func < (left: Standing, right: Standing) -> Bool { rank(left) < rank(right) }

    private static func rank(_ standing: Standing) -> Int {
        switch standing {
        case .proven: 0
        case .assumed: 1
        case .notCovered: 2
        }
    }
}

extension Fixture {
    /// Whether the end-to-end tests send it to a killd in front of a real server.
    var isForRealServers: Bool { needs == .anyServer && reach != .anybody }

    var standing: Standing { evidence != .ours && isForRealServers ? .proven : .assumed }

    /// The actions that it calls with these parameters, in its own API.
    func calls(_ action: ServedAPI.ServedAction) -> Bool {
        steps.contains {
            $0.request.api == action.api && $0.request.action == action.name && $0.request.version == action.version
        }
    }

    /// Whether it is about the action, and shows it done: errors alone prove little of it.
    func shows(_ action: ServedAPI.ServedAction) -> Bool {
        self.action == action.name
            && steps.contains { step in
                step.request.api == action.api && step.request.action == action.name
                    && step.request.version == action.version && step.expected.isSuccess
            }
    }

    func sends(_ parameter: String, to action: ServedAPI.ServedAction) -> Bool {
        steps.contains { step in
            step.request.api == action.api && step.request.action == action.name
                && step.request.version == action.version && step.request.parameters.value(at: parameter) != nil
        }
    }

    /// The codes that it expects, of DBbrain or of DAS.
    func codes(of api: CloudAPI) -> Set<String> {
        Set(
            steps.flatMap { step -> [String] in
                var words = step.expected.body.map { wordsOfMembers(of: "Code", in: $0) } ?? []
                // XML.
                if let text = step.expected.text {
                    words += text.texts.flatMap { $0.split(separator: "*").map(String.init) }
                }
                let isDAS = step.expected.body?.value(at: "Code") != nil || step.expected.text != nil
                return isDAS == (api == .das) ? words : []
            })
    }

    /// The outcomes that it expects of threads.
    var outcomes: Set<String> {
        Set(steps.flatMap { step in step.expected.body.map { wordsOfMembers(of: "Outcome", in: $0) } ?? [] })
    }
}

/// The texts of all members of this name.
private func wordsOfMembers(of name: String, in tree: ParameterTree) -> [String] {
    switch tree {
    case .object(let members):
        members.flatMap { member in
            if member.name == name, case .string(let text) = member.value {
                [text]
            } else {
                wordsOfMembers(of: name, in: member.value)
            }
        }
    case .array(let elements): elements.flatMap { wordsOfMembers(of: name, in: $0) }
    default: []
    }
}

extension Expectation {
    /// Whether it is what an action answers that was done. DBbrain's rejections have status 200 too.
    fileprivate var isSuccess: Bool { status == 200 && body != nil && body?.value(at: "Response.Error") == nil }
}
