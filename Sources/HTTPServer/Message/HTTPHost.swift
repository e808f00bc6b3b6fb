// `uri-host [ ":" port ]`: the value of Host (RFC 9110 section 7.2) and the authority of a target.

extension Span<UInt8> {
    /// Whether the bytes in `range` are a host with an optional port.
    ///
    /// A user before the host is none (RFC 9110 section 4.2.4), and neither is
    /// an empty host (section 4.2.1).
    func isHostWithPort(at range: Range<Int>) -> Bool {
        guard let hostEnd = endOfHost(at: range), hostEnd > range.lowerBound else { return false }
        guard hostEnd < range.upperBound else { return true }
        return self[hostEnd] == UInt8(ascii: ":")
            && ((hostEnd + 1)..<range.upperBound).allSatisfy { self[$0].decimalDigit != nil }
    }

    /// The end of the name or address at the start of `range`; nil if it is
    /// broken. Of the addresses in brackets only IPv6 exists.
    private func endOfHost(at range: Range<Int>) -> Int? {
        guard let first = range.first, self[first] == UInt8(ascii: "[") else { return endOfHostName(at: range) }
        guard let end = range.first(where: { self[$0] == UInt8(ascii: "]") }) else { return nil }
        let address = (first + 1)..<end
        let isAddress = address.allSatisfy {
            self[$0].hexadecimalDigit != nil || self[$0] == UInt8(ascii: ":") || self[$0] == UInt8(ascii: ".")
        }
        return isAddress && !address.isEmpty ? end + 1 : nil
    }

    private func endOfHostName(at range: Range<Int>) -> Int? {
        var index = range.lowerBound
        while index < range.upperBound {
            if self[index] == UInt8(ascii: "%") {
                guard index + 2 < range.upperBound, self[index + 1].hexadecimalDigit != nil,
                    self[index + 2].hexadecimalDigit != nil
                else { return nil }
                index += 3
            } else if self[index].isHostNameByte {
                index += 1
            } else {
                break
            }
        }
        return index
    }

    /// `range` without the scheme `http` or `https` at its start.
    func withoutScheme(_ range: Range<Int>) -> Range<Int> {
        for scheme: StaticString in ["http://", "https://"] {
            let end = range.lowerBound + scheme.utf8CodeUnitCount
            if end <= range.upperBound, has(scheme, at: range.lowerBound..<end) { return end..<range.upperBound }
        }
        return range
    }
}
