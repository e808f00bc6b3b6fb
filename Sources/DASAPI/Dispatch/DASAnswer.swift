/// What an action answers: `Data`, around which goes the envelope that all
/// actions share (`Code`, `Message`, `RequestId`, `Success`).
///
/// It is defined once and written as JSON or as XML, whichever was asked for.
public struct DASAnswer: Sendable, Equatable {
    public var data: AnswerValue
    public var envelope: Envelope
    /// About so many bytes as JSON, so that a large one is written without being
    /// moved about; 0 for others.
    public var sizeHint = 0

    /// The types of `Code` and `Success`.
    public enum Envelope: Sendable {
        /// 200 and true, as almost all actions have them.
        case typed
        /// "200" and "true", as KillInstanceAllSession has them.
        case allText
    }

    public init(data: AnswerValue, envelope: Envelope = .typed) {
        self.data = data
        self.envelope = envelope
    }
}

/// A value of an answer. There is no null: what is unknown is left out, or is
/// an empty text.
///
/// Actions write them as literals:
///
/// ```swift
/// ["TaskId": .text(task), "Sessions": .list(ids.map { .integer($0) }), "Active": true]
/// ```
public enum AnswerValue: Sendable, Equatable {
    case text(String)
    case integer(Int64)
    case boolean(Bool)
    case list([AnswerValue])
    /// A list of thousands of objects: each is made when it is written, and gone
    /// before the next, so that they need no memory all at the same time.
    case longList(LongList)
    /// Members in the order in which they are written; no name twice.
    case object([Member])

    public struct LongList: Sendable, Equatable {
        public let count: Int
        /// By its position.
        public let element: @Sendable (Int) -> AnswerValue

        public init<Element: Sendable>(_ elements: [Element], _ value: @escaping @Sendable (Element) -> AnswerValue) {
            count = elements.count
            element = { value(elements[$0]) }
        }

        public static func == (left: LongList, right: LongList) -> Bool {
            left.count == right.count && (0..<left.count).allSatisfy { left.element($0) == right.element($0) }
        }
    }

    public struct Member: Sendable, Equatable {
        /// ASCII letters, in XML the name of an element.
        public let name: String
        public let value: AnswerValue

        public init(name: String, value: AnswerValue) {
            self.name = name
            self.value = value
        }
    }
}

extension AnswerValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral text: String) { self = .text(text) }
    public init(integerLiteral number: Int64) { self = .integer(number) }
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
    public init(arrayLiteral elements: AnswerValue...) { self = .list(elements) }

    /// Members whose value is nil are left out.
    public init(dictionaryLiteral members: (String, AnswerValue?)...) {
        var present: [Member] = []
        present.reserveCapacity(members.count)
        for (name, value) in members {
            if let value { present.append(Member(name: name, value: value)) }
        }
        self = .object(present)
    }
}
