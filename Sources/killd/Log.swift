import FoundationEssentials
import Glibc

/// Writes one line an event to standard error: a JSON object, or readable text
/// where a person looks on.
///
/// The message is constant; what varies goes into fields. Never a secret, a
/// signature or a statement.
struct Log: Sendable {
    enum Level: String, Sendable { case info, warning, error }
    enum Format: Sendable { case json, text }

    let format: Format
    var write: @Sendable (String) -> Void = { Terminal.standardError.write($0) }

    static var standard: Log { Log(format: Terminal.standardError.isInteractive ? .text : .json) }

    func info(_ message: StaticString, _ fields: KeyValuePairs<String, String> = [:]) {
        put(.info, message, fields.map { ($0, $1) })
    }
    func warning(_ message: StaticString, _ fields: KeyValuePairs<String, String> = [:]) {
        put(.warning, message, fields.map { ($0, $1) })
    }
    func error(_ message: StaticString, _ fields: KeyValuePairs<String, String> = [:]) {
        put(.error, message, fields.map { ($0, $1) })
    }

    func put(_ level: Level, _ message: StaticString, _ fields: [(key: String, value: String)]) {
        let time = Date().formatted(.iso8601)
        switch format {
        case .json:
            var line = "{\"time\":\(quoted(time)),\"level\":\(quoted(level.rawValue)),\"message\":\(quoted("\(message)"))"
            for (key, value) in fields { line += ",\(quoted(key)):\(quoted(value))" }
            write(line + "}\n")
        case .text:
            let details = fields.map { " \($0)=\($1.printable)" }.joined()
            write("\(time) \(level.rawValue.padded(to: 7)) \(message)\(details)\n")
        }
    }

    /// A JSON string, RFC 8259 section 7.
    private func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case _ where scalar.value < 0x20:
                quoted += scalar.value < 0x10 ? "\\u000\(String(scalar.value, radix: 16))" : "\\u001\(String(scalar.value & 0xF, radix: 16))"
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
