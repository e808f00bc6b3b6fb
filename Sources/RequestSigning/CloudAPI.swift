/// An API of one of the vendors, by the product's name in its requests.
public enum CloudAPI: String, Hashable, Sendable, Codable, CaseIterable {
    /// Tencent Cloud's.
    case dbbrain
    /// Alibaba Cloud's.
    case das
}
