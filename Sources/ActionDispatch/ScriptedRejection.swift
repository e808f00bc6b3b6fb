import TencentCloudErrors

/// What a stand-in rejects a call with because it was asked to, whatever the call says.
public struct ScriptedRejection: Error, Hashable {
    public let code: ErrorCode

    public init(_ code: ErrorCode) { self.code = code }

    var message: String { "The stand-in was asked to answer this call so: \(code.entry.meaning)." }
}
