/// A login's name: `user@tenant#cluster`, of which the ends may lack.
struct LoginName: Equatable {
    var user: String
    var tenant: String
    var cluster: String

    /// From the payload of a login packet: four bytes of capabilities, four of a
    /// length, one of a charset, 23 of nothing, and the name.
    init(packet: [UInt8], cluster defaultCluster: String) {
        let name = String(decoding: packet.dropFirst(32).prefix { $0 != 0 }, as: UTF8.self)
        let parts = name.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        cluster = parts.count > 1 ? String(parts[1]) : defaultCluster
        let login = parts[0].split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        user = String(login[0])
        tenant = login.count > 1 ? String(login[1]) : "sys"
    }
}
