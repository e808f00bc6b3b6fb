import Cryptography

/// The names that a client may have signed as `host`, likeliest first.
///
/// The received `Host` alone is not enough: the Node.js SDK leaves the port out
/// of what it signs, and every SDK in gateway mode signs the vendor's name while
/// it sends the gateway's.
struct SignedHosts {
    /// The `Host` header as received.
    let sent: String
    private let vendor: Vendor
    private let configured: ServerNames

    /// The vendors whose SDKs sign, which have names built in.
    enum Vendor {
        /// - Parameter region: `X-TC-Region`, for the regional names.
        case tencentCloud(region: String?)
        /// Its SDKs sign what they send.
        case alibabaCloud
    }

    /// - Parameters:
    ///   - host: the `Host` header as received; the Python SDKs put the scheme
    ///     there too (`http://127.0.0.1:8080`) and sign just that.
    ///   - configured: names of this server that the operator knows of.
    init(host: String, vendor: Vendor, configured: ServerNames) {
        sent = host
        self.vendor = vendor
        self.configured = configured
    }

    /// Whether one of the names is the one that is looked for, likeliest first.
    func contains(where isSigned: (String) throws(CryptographyError) -> Bool) throws(CryptographyError) -> Bool {
        if try isSigned(sent) { return true }
        // Put together only now: that takes as long as a verification, and few clients sign another name.
        for candidate in candidates.dropFirst() {
            if try isSigned(candidate) { return true }
        }
        return false
    }

    private var candidates: [String] {
        var names = [sent]
        if case .tencentCloud(let region) = vendor {
            names += [Self.withoutPort(sent), "dbbrain.tencentcloudapi.com", "dbbrain.intl.tencentcloudapi.com"]
            if let region, Self.isLabel(region) { names.append("dbbrain.\(region).tencentcloudapi.com") }
        }
        names += configured.candidates(behind: sent)
        let withCapitals = names.filter { $0.utf8.contains { (0x41...0x5A).contains($0) } }
        return (names + withCapitals.map { $0.lowercased() }).withoutRepetitions
    }

    /// Whether an SDK that is pointed at one of the candidates, or that has the
    /// name built in, would put `service` into its credential.
    ///
    /// The Java, Node.js, PHP, .NET, C++ and Ruby SDKs take what stands before
    /// the first dot of their endpoint: `127` of `127.0.0.1:8080`, all of
    /// `localhost:8080`.
    func accepts(service: String) -> Bool {
        service == "dbbrain"
            || candidates.contains { $0 == service || $0.prefix { $0 != "." } == service }
    }

    private static func withoutPort(_ host: String) -> String {
        guard let colon = host.utf8.lastIndex(of: UInt8(ascii: ":")) else { return host }
        let port = host.utf8[host.utf8.index(after: colon)...]
        let isPort = !port.isEmpty && port.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return isPort ? String(host[..<colon]) : host
    }

    private static func isLabel(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}

extension [String] {
    /// The elements in order, each only where it occurs first. For short arrays.
    var withoutRepetitions: [Element] {
        reduce(into: []) { result, element in
            if !result.contains(where: element.isSame) { result.append(element) }
        }
    }
}
