import TencentCloudErrors

/// What a stand-in rejects a call with because it was asked to, whatever the call says.
public struct ScriptedRejection: Error, Hashable {
    public let code: ErrorCode

    let message: String

    /// - Parameter message: nil for one that says that it was asked for.
    public init(_ code: ErrorCode, message: String? = nil) {
        self.code = code
        self.message = message ?? "The stand-in was asked to answer this call so: \(code.entry.meaning)."
    }
}
