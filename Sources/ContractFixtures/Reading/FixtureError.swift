import Parameters
import Settings
import Text

/// A mistake in a fixture, in words for whoever wrote it.
public struct FixtureError: Error, CustomStringConvertible, Sendable {
    public let file: String
    /// Where in the file, such as `steps.0.expect.body`; empty for the whole.
    public let key: String
    public let problem: String

    public var description: String { key.isEmpty ? "\(file): \(problem)" : "\(file): \(key): \(problem)" }

    init(_ file: String, _ key: String, _ problem: String) {
        self.file = file
        self.key = key
        self.problem = problem
    }

    init(_ file: String, _ mistake: FixtureMistake) { self.init(file, mistake.key, mistake.problem) }
}

/// The same before it is known in which file.
struct FixtureMistake: SettingsMistake {
    let key: String
    let problem: String

    init(at place: SettingsPlace, found: ParameterTree?, _ problem: String) {
        key = place.dotted
        let isTold = found == nil || problem.utf8.firstRange(of: Array(", found ".utf8)) != nil
        self.problem = isTold ? problem : "\(problem), found \(found?.kind ?? "nothing")"
    }
}

typealias FixtureReader = SettingsReader<FixtureMistake>

extension FixtureReader {
    func missing(_ key: String, _ expected: String) -> FixtureMistake {
        FixtureMistake(at: place.member(key), found: nil, "missing; expected \(expected)")
    }

    mutating func requiredChoice<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: String, _ type: Choice.Type
    ) throws(FixtureMistake) -> Choice {
        guard let choice = try choice(key, type) else {
            throw missing(key, Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: " or "))
        }
        return choice
    }

    /// Names with texts, or with null.
    mutating func texts(_ key: String) throws(FixtureMistake) -> [(name: String, value: String?)] {
        guard let value = value(key) else { return [] }
        guard case .object(let members) = value else { throw error(key, "expected an object: { … }") }
        var texts: [(name: String, value: String?)] = []
        for member in members {
            switch member.value {
            case .string(let text): texts.append((member.name, text))
            case .null: texts.append((member.name, nil))
            default:
                throw FixtureMistake(
                    at: place.member(key).member(member.name), found: member.value, "expected a text or null")
            }
        }
        return texts
    }
}

extension ParameterTree {
    /// What it is, for messages.
    var kind: String {
        switch self {
        case .object: "an object"
        case .array: "a list"
        case .string(let text), .text(let text): text.isEmpty ? "an empty text" : "the text \"\(text)\""
        case .number(let text): "the number \(text)"
        case .boolean(let value): value ? "true" : "false"
        case .null: "null"
        }
    }
}
