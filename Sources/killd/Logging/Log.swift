import FoundationEssentials
import Glibc
import Synchronization
import Text

/// One line for each event: a JSON object, or readable text where a person
/// looks on.
///
/// The message is constant; what varies goes into fields. Never a secret, a
/// signature or a statement. What the lines promise stands in the page
/// `Operations` of killd.docc.
struct Log: Sendable {
    /// The levels, from the gravest on.
    enum Level: String, Sendable, CaseIterable { case error, warning, info, debug }
    enum Format: Sendable { case json, text }
    typealias Field = (key: StaticString, value: String)

    let format: Format
    /// Takes a line, its end included.
    let write: @Sendable ([UInt8]) -> Void
    private let threshold: LogThreshold

    init(format: Format, level: Level = .info, write: @escaping @Sendable ([UInt8]) -> Void) {
        self.format = format
        self.write = write
        threshold = LogThreshold(level)
    }

    /// The least grave level that is written; copies of a log share it.
    var level: Level {
        get { threshold.level }
        nonmutating set { threshold.level = newValue }
    }

    /// Whether a line of this level is written: fields need not be gathered for one that is not.
    func writes(_ level: Level) -> Bool { threshold.includes(level) }

    /// To standard error.
    static var standard: Log {
        Log(format: Terminal.standardError.isInteractive ? .text : .json) { LogWriter.standardError.write($0) }
    }

    /// For commands whose own words are all that is to be read.
    static let silent = Log(format: .text) { _ in }

    func debug(_ message: StaticString, _ fields: [Field] = []) {
        put(.debug, message, fields)
    }
    func info(_ message: StaticString, _ fields: [Field] = []) {
        put(.info, message, fields)
    }
    func warning(_ message: StaticString, _ fields: [Field] = []) {
        put(.warning, message, fields)
    }
    func error(_ message: StaticString, _ fields: [Field] = []) {
        put(.error, message, fields)
    }

    /// A line of the level `info` that is written whatever the least level is.
    func always(_ message: StaticString, _ fields: [Field] = []) {
        putLine(.info, message, fields)
    }

    private func put(_ level: Level, _ message: StaticString, _ fields: [Field]) {
        if writes(level) { putLine(level, message, fields) }
    }

    private func putLine(_ level: Level, _ message: StaticString, _ fields: [Field]) {
        let time = Self.timestamp()
        var line: [UInt8] = []
        line.reserveCapacity(256)
        switch format {
        case .json:
            // Messages and keys are our own words and need no escapes.
            line.append(#"{"time":""#)
            line += time.utf8
            line.append(#"","level":""#)
            line += level.rawValue.utf8
            line.append(#"","message":""#)
            line.append(message)
            line.append(UInt8(ascii: "\""))
            for (key, value) in fields {
                line.append(#",""#)
                line.append(key)
                line.append(#"":"#)
                line.append(jsonString: value)
            }
            line.append("}\n")
        case .text:
            let details = fields.map { " \($0.key)=\($0.value.visible)" }.joined()
            line += "\(time) \(level.rawValue.padded(to: 7)) \(message)\(details)\n".utf8
        }
        write(line)
    }

    /// The second it is, as ISO 8601; formatted once a second.
    private static func timestamp() -> String {
        let now = time(nil)
        return lastTimestamp.withLock { last in
            if last.second != now { last = (now, Date(timeIntervalSince1970: Double(now)).formatted(.iso8601)) }
            return last.text
        }
    }

    private static let lastTimestamp = Mutex((second: time_t(0), text: ""))
}

extension [UInt8] {
    fileprivate mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { append(contentsOf: $0) }
    }
}

/// The level from which lines are written. Can change while others log.
private final class LogThreshold: Sendable {
    /// How far down the list of levels.
    private let depth: Atomic<Int>

    init(_ level: Log.Level) { depth = Atomic(level.depth) }

    var level: Log.Level {
        get { Log.Level.allCases[depth.load(ordering: .relaxed)] }
        set { depth.store(newValue.depth, ordering: .relaxed) }
    }

    func includes(_ level: Log.Level) -> Bool { level.depth <= depth.load(ordering: .relaxed) }
}

extension Log.Level {
    fileprivate var depth: Int {
        switch self {
        case .error: 0
        case .warning: 1
        case .info: 2
        case .debug: 3
        }
    }
}
