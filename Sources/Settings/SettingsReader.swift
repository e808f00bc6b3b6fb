import Parameters
import Text

/// A reader of one object of a JSON file that people write. Every key that is read counts as known;
/// ``refuseUnknownKeys()`` names the first of the others.
public struct SettingsReader<Mistake: SettingsMistake> {
    public let place: SettingsPlace
    private let members: [ExactText: ParameterTree]
    private let order: [String]
    /// Relative paths in the file are relative to this folder.
    public let folder: String
    private var known: Set<ExactText> = []

    public init(_ tree: ParameterTree, at place: SettingsPlace = .file, folder: String = ".") throws(Mistake) {
        guard case .object(let members) = tree else {
            throw Mistake(at: place, found: tree, "expected an object: { … }")
        }
        self.place = place
        self.folder = folder
        self.members = Dictionary(
            members.map { (ExactText($0.name), $0.value) }, uniquingKeysWith: { first, _ in first })
        order = members.map(\.name)
    }

    public func error(_ key: String, _ problem: String) -> Mistake {
        Mistake(at: place.member(key), found: members[ExactText(key)], problem)
    }

    public func refuseUnknownKeys() throws(Mistake) {
        guard let unknown = order.first(where: { !known.contains(ExactText($0)) }) else { return }
        let others = known.sorted().map(\.text).joined(separator: ", ")
        throw Mistake(
            at: place.member(unknown), found: nil,
            "there is no such key; \(others.isEmpty ? "none is known here" : "known here: \(others)")")
    }

    /// Refuses null where no value would protect less than any: it is what stands
    /// for a variable that was not set.
    public func refuseNull(_ key: String) throws(Mistake) {
        if members[ExactText(key)] == .null { throw error(key, "null is no value; leave the key out if you mean none") }
    }

    public mutating func value(_ key: String) -> ParameterTree? {
        known.insert(ExactText(key))
        guard let value = members[ExactText(key)], value != .null else { return nil }
        return value
    }

    // MARK: Texts

    public mutating func string(_ key: String) throws(Mistake) -> String? {
        guard let value = value(key) else { return nil }
        guard case .string(let text) = value, !text.isEmpty else { throw error(key, "expected a text") }
        guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw error(key, "expected a text without control characters")
        }
        return text
    }

    public mutating func requiredString(_ key: String) throws(Mistake) -> String {
        guard let text = try string(key) else { throw error(key, "missing; expected a text") }
        return text
    }

    /// One of the raw values of `Choice`.
    public mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, _ type: Choice.Type
    ) throws(Mistake) -> Choice? where Choice.RawValue == String {
        guard let text = try string(key) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let choices = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
            throw error(key, "expected one of \(choices), found \"\(text)\"")
        }
        return choice
    }

    public mutating func strings(_ key: String) throws(Mistake) -> [String]? {
        guard let value = value(key) else { return nil }
        let problem = "expected a list of texts: [\"…\", …]"
        guard case .array(let elements) = value else { throw error(key, problem) }
        var texts: [String] = []
        for element in elements {
            guard case .string(let text) = element, !text.isEmpty else { throw error(key, problem) }
            texts.append(text)
        }
        return texts
    }

    // MARK: Numbers

    public mutating func integer(_ key: String, in range: ClosedRange<Int>) throws(Mistake) -> Int? {
        guard let value = value(key) else { return nil }
        guard case .number(let text) = value, let number = Int(text), range.contains(number) else {
            throw error(key, "expected a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    public mutating func boolean(_ key: String) throws(Mistake) -> Bool? {
        guard let value = value(key) else { return nil }
        guard case .boolean(let answer) = value else { throw error(key, "expected true or false") }
        return answer
    }

    // MARK: Objects

    public mutating func object(_ key: String) throws(Mistake) -> SettingsReader? {
        guard let value = value(key) else { return nil }
        return try SettingsReader(value, at: place.member(key), folder: folder)
    }

    /// The objects in a list that must not be empty.
    public mutating func objects(_ key: String) throws(Mistake) -> [SettingsReader] {
        guard case .array(let elements)? = value(key), !elements.isEmpty else {
            throw error(key, "expected a list with at least one object: [{ … }]")
        }
        var readers: [SettingsReader] = []
        for (index, element) in elements.enumerated() {
            readers.append(try SettingsReader(element, at: place.member(key).element(index), folder: folder))
        }
        return readers
    }
}

extension SettingsReader {
    /// Refuses a value that occurs twice in a list; also of two that differ only in their Unicode normal form: nobody
    /// could tell them apart.
    ///
    /// - Parameters:
    ///   - values: one of each element.
    ///   - key: where in an element it stands.
    public static func refuseRepetition(
        of values: [String], in list: SettingsPlace, _ key: String
    ) throws(Mistake) {
        var seen: Set<String> = []
        for (index, value) in values.enumerated() where !seen.insert(value).inserted {
            throw Mistake(
                at: list.element(index).member(key), found: .string(value), "\"\(value)\" is used twice")
        }
    }
}
