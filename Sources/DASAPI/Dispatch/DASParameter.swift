import Text

/// The parameters that every action has, in a query or form.
enum DASParameter: String, CaseIterable {
    case action = "Action"
    case version = "Version"
    case format = "Format"
    case accessKeyID = "AccessKeyId"
    case signature = "Signature"
    case signatureMethod = "SignatureMethod"
    case signatureVersion = "SignatureVersion"
    case signatureNonce = "SignatureNonce"
    case signatureType = "SignatureType"
    case timestamp = "Timestamp"
    case securityToken = "SecurityToken"
    /// The region, which core SDKs and the command line client send; an endpoint is one region.
    case regionID = "RegionId"
    /// What the command line client hands on of the environment it was called in.
    case sourceIP = "SourceIp"
    case secureTransport = "SecureTransport"

    private static let byName = Dictionary(
        allCases.map { (ExactText($0.rawValue), $0) }, uniquingKeysWith: { first, _ in first })

    /// `nil` for every other name.
    init?(name: String) {
        guard let parameter = Self.byName[ExactText(name)] else { return nil }
        self = parameter
    }

    /// The parameter that a header of V3 stands for.
    init?(header: String) {
        switch header {
        case "x-acs-action": self = .action
        case "x-acs-version": self = .version
        case "x-acs-date": self = .timestamp
        case "x-acs-signature-nonce": self = .signatureNonce
        default: return nil
        }
    }
}
