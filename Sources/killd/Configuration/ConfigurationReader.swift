import Glibc
import HTTPServer
import Parameters
import RequestSigning
import Text

/// An error in the configuration, in words for whoever wrote it.
struct ConfigurationError: Error, CustomStringConvertible {
    let description: String

    /// - Parameters:
    ///   - key: where in the file, e.g. `accounts.0.may`.
    ///   - problem: what was expected there.
    init(_ key: String, _ problem: String) { description = "\(key): \(problem)" }

    init(_ problem: String) { description = problem }
}

/// A reader of one object of the configuration. Every key that is read counts as
/// known; ``refuseUnknownKeys()`` names the first of the others.
struct ConfigurationReader {
    private let path: String
    private let members: [ExactText: ParameterTree]
    private let order: [String]
    /// Relative paths in the file are relative to this folder.
    let folder: String
    private var known: Set<ExactText> = []

    init(_ tree: ParameterTree, path: String, folder: String) throws(ConfigurationError) {
        guard case .object(let members) = tree else {
            throw ConfigurationError(path.isEmpty ? "the file" : path, "expected an object: { … }")
        }
        self.path = path
        self.folder = folder
        self.members = Dictionary(
            members.map { (ExactText($0.name), $0.value) }, uniquingKeysWith: { first, _ in first })
        order = members.map(\.name)
    }

    /// Where `key` stands in the file.
    func place(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    func error(_ key: String, _ problem: String) -> ConfigurationError { ConfigurationError(place(key), problem) }

    func refuseUnknownKeys() throws(ConfigurationError) {
        guard let unknown = order.first(where: { !known.contains(ExactText($0)) }) else { return }
        throw error(unknown, "there is no such key; known here: \(known.sorted().map(\.text).joined(separator: ", "))")
    }

    /// Refuses a key of the documented configuration whose feature this version does not have.
    mutating func refuse(_ key: String, because reason: String) throws(ConfigurationError) {
        if value(key) != nil { throw error(key, reason) }
    }

    /// Refuses null where no value would protect less than any: it is what stands
    /// for a variable that was not set.
    func refuseNull(_ key: String) throws(ConfigurationError) {
        if members[ExactText(key)] == .null { throw error(key, "null is no value; leave the key out if you mean none") }
    }

    mutating func value(_ key: String) -> ParameterTree? {
        known.insert(ExactText(key))
        guard let value = members[ExactText(key)], value != .null else { return nil }
        return value
    }

    mutating func string(_ key: String) throws(ConfigurationError) -> String? {
        guard let value = value(key) else { return nil }
        guard case .string(let text) = value, !text.isEmpty else { throw error(key, "expected a text") }
        guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw error(key, "expected a text without control characters")
        }
        return text
    }

    mutating func requiredString(_ key: String) throws(ConfigurationError) -> String {
        guard let text = try string(key) else { throw error(key, "missing; expected a text") }
        return text
    }

    /// A host and a port.
    mutating func address(_ key: String) throws(ConfigurationError) -> ListenAddress? {
        guard let text = try string(key) else { return nil }
        guard let address = ListenAddress(text) else {
            throw error(key, "expected HOST:PORT, such as \"127.0.0.1:8155\"")
        }
        return address
    }

    /// Networks, and how the proxies in them tell whose requests they hand on.
    mutating func trustedProxies(_ key: String) throws(ConfigurationError) -> TrustedProxies? {
        guard var proxies = try object(key) else { return nil }
        let addresses = try proxies.strings("addresses") ?? []
        guard !addresses.isEmpty else {
            throw proxies.error("addresses", "missing; expected the proxies' addresses, such as [\"10.0.0.0/24\"]")
        }
        let networks = try addresses.map { text throws(ConfigurationError) in
            guard let network = IPNetwork(text) else {
                throw proxies.error(
                    "addresses",
                    "\"\(text)\" is no IP address, and no network by its first address and length (10.0.0.0/24)")
            }
            return network
        }
        guard let way = try proxies.choice("protocol", TrustedProxies.Way.self) else {
            throw proxies.error(
                "protocol", "missing; expected \"X-Forwarded-For\", or \"PROXY\" for the PROXY protocol's version 2")
        }
        try proxies.refuseUnknownKeys()
        return TrustedProxies(networks: networks, way: way)
    }

    mutating func integer(_ key: String, in range: ClosedRange<Int>) throws(ConfigurationError) -> Int? {
        guard let value = value(key) else { return nil }
        guard case .number(let text) = value, let number = Int(text), range.contains(number) else {
            throw error(key, "expected a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    mutating func boolean(_ key: String) throws(ConfigurationError) -> Bool? {
        guard let value = value(key) else { return nil }
        guard case .boolean(let answer) = value else { throw error(key, "expected true or false") }
        return answer
    }

    /// One of the raw values of `Choice`.
    mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, _ type: Choice.Type
    ) throws(ConfigurationError) -> Choice? where Choice.RawValue == String {
        guard let text = try string(key) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            let choices = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
            throw error(key, "expected one of \(choices), found \"\(text)\"")
        }
        return choice
    }

    mutating func strings(_ key: String) throws(ConfigurationError) -> [String]? {
        guard let value = value(key) else { return nil }
        let problem = "expected a list of texts: [\"…\", …]"
        guard case .array(let elements) = value else { throw error(key, problem) }
        return try elements.map { element throws(ConfigurationError) in
            guard case .string(let text) = element, !text.isEmpty else { throw error(key, problem) }
            return text
        }
    }

    /// Names under which clients reach this server.
    mutating func serverNames(_ key: String) throws(ConfigurationError) -> [ServerName] {
        var names: [ServerName] = []
        for text in try strings(key) ?? [] {
            do throws(ServerNameError) {
                names.append(try ServerName(text))
            } catch {
                throw self.error(
                    key,
                    "\"\(text)\" \(error.problem); expected HOST or HOST:PORT as clients sign it, such as "
                        + "\"dbbrain.internal.example\"")
            }
        }
        return names
    }

    mutating func object(_ key: String) throws(ConfigurationError) -> ConfigurationReader? {
        guard let value = value(key) else { return nil }
        return try ConfigurationReader(value, path: place(key), folder: folder)
    }

    /// The objects in a list that must not be empty.
    mutating func objects(_ key: String) throws(ConfigurationError) -> [ConfigurationReader] {
        guard case .array(let elements) = value(key), !elements.isEmpty else {
            throw error(key, "expected a list with at least one object: [{ … }]")
        }
        var readers: [ConfigurationReader] = []
        for (index, element) in elements.enumerated() {
            readers.append(try ConfigurationReader(element, path: "\(place(key)).\(index)", folder: folder))
        }
        return readers
    }

    /// A path, made absolute.
    mutating func path(_ key: String) throws(ConfigurationError) -> String? {
        try string(key).map(absolute)
    }

    /// A plain text, `{"env": NAME}` or `{"file": PATH}`.
    mutating func secret(_ key: String) throws(ConfigurationError) -> Secret? {
        guard let value = value(key) else { return nil }
        if case .string(let text) = value { return try secret(text, key) }
        let problem = "expected a text, {\"env\": NAME} or {\"file\": PATH}"
        guard case .object = value else { throw error(key, problem) }
        var source = try ConfigurationReader(value, path: place(key), folder: folder)
        let variable = try source.string("env")
        let file = try source.path("file")
        try source.refuseUnknownKeys()
        switch (variable, file) {
        case (let variable?, nil):
            guard let text = getenv(variable) else {
                throw error(key, "the environment variable \(variable) is not set")
            }
            return try secret(String(cString: text).withoutNewlineAtEnd, key)
        case (nil, let file?):
            let content: [UInt8]
            do throws(UnreadableFile) {
                content = try [UInt8](contentsOf: file)
            } catch let unreadable {
                throw error(key, "the file \(unreadable)")
            }
            guard let text = String(validating: content, as: UTF8.self) else {
                throw error(key, "the file \(file) is no text in UTF-8")
            }
            return try secret(text.withoutNewlineAtEnd, key)
        default: throw error(key, problem)
        }
    }

    private func secret(_ text: String, _ key: String) throws(ConfigurationError) -> Secret {
        guard !text.isEmpty else { throw error(key, "the secret is empty") }
        return Secret(text)
    }

    /// The path of a file that a library will read.
    func readable(_ path: String?, _ key: String) throws(ConfigurationError) -> String? {
        guard let path else { return nil }
        do throws(UnreadableFile) {
            _ = try [UInt8](contentsOf: path)
        } catch let unreadable {
            throw error(key, "the file \(unreadable)")
        }
        return path
    }

    private func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "\(folder)/\(path)" }
}

extension ServerNameError {
    fileprivate var problem: String {
        switch self {
        case .notVisibleASCII: "is empty or has a blank or another character that no name has"
        case .scheme: "has a scheme, which is not signed"
        case .path: "has a path, which is not signed"
        case .notAHost: "has no host name or address (IPv6 in brackets)"
        case .notAPort: "has no port from 1 to 65535 behind its colon"
        }
    }
}

extension String {
    /// Editors end a file with a newline, and programs what a variable is made of.
    fileprivate var withoutNewlineAtEnd: String {
        guard utf8.last == UInt8(ascii: "\n") else { return self }
        let text = Substring(utf8.dropLast())
        return String(text.utf8.last == UInt8(ascii: "\r") ? Substring(text.utf8.dropLast()) : text)
    }
}
