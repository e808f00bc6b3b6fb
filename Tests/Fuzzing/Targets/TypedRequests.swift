import DBbrainAPI
import Foundation
import Parameters
import TencentCloudErrors

/// What holds for the parameters of all actions, whatever they were encoded in.
enum TypedRequests {
    /// Reads the parameters as those of each action.
    static func read(_ tree: ParameterTree) {
        _ = try? ParameterDecoder().decode(KillMySqlThreadsRequest.self, from: tree)
        _ = try? ParameterDecoder().decode(DescribeMySqlProcessListRequest.self, from: tree)
        _ = try? ParameterDecoder().decode(DescribeKillPlanRequest.self, from: tree)
        _ = try? ParameterDecoder().decode(DescribeKillPlansRequest.self, from: tree)
        _ = try? ParameterDecoder().decode(CreateKillTaskRequest.self, from: tree)
        _ = try? ParameterDecoder().decode(CancelKillTaskRequest.self, from: tree)
    }

    /// - Parameter json: the text, where the parameters came as JSON.
    static func check(_ tree: ParameterTree, json: [UInt8]? = nil) throws {
        try check(KillMySqlThreadsRequest.self, tree, json)
        try check(DescribeMySqlProcessListRequest.self, tree, json)
        try check(DescribeKillPlanRequest.self, tree, json)
        try check(DescribeKillPlansRequest.self, tree, json)
        try check(CreateKillTaskRequest.self, tree, json)
        try check(CancelKillTaskRequest.self, tree, json)
    }

    /// A request that was read is the same after it was written as JSON or as a
    /// form and read again, and is what Foundation reads.
    private static func check<Request: Codable>(_ type: Request.Type, _ tree: ParameterTree, _ json: [UInt8]?) throws {
        let request: Request
        do throws(ParameterError) {
            request = try ParameterDecoder().decode(type, from: tree)
        } catch {
            return try check(error)
        }
        let written = try encoded(request)
        let writtenTree = try ParameterTree(json: written)
        let fromJSON = try encoded(ParameterDecoder().decode(type, from: writtenTree))
        try demand(fromJSON == written, "\(text(written)) is read as \(text(fromJSON))")

        if let form = FormText(of: writtenTree) {
            let pairs = try FormPairs(form.bytes).pairs
            let fromForm = try encoded(ParameterDecoder().decode(type, from: ParameterTree(flattened: pairs)))
            try demand(fromForm == written, "\(text(written)) is read from a form as \(text(fromForm))")
        }
        if let json {
            let byFoundation = try encoded(JSONDecoder().decode(type, from: Data(json)))
            try demand(byFoundation == written, "\(text(written)) is read by Foundation as \(text(byFoundation))")
        }
    }

    private static func encoded(_ request: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return Array(try encoder.encode(request))
    }

    /// Whatever the caller's text is, the message about it is of bounded length.
    static func check(_ error: ParameterError) throws {
        let texts: [TencentCloudError] =
            switch error {
            case .malformed(_, .duplicateName(let name)): [.repeatedParameter(name)]
            case .malformed, .notAnObject, .malformedPair, .malformedEscape, .tooManyPairs: []
            case .repeated(let path): [.repeatedParameter(path)]
            case .unknown(let path): [.unknownParameter(path)]
            case .missing(let path): [.missingParameter(path)]
            case .wrongType(let path): [.wrongType(path)]
            case .invalidValue(let path, let value): [.invalidValue(value, of: path)]
            }
        for error in texts {
            for language in [Language.english, .chinese] {
                let message = error.message(in: language)
                try demand(
                    message.unicodeScalars.count < 600 && message.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F },
                    "message \(message.debugDescription)")
            }
        }
    }
}

/// A query or form that stands for parameters.
struct FormText {
    private(set) var bytes: [UInt8] = []

    /// - Returns: `nil` for what no form can say: empty arrays and objects, and null.
    init?(of tree: ParameterTree) {
        guard append(tree, name: "") else { return nil }
    }

    init(_ pairs: [FormPairs.Pair]) {
        for pair in pairs { append(pair.name, pair.value) }
    }

    private mutating func append(_ tree: ParameterTree, name: String) -> Bool {
        let beginning = name.isEmpty ? "" : "\(name)."
        switch tree {
        case .object(let members):
            return (!members.isEmpty || name.isEmpty)
                && members.allSatisfy { append($0.value, name: beginning + $0.name) }
        case .array(let elements):
            return !elements.isEmpty
                && elements.enumerated().allSatisfy { append($0.element, name: "\(beginning)\($0.offset)") }
        case .string(let text), .number(let text), .text(let text): append(name, text)
        case .boolean(let value): append(name, value ? "True" : "False")
        case .null: return false
        }
        return true
    }

    private mutating func append(_ name: String, _ value: String) {
        if !bytes.isEmpty { bytes.append(UInt8(ascii: "&")) }
        append(escaped: name)
        bytes.append(UInt8(ascii: "="))
        append(escaped: value)
    }

    private static let digits = Array("0123456789ABCDEF".utf8)

    private mutating func append(escaped text: String) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."):
                bytes.append(byte)
            case UInt8(ascii: " "): bytes.append(UInt8(ascii: "+"))
            default:
                bytes.append(UInt8(ascii: "%"))
                bytes.append(Self.digits[Int(byte >> 4)])
                bytes.append(Self.digits[Int(byte & 0x0F)])
            }
        }
    }
}
