import Text

extension String {
    /// Whether a parameter, header or member of this name holds a password, a token, a key or a signature, in either
    /// API, however it is spelled.
    public var isNameOfSecret: Bool {
        let name = lowercased()
        return ["password", "token", "secret", "signature", "credential"].contains(where: name.hasBytes)
    }
}
