import Settings
import TLS

extension ConfigurationReader {
    /// An object with the paths of certificate, key and authorities, and all
    /// that these files hold; nil without one.
    mutating func tls(_ key: String) throws(ConfigurationError) -> TLSServerContext? {
        guard let value = value(key) else { return nil }
        var reader = try ConfigurationReader(value, at: place.member(key), folder: folder)
        let certificate = try reader.path("certificate")
        let privateKey = try reader.path("privateKey")
        try reader.refuseNull("clientCA")
        let clientCA = try reader.path("clientCA")
        try reader.refuseUnknownKeys()
        guard let certificate else { throw reader.error("certificate", "missing; expected the path of a PEM file") }
        guard let privateKey else { throw reader.error("privateKey", "missing; expected the path of a PEM file") }
        do throws(TLSError) {
            return try TLSServerContext(certificate: certificate, privateKey: privateKey, clientAuthorities: clientCA)
        } catch {
            switch error.role {
            case .certificate: throw reader.error("certificate", error.description)
            case .privateKey: throw reader.error("privateKey", error.description)
            case .authorities: throw reader.error("clientCA", error.description)
            case nil: throw self.error(key, error.description)
            }
        }
    }
}
