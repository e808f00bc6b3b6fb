import HTTPServer
import Parameters
import Text

/// What must not stand in a recording.
enum Redaction {
    /// Whether a member holds a statement, of which nobody knows what stands in it.
    static func isStatement(_ name: String) -> Bool {
        ["Info", "SqlText"].contains { $0.isSame(as: name) }
    }

    /// A request's parameters with `{{redacted.NAME}}` in the place of secrets, whom a replay has to give anew.
    static func parameters(_ tree: ParameterTree) -> ParameterTree {
        switch tree {
        case .object(let members):
            .object(
                members.map { member in
                    let value: ParameterTree =
                        member.name.isNameOfSecret && member.value != .null
                        ? .string("{{redacted.\(member.name.filter { $0.isASCII && $0.isLetter })}}")
                        : parameters(member.value)
                    return ParameterTree.Member(name: member.name, value: value)
                })
        case .array(let elements): .array(elements.map(parameters))
        default: tree
        }
    }

    /// An answer, for people.
    static func answer(_ tree: ParameterTree) -> ParameterTree {
        switch tree {
        case .object(let members):
            .object(
                members.map { member in
                    switch member.value {
                    // Who knows a SqlExecId can commit its plan.
                    case .string(let text)
                    where (member.name.isNameOfSecret || member.name.isSame(as: "SqlExecId")) && !text.isEmpty:
                        ParameterTree.Member(name: member.name, value: .string("[redacted]"))
                    case .string(let text) where isStatement(member.name) && !text.isEmpty:
                        ParameterTree.Member(
                            name: member.name, value: .string("[a statement of \(text.utf8.count) bytes]"))
                    case .string(let text):
                        ParameterTree.Member(name: member.name, value: .string(message(text)))
                    default: ParameterTree.Member(name: member.name, value: answer(member.value))
                    }
                })
        case .array(let elements): .array(elements.map(answer))
        default: tree
        }
    }

    /// A message without what was signed: the parameters are in it, and the key's id.
    static func message(_ text: String) -> String {
        let mark = "string to sign is:"
        guard let range = text.utf8.firstRange(of: Array(mark.utf8)) else { return text }
        return String(Substring(text.utf8[..<range.upperBound])) + "[redacted]"
    }

    /// The secrets of a request: what must not be in its line, wherever it came from.
    static func secrets(of request: ForwardedRequest) -> [String] {
        var secrets = request.http.headers.filter { field in
            field.name.isNameOfSecret || field.name.lowercased().isSame(as: "authorization")
        }.map(\.value)
        secrets += request.pairs.filter { $0.name.isNameOfSecret || ["SecretId", "AccessKeyId"].contains($0.name) }.map(
            \.value)
        collect(from: request.parameters, into: &secrets)
        return secrets.filter { $0.utf8.count >= 4 }
    }

    private static func collect(from tree: ParameterTree, into secrets: inout [String]) {
        switch tree {
        case .object(let members):
            for member in members {
                if member.name.isNameOfSecret {
                    secrets += member.value.texts
                } else {
                    collect(from: member.value, into: &secrets)
                }
            }
        case .array(let elements): for element in elements { collect(from: element, into: &secrets) }
        default: break
        }
    }

    /// A text without any of these, also as JSON writes them.
    static func removing(_ secrets: [String], from line: [UInt8]) -> [UInt8] {
        var line = line
        for secret in secrets {
            var quoted: [UInt8] = []
            quoted.append(jsonString: secret)
            let bytes = Array(quoted.dropFirst().dropLast())
            while let range = line.firstRange(of: bytes) { line.replaceSubrange(range, with: "[redacted]".utf8) }
        }
        return line
    }
}
