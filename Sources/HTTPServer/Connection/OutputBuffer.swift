/// The bytes that a connection has to send, and how its client takes them.
struct OutputBuffer: Sendable {
    /// Bytes to send, from ``sentCount`` on.
    private(set) var bytes: [UInt8] = []
    private(set) var sentCount = 0
    private var progress: TransferProgress

    /// What an idle connection may keep of its buffer, in bytes.
    private static let mostIdleCapacity = 4 * 1024

    init(at now: MonotonicTime) { progress = TransferProgress(at: now) }

    var isEmpty: Bool { bytes.isEmpty }
    var heldBytes: Int { bytes.capacity }

    /// The time at which the client must have taken more; nil if nothing is to be
    /// sent.
    func deadline(_ limits: HTTPLimits) -> MonotonicTime? {
        isEmpty ? nil : progress.deadline(within: limits.writeStallTimeout, total: limits.writeTimeout)
    }

    /// `count` bytes went out.
    ///
    /// - Returns: whether that were all.
    mutating func sent(_ count: Int, at now: MonotonicTime, _ limits: HTTPLimits) -> Bool {
        sentCount += count
        guard sentCount == bytes.count else {
            progress.note(count, at: now, within: limits.writeStallTimeout, rate: limits.minimumRate)
            return false
        }
        sentCount = 0
        bytes.removeAll(keepingCapacity: bytes.capacity <= Self.mostIdleCapacity)
        return true
    }

    mutating func appendContinue(at now: MonotonicTime) {
        begin(at: now)
        bytes.append(contentsOf: "HTTP/1.1 100 Continue\r\n\r\n".utf8)
    }

    /// - Parameters:
    ///   - isHead: whether it is the response to HEAD, which has no content, whatever it says (RFC 9110 section 9.3.2).
    ///   - isLast: whether the connection ends behind it.
    mutating func append(_ response: HTTPResponse, isHead: Bool, isLast: Bool, date: HTTPDate, at now: MonotonicTime) {
        begin(at: now)
        bytes.append(contentsOf: "HTTP/1.1 ".utf8)
        bytes.append(decimal: response.status.rawValue)
        bytes.append(UInt8(ascii: " "))
        bytes.append(contentsOf: response.status.reasonPhrase.utf8)
        bytes.append(contentsOf: "\r\nDate: ".utf8)
        bytes.append(contentsOf: date.bytes)
        bytes.append(contentsOf: "\r\nContent-Length: ".utf8)
        bytes.append(decimal: response.body.count)
        // HTTP/1.1 clients take the rest for granted, HTTP/1.0 clients must be told (RFC 9112 section 9.3).
        bytes.append(contentsOf: (isLast ? "\r\nConnection: close\r\n" : "\r\nConnection: keep-alive\r\n").utf8)
        bytes.append(response.headers)
        bytes.append(contentsOf: "\r\n".utf8)
        guard !isHead else { return }
        switch response.delivery {
        case .whole: bytes.append(contentsOf: response.body)
        case .cut(let count): bytes.append(contentsOf: response.body.prefix(count))
        case .nothing: break
        }
    }

    private mutating func begin(at now: MonotonicTime) {
        if isEmpty { progress = TransferProgress(at: now) }
    }
}

extension [UInt8] {
    /// - Parameter number: not negative.
    fileprivate mutating func append(decimal number: Int) {
        if number >= 10 { append(decimal: number / 10) }
        append(UInt8(ascii: "0") + UInt8(number % 10))
    }
}
