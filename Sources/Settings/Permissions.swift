import Accounts

extension SettingsReader {
    /// What an account may.
    public mutating func permissions(_ key: String) throws(Mistake) -> Set<Permission> {
        let words = Permission.allCases.map(\.rawValue).joined(separator: ", ")
        var permissions: Set<Permission> = []
        for word in try strings(key) ?? [] {
            if word == "*" {
                permissions.formUnion(Permission.everyday)
            } else if let permission = Permission(rawValue: word) {
                permissions.insert(permission)
            } else {
                throw error(key, "\"\(word)\" is none of \(words), *")
            }
        }
        guard !permissions.isEmpty else { throw error(key, "expected at least one of \(words), *") }
        return permissions
    }
}
