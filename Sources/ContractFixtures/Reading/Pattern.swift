import Parameters
import Text

/// What a value has to be.
///
/// | JSON | matches |
/// | --- | --- |
/// | a text, number, true, false, null | the same |
/// | `[P, …]` | a list with these elements, and no more |
/// | `{"Name": P, …}` | an object that has these members |
/// | `{"only": {"Name": P, …}}` | an object that has these members, and no others |
/// | `{"is": KIND}` | string, number, integer, boolean, list, object, null, uuid |
/// | `{"like": "a*b"}` | a text, `*` standing for any part of it |
/// | `{"oneOf": [P, …]}` | what one of these matches |
/// | `{"each": P, "atLeast": N}` | a list of which every element matches, at least N of them |
/// | `{"contains": P}` | a list of which an element matches |
/// | `{"absent": true}` | nothing: the member must not be there |
/// | `{"maybe": P}` | a member that may be missing |
///
/// The API's own members begin with a capital letter.
indirect enum Pattern {
    case exactly(ParameterTree)
    case elements([Pattern])
    case members([(name: String, pattern: Pattern)], only: Bool)
    case kind(Kind)
    case like(String)
    case oneOf([Pattern])
    case each(Pattern, atLeast: Int)
    case contains(Pattern)
    case absent
    case maybe(Pattern)

    enum Kind: String, CaseIterable {
        case string, number, integer, boolean, list, object, null, uuid
    }
}

/// A mistake in a pattern, and where in it.
struct PatternError: Error {
    var path: [String] = []
    let problem: String

    func below(_ key: String) -> PatternError { PatternError(path: [key] + path, problem: problem) }
}

extension Pattern {
    init(_ tree: ParameterTree) throws(PatternError) {
        switch tree {
        case .string, .number, .boolean, .null, .text: self = .exactly(tree)
        case .array(let elements): self = .elements(try Self.patterns(elements))
        case .object(let members):
            if let first = members.first, first.name.utf8.first.map({ $0 >= UInt8(ascii: "a") }) == true,
                Self.words.contains(first.name)
            {
                self = try Self.special(first.name, members)
            } else {
                self = .members(try Self.patterns(members), only: false)
            }
        }
    }

    private static let words = [
        "is", "like", "oneOf", "each", "contains", "absent", "maybe", "only", "number",
    ]

    private static func special(
        _ word: String, _ members: [ParameterTree.Member]
    ) throws(PatternError) -> Pattern {
        let value = members[0].value
        var least = 0
        for other in members.dropFirst() {
            guard word == "each", other.name == "atLeast", case .number(let text) = other.value, let number = Int(text)
            else { throw PatternError(path: [other.name], problem: "does not go together with \"\(word)\"") }
            least = number
        }
        func below(_ error: PatternError) -> PatternError { error.below(word) }
        switch (word, value) {
        case ("is", .string(let name)):
            guard let kind = Kind(rawValue: name) else {
                let kinds = Kind.allCases.map(\.rawValue).joined(separator: ", ")
                throw PatternError(path: [word], problem: "expected one of \(kinds), found \"\(name)\"")
            }
            return .kind(kind)
        case ("like", .string(let text)): return .like(text)
        // A number, once its value is known.
        case ("number", .string(let text)): return .like(text)
        case ("absent", .boolean(true)): return .absent
        case ("oneOf", .array(let elements)) where !elements.isEmpty:
            do throws(PatternError) { return .oneOf(try patterns(elements)) } catch { throw below(error) }
        case ("each", _):
            do throws(PatternError) { return .each(try Pattern(value), atLeast: least) } catch { throw below(error) }
        case ("contains", _):
            do throws(PatternError) { return .contains(try Pattern(value)) } catch { throw below(error) }
        case ("maybe", _):
            do throws(PatternError) { return .maybe(try Pattern(value)) } catch { throw below(error) }
        case ("only", .object(let members)):
            do throws(PatternError) { return .members(try patterns(members), only: true) } catch { throw below(error) }
        default: throw PatternError(path: [word], problem: "this cannot stand here: \(value.kind)")
        }
    }

    private static func patterns(_ elements: [ParameterTree]) throws(PatternError) -> [Pattern] {
        var patterns: [Pattern] = []
        for (index, element) in elements.enumerated() {
            do throws(PatternError) { patterns.append(try Pattern(element)) } catch { throw error.below("\(index)") }
        }
        return patterns
    }

    private static func patterns(
        _ members: [ParameterTree.Member]
    ) throws(PatternError) -> [(name: String, pattern: Pattern)] {
        var patterns: [(name: String, pattern: Pattern)] = []
        for member in members {
            do throws(PatternError) {
                patterns.append((member.name, try Pattern(member.value)))
            } catch {
                throw error.below(member.name)
            }
        }
        return patterns
    }
}

// MARK: - Comparing

/// Something that is not as it was expected.
public struct Difference: Hashable, Sendable {
    /// Where in the response, such as `Response.Threads.0`.
    public let path: String
    public let expected: String
    public let found: String
}

extension Pattern {
    /// What a value differs in; nil stands for a member that is not there.
    func differences(from value: ParameterTree?, at path: String) -> [Difference] {
        func differs() -> [Difference] {
            [Difference(path: path, expected: words, found: value.map(Self.shown) ?? "nothing")]
        }
        switch self {
        case .absent: return value == nil ? [] : differs()
        case .maybe(let pattern): return value == nil ? [] : pattern.differences(from: value, at: path)
        case .oneOf(let patterns):
            return patterns.contains { $0.differences(from: value, at: path).isEmpty } ? [] : differs()
        case .exactly(let expected): return value.map { expected.isSame(as: $0) } == true ? [] : differs()
        case .kind(let kind): return value.map(kind.includes) == true ? [] : differs()
        case .like(let text):
            guard let value, let found = value.scalar, found.isLike(text) else { return differs() }
            return []
        case .elements(let patterns):
            guard case .array(let elements)? = value, elements.count == patterns.count else { return differs() }
            return zip(patterns, elements).enumerated().flatMap { index, pair in
                pair.0.differences(from: pair.1, at: "\(path).\(index)")
            }
        case .each(let pattern, let least):
            guard case .array(let elements)? = value, elements.count >= least else { return differs() }
            return elements.enumerated().flatMap { index, element in
                pattern.differences(from: element, at: "\(path).\(index)")
            }
        case .contains(let pattern):
            guard case .array(let elements)? = value,
                elements.contains(where: { pattern.differences(from: $0, at: path).isEmpty })
            else { return differs() }
            return []
        case .members(let patterns, let only):
            guard case .object(let members)? = value else { return differs() }
            let compared = patterns.flatMap { name, pattern in
                pattern.differences(
                    from: members.first { $0.name.isSame(as: name) }?.value, at: path.isEmpty ? name : "\(path).\(name)"
                )
            }
            guard only else { return compared }
            return compared
                + members.filter { member in !patterns.contains { $0.name.isSame(as: member.name) } }.map {
                    Difference(
                        path: path.isEmpty ? $0.name : "\(path).\($0.name)", expected: "no such member",
                        found: Self.shown($0.value))
                }
        }
    }

    /// A value as messages show it.
    private static func shown(_ value: ParameterTree) -> String {
        let text = String(decoding: value.json, as: UTF8.self)
        let beginning = text.beginning(bytes: 300)
        return beginning.utf8.count < text.utf8.count ? beginning + "…" : beginning
    }

    private var words: String {
        switch self {
        case .exactly(let value): Self.shown(value)
        case .elements(let patterns): "a list of \(patterns.count)"
        case .members: "an object"
        case .kind(.uuid): "a UUID"
        case .kind(.string): "a text"
        case .kind(.null): "null"
        case .kind(.list): "a list"
        case .kind(.integer), .kind(.object): "an \(kindName)"
        case .kind: "a \(kindName)"
        case .like(let text): "like \"\(text)\""
        case .oneOf(let patterns): "one of " + patterns.map(\.words).joined(separator: ", ")
        case .each(_, let least): least == 0 ? "a list" : "a list of \(least) or more"
        case .contains(let pattern): "a list with \(pattern.words)"
        case .absent: "nothing"
        case .maybe(let pattern): "nothing, or \(pattern.words)"
        }
    }

    private var kindName: String {
        if case .kind(let kind) = self { kind.rawValue } else { "" }
    }
}

extension Pattern.Kind {
    fileprivate func includes(_ value: ParameterTree) -> Bool {
        switch (self, value) {
        case (.string, .string), (.number, .number), (.boolean, .boolean), (.list, .array), (.object, .object),
            (.null, .null):
            true
        case (.integer, .number(let text)): Int64(text) != nil || UInt64(text) != nil
        case (.uuid, .string(let text)): text.isUUID
        default: false
        }
    }
}

extension ParameterTree {
    /// Compares names and texts by their bytes.
    fileprivate func isSame(as other: ParameterTree) -> Bool {
        switch (self, other) {
        case (.string(let left), .string(let right)), (.number(let left), .number(let right)),
            (.text(let left), .text(let right)):
            left.isSame(as: right)
        case (.boolean(let left), .boolean(let right)): left == right
        case (.null, .null): true
        default: false
        }
    }
}

extension String {
    fileprivate var isUUID: Bool {
        let parts = utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return parts.map(\.count) == [8, 4, 4, 4, 12]
            && parts.joined().allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
                    UInt8(ascii: "A")...UInt8(ascii: "F"):
                    true
                default: false
                }
            }
    }

    /// Whether it is `pattern`, in which `*` stands for any text.
    func isLike(_ pattern: String) -> Bool {
        let parts = pattern.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false)
        guard let first = parts.first, let last = parts.last, parts.count > 1 else { return isSame(as: pattern) }
        var rest = utf8[...]
        guard rest.starts(with: first) else { return false }
        rest = rest.dropFirst(first.count)
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let found = rest.firstRange(of: Array(part)) else { return false }
            rest = rest[found.upperBound...]
        }
        return rest.count >= last.count && rest.suffix(last.count).elementsEqual(last)
    }
}
