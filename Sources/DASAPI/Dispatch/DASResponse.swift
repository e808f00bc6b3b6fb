/// What an action responds with: `Data`, around which goes the envelope that all
/// actions share (`Code`, `Message`, `RequestId`, `Success`).
///
/// It is defined once and written as JSON or as XML, whichever was asked for.
public struct DASResponse: Sendable {
    public var data: ResponseValue
    public var envelope: Envelope
    /// The bytes of JSON that it takes, about, so that a large one is written
    /// without being moved about; 0 for others.
    public var sizeHint = 0

    /// The types of `Code` and `Success`.
    public enum Envelope: Sendable {
        /// 200 and true, as almost all actions have them.
        case typed
        /// "200" and "true", as KillInstanceAllSession has them.
        case allText
    }

    public init(data: ResponseValue, envelope: Envelope = .typed) {
        self.data = data
        self.envelope = envelope
    }
}

/// A value of a response. There is no null: what is unknown is left out, or is
/// an empty text.
///
/// Actions write them as literals:
///
/// ```swift
/// ["TaskId": .text(task), "Sessions": .list(ids.map { .integer($0) }), "Active": true]
/// ```
public enum ResponseValue: Sendable {
    case text(String)
    case integer(Int64)
    case boolean(Bool)
    case list([ResponseValue])
    /// A list of thousands of elements, each written straight into the response.
    case longList(LongList)
    /// Members in the order in which they are written; no name twice.
    case object([Member])

    public struct LongList: Sendable {
        /// - Parameter name: of the list, which in XML each element has, too.
        let write: @Sendable (_ writer: inout ResponseWriter, _ name: String) -> Void

        init(_ elements: [some ResponseElement]) {
            write = { writer, name in writer.append(elements, named: name) }
        }
    }

    public struct Member: Sendable {
        /// ASCII letters, in XML the name of an element.
        public let name: String
        public let value: ResponseValue

        public init(name: String, value: ResponseValue) {
            self.name = name
            self.value = value
        }
    }
}

/// What stands thousands of times in a response: without a ``ResponseValue`` for
/// each, which takes several times as long.
protocol ResponseElement: Sendable {
    /// Writes one value: a text, a number, or an object with its members.
    func write(to response: inout ResponseWriter)
}

extension ResponseValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral text: String) { self = .text(text) }
    public init(integerLiteral number: Int64) { self = .integer(number) }
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
    public init(arrayLiteral elements: ResponseValue...) { self = .list(elements) }

    /// Members whose value is nil are left out.
    public init(dictionaryLiteral members: (String, ResponseValue?)...) {
        var present: [Member] = []
        present.reserveCapacity(members.count)
        for (name, value) in members {
            if let value { present.append(Member(name: name, value: value)) }
        }
        self = .object(present)
    }
}
