/// What counts as one client where connections are limited: an IPv4 address, or
/// the 64 bits of an IPv6 address that a provider gives to one customer at least
/// (RFC 6177), who has all addresses below them.
enum ClientNetwork: Hashable, Sendable {
    case ipv4(UInt32)
    case ipv6(UInt64)
}
