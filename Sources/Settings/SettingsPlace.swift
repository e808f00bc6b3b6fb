import Parameters

/// Where something stands in a JSON file: the names and indexes on the way to it.
public struct SettingsPlace: Hashable, Sendable {
    private enum Step: Hashable, Sendable {
        case name(String)
        case index(Int)
    }

    private var steps: [Step] = []

    /// The whole file.
    public static let file = SettingsPlace()

    public func member(_ name: String) -> SettingsPlace { appending(.name(name)) }

    public func element(_ index: Int) -> SettingsPlace { appending(.index(index)) }

    private func appending(_ step: Step) -> SettingsPlace {
        var place = self
        place.steps.append(step)
        return place
    }

    public var isFile: Bool { steps.isEmpty }

    /// As configurations name places: `accounts.0.may`.
    public var dotted: String {
        steps.map { step in
            switch step {
            case .name(let name): name
            case .index(let index): String(index)
            }
        }.joined(separator: ".")
    }

    /// As programs write them: `instances[0].sessions[3].behaviour`.
    public var subscripted: String {
        steps.reduce(into: "") { text, step in
            switch step {
            case .name(let name): text += text.isEmpty ? name : ".\(name)"
            case .index(let index): text += "[\(index)]"
            }
        }
    }
}

/// What is wrong in a JSON file that somebody wrote.
public protocol SettingsMistake: Error {
    /// - Parameters:
    ///   - found: what stands there; `nil` if nothing does.
    ///   - problem: what was expected there, or what is wrong with it.
    init(at place: SettingsPlace, found: ParameterTree?, _ problem: String)
}
