/// The words after a command's name; commands take out what they know.
struct Arguments {
    private var words: [String]

    init(_ words: [String]) { self.words = words }

    /// Whether the flag stands on the command line.
    mutating func flag(_ name: String) -> Bool {
        guard let index = optionWords.firstIndex(of: name) else { return false }
        words.remove(at: index)
        return true
    }

    /// The value of an option written as `--name value` or `--name=value`.
    ///
    /// - Throws: ``UsageError`` if the value is missing or the option stands twice.
    mutating func option(_ name: String) throws(UsageError) -> String? {
        let values = try options(name)
        guard values.count <= 1 else { throw UsageError("\(name) stands twice") }
        return values.first
    }

    /// The value of an option that is a whole number from 0.
    ///
    /// - Throws: ``UsageError`` also if it is none.
    mutating func number(_ name: String) throws(UsageError) -> UInt64? {
        guard let text = try option(name) else { return nil }
        guard let number = UInt64(text) else {
            throw UsageError("\(name): expected a whole number, found \"\(text)\"")
        }
        return number
    }

    /// Every value of an option that may stand several times.
    mutating func options(_ name: String) throws(UsageError) -> [String] {
        var values: [String] = []
        while let index = optionWords.firstIndex(where: { $0 == name || $0.utf8.starts(with: (name + "=").utf8) }) {
            if words[index] == name {
                guard index + 1 < words.count else { throw UsageError("\(name) needs a value") }
                values.append(words[index + 1])
                words.removeSubrange(index...index + 1)
            } else {
                values.append(String(Substring(words[index].utf8.dropFirst(name.utf8.count + 1))))
                words.remove(at: index)
            }
        }
        return values
    }

    /// The first word, if it is no option.
    mutating func subcommand() -> String? {
        guard let first = words.first, first.utf8.first != UInt8(ascii: "-") else { return nil }
        words.removeFirst()
        return first
    }

    /// The words that are no options, in order. Call after all options were taken.
    mutating func positional() throws(UsageError) -> [String] {
        if let unknown = optionWords.first(where: { $0.utf8.first == UInt8(ascii: "-") && $0 != "-" }) {
            throw UsageError("there is no option \(unknown)")
        }
        defer { words = [] }
        return words.filter { $0 != "--" }
    }

    /// - Throws: ``UsageError`` naming the first word that nobody took.
    mutating func refuseTheRest() throws(UsageError) {
        if let word = try positional().first { throw UsageError("\"\(word)\" was not expected") }
    }

    /// What stands before `--`.
    private var optionWords: ArraySlice<String> { words.prefix { $0 != "--" } }
}
