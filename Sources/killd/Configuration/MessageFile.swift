import Parameters
import Settings
import TencentCloudErrors

extension MessageOverrides {
    /// Reads a file of replacements: `{ "our text with {1}": "another text with {1}" }`.
    ///
    /// - Throws: ``ConfigurationError`` for the first thing that is wrong.
    init(file path: String) throws(ConfigurationError) {
        let content: [UInt8]
        do throws(UnreadableFile) {
            content = try [UInt8](contentsOf: path)
        } catch {
            throw ConfigurationError("messages", "the file \(error)")
        }
        let tree: ParameterTree
        do {
            tree = try ParameterTree(file: content, ConfigurationError.self)
        } catch {
            throw ConfigurationError("messages", "\(path): \(error.description)")
        }
        guard case .object(let members) = tree else {
            throw ConfigurationError("messages", "\(path): expected an object")
        }
        let replacements = try members.map { member throws(ConfigurationError) in
            guard case .string(let replacement) = member.value, !replacement.isEmpty else {
                throw ConfigurationError("messages", "\(path): expected a text for \"\(member.name)\"")
            }
            return (member.name, replacement)
        }
        do throws(MessageOverrideError) {
            try self.init(replacements)
        } catch {
            throw ConfigurationError("messages", "\(path): \(error.words)")
        }
    }
}

extension MessageOverrideError {
    fileprivate var words: String {
        switch self {
        case .unknownText(let text): "killd answers with no text of its own like \"\(text)\""
        case .unknownValue(let text, 0): "\"\(text)\": the text has no values, so no braces may stand here"
        case .unknownValue(let text, let count): "\"\(text)\": braces may hold numbers from 1 to \(count) only"
        }
    }
}
