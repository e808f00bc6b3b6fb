/// The vendor whose API a request is meant for, by what the SDKs of each always send.
///
/// Whoever has the wrong port is to be told so in the words of the API that was
/// meant: an SDK of Alibaba Cloud takes everything with status 200 for a success,
/// and that is the status of every rejection of Tencent Cloud's.
public enum CloudVendor: Sendable {
    case tencentCloud, alibabaCloud

    /// `nil` for what has the marks of neither, or of both.
    ///
    /// - Parameter hasParameter: whether the query or the form has one of this name;
    ///   asked only where the headers tell nothing.
    public init?(headers: some HeaderFields, hasParameter: (String) -> Bool) {
        let authorization = headers["Authorization"]?.utf8
        let isTencent = headers.contains("X-TC-Action") || authorization?.starts(with: "TC3-".utf8) == true
        let isAlibaba = headers.contains("x-acs-action") || authorization?.starts(with: "ACS3-".utf8) == true
        switch (isTencent, isAlibaba) {
        case (true, false): self = .tencentCloud
        case (false, true): self = .alibabaCloud
        case (true, true): return nil
        case (false, false):
            switch (hasParameter("SecretId"), hasParameter("AccessKeyId")) {
            case (true, false): self = .tencentCloud
            case (false, true): self = .alibabaCloud
            default: return nil
            }
        }
    }
}
