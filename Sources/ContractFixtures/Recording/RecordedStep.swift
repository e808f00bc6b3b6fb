import RequestSigning
import HTTPServer
import Parameters
import Text

/// What a recording knows of the ids that a server has given out: requests that come later name them.
struct GivenIDs {
    private var names: [ExactText: String] = [:]
    private var counts: [ExactText: Int] = [:]

    /// The members whose values are given out once.
    private static let members = ["SqlExecId", "PlanName", "Digest", "TaskId", "ResultId", "TaskName"]

    /// The name of a value that was given out before.
    func name(of text: String) -> String? { names[ExactText(text)] }

    /// Notes what an answer gives out.
    ///
    /// - Returns: the names and paths of what is new.
    mutating func note(_ tree: ParameterTree, ofTask: Bool) -> [(name: String, path: String)] {
        var captures: [(name: String, path: String)] = []
        note(tree, at: "", member: "", ofTask: ofTask, &captures)
        return captures
    }

    private mutating func note(
        _ tree: ParameterTree, at path: String, member: String, ofTask: Bool,
        _ captures: inout [(name: String, path: String)]
    ) {
        switch tree {
        case .object(let members):
            for member in members {
                note(
                    member.value, at: path.isEmpty ? member.name : "\(path).\(member.name)", member: member.name,
                    ofTask: ofTask, &captures)
            }
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                note(element, at: "\(path).\(index)", member: "", ofTask: ofTask, &captures)
            }
        case .string(let text):
            // A task of DAS is `Data` itself.
            let isID = Self.members.contains { $0.isSame(as: member) } || ofTask && path.isSame(as: "Data")
            guard isID, !text.isEmpty, names[ExactText(text)] == nil else { return }
            let count = (counts[ExactText(member)] ?? 0) + 1
            counts[ExactText(member)] = count
            names[ExactText(text)] = "\(member).\(count)"
            captures.append(("\(member).\(count)", path))
        default: break
        }
    }
}

/// A request and its response as a line of a recording.
struct RecordedStep {
    let line: [UInt8]

    /// - Parameter ids: given out by the responses before.
    init(
        _ request: ForwardedRequest, status: Int, contentType: String?, body: [UInt8], source: String,
        _ ids: inout GivenIDs
    ) {
        typealias Member = ParameterTree.Member
        let parameters = Self.naming(ids, in: Redaction.parameters(request.parameters))
        var sent = [
            Member(name: "action", value: .string(request.action)),
            Member(name: "version", value: .string(request.version)), Member(name: "parameters", value: parameters),
        ]
        if !request.http.method.isSame(as: "POST") {
            sent.append(Member(name: "method", value: .string(request.http.method)))
        }
        if request.scheme == .v1 || request.scheme == .acs3 {
            sent.append(
                Member(
                    name: "signing",
                    value: .object([Member(name: "scheme", value: .string(request.scheme.rawValue))])))
        }
        let tree = try? ParameterTree(json: body)
        var expected = [Member(name: "status", value: .number("\(status)"))]
        if let contentType {
            expected.append(
                Member(name: "headers", value: .object([Member(name: "content-type", value: .string(contentType))])))
        }
        var captures: [(name: String, path: String)] = []
        if let tree {
            expected.append(Member(name: "body", value: Self.shape(of: tree, ids)))
            captures = ids.note(tree, ofTask: request.api == .das)
        }
        var members = [
            Member(name: "evidence", value: .string(Evidence.seen.rawValue)),
            Member(name: "source", value: .string(source)), Member(name: "api", value: .string(request.api.rawValue)),
            Member(name: "action", value: .string(request.action)), Member(name: "request", value: .object(sent)),
            Member(name: "expect", value: .object(expected)),
        ]
        if !captures.isEmpty {
            members.append(
                Member(
                    name: "capture", value: .object(captures.map { Member(name: $0.name, value: .string($0.path)) })))
        }
        if request.api == .das, request.action.utf8.starts(with: "Get".utf8) {
            // What is asked for may not be finished as soon as it was then.
            members.append(Member(name: "attempts", value: .number("50")))
            members.append(Member(name: "pauseMilliseconds", value: .number("100")))
        }
        if let tree { members.append(Member(name: "answer", value: Redaction.answer(tree))) }
        line = Redaction.removing(Redaction.secrets(of: request), from: ParameterTree.object(members).json)
    }

    /// With names in the place of values that were given out.
    private static func naming(_ ids: GivenIDs, in tree: ParameterTree) -> ParameterTree {
        switch tree {
        case .object(let members):
            .object(members.map { ParameterTree.Member(name: $0.name, value: naming(ids, in: $0.value)) })
        case .array(let elements): .array(elements.map { naming(ids, in: $0) })
        case .string(let text), .text(let text): .string(ids.name(of: text).map { "{{\($0)}}" } ?? text)
        default: tree
        }
    }

    /// The pattern of an answer: its members and their types, and to the letter what says how it went.
    private static func shape(of tree: ParameterTree, _ ids: GivenIDs) -> ParameterTree {
        func kind(_ name: String) -> ParameterTree {
            .object([ParameterTree.Member(name: "is", value: .string(name))])
        }
        switch tree {
        case .object(let members):
            return .object(
                members.map { member in
                    ParameterTree.Member(
                        name: member.name, value: verdict(member) ?? shape(of: member.value, ids))
                })
        case .array(let elements):
            let shapes = Set(elements.map { shape(of: $0, ids) })
            guard shapes.count == 1, let shape = shapes.first else { return kind("list") }
            return .object([ParameterTree.Member(name: "each", value: shape)])
        case .string(let text), .text(let text):
            return ids.name(of: text).map { .string("{{\($0)}}") } ?? kind("string")
        case .number(let text): return kind(Int64(text) == nil && UInt64(text) == nil ? "number" : "integer")
        case .boolean: return kind("boolean")
        case .null: return .null
        }
    }

    /// What says how it went: codes as they are, of messages all but numbers and ids.
    private static func verdict(_ member: ParameterTree.Member) -> ParameterTree? {
        switch (member.name, member.value) {
        case ("Code", .string), ("Code", .number), ("Success", .boolean), ("Success", .string): return member.value
        case ("Message", .string(let text)):
            let pattern = varying(Redaction.message(text))
            return pattern.isSame(as: text)
                ? member.value : .object([ParameterTree.Member(name: "like", value: .string(pattern))])
        default: return nil
        }
    }

    /// A text with `*` for each word that has a digit in it, and for what was redacted.
    private static func varying(_ text: String) -> String {
        var pattern: [UInt8] = []
        var word: [UInt8] = []
        func isOfWord(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        func put() {
            pattern += word.contains { (0x30...0x39).contains($0) } ? Array("*".utf8) : word
            word = []
        }
        for byte in text.utf8 {
            if isOfWord(byte) {
                word.append(byte)
            } else {
                put()
                pattern.append(byte)
            }
        }
        put()
        let marked = String(decoding: pattern, as: UTF8.self)
        guard let redacted = marked.utf8.firstRange(of: Array("[redacted]".utf8)) else { return marked }
        return String(Substring(marked.utf8[..<redacted.lowerBound])) + "*"
    }
}
