import Glibc
import HTTPServer
import Parameters
import RequestSigning
import Settings
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

extension ConfigurationError: SettingsMistake {
    init(at place: SettingsPlace, found: ParameterTree?, _ problem: String) {
        if place.isFile, found == nil {
            self.init(problem)
        } else {
            self.init(place.isFile ? "the file" : place.dotted, problem)
        }
    }
}

/// A reader of one object of the configuration.
typealias ConfigurationReader = SettingsReader<ConfigurationError>

extension ConfigurationReader {
    /// Refuses a key of the documented configuration whose feature this version does not have.
    mutating func refuse(_ key: String, because reason: String) throws(ConfigurationError) {
        if value(key) != nil { throw error(key, reason) }
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
        var source = try ConfigurationReader(value, at: place.member(key), folder: folder)
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
