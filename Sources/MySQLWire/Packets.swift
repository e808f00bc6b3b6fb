/// Packets of MySQL's protocol as servers write them: old EOF style, no DEPRECATE_EOF.
public struct PacketWriter {
    public private(set) var bytes: [UInt8] = []
    private var sequence: UInt8

    /// - Parameter sequence: number of the first packet.
    public init(sequence: UInt8) { self.sequence = sequence }

    public mutating func append(_ payload: [UInt8]) {
        let largest = 0xFF_FFFF
        var start = 0
        while true {
            let length = min(largest, payload.count - start)
            bytes += [
                UInt8(truncatingIfNeeded: length), UInt8(truncatingIfNeeded: length >> 8),
                UInt8(truncatingIfNeeded: length >> 16), sequence,
            ]
            bytes += payload[start..<start + length]
            sequence &+= 1
            start += length
            // A packet of the largest size is always followed by another, which may be empty.
            if length < largest { return }
        }
    }

    /// Forgets the bytes so far, which were sent, and goes on with the next number.
    public mutating func takeBytes() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }

    /// - Parameter status: 0 in answers of an ODP itself.
    public mutating func append(_ answer: Answer, status: UInt16, more: Bool = false) {
        let status = status | (more ? 0x0008 : 0)
        let statusBytes = [UInt8(truncatingIfNeeded: status), UInt8(truncatingIfNeeded: status >> 8)]
        switch answer {
        case .ok: append([0, 0, 0] + statusBytes + [0, 0])
        case .error(let code, let state, let message):
            append(
                [0xFF, UInt8(truncatingIfNeeded: code), UInt8(truncatingIfNeeded: code >> 8), UInt8(ascii: "#")]
                    + state.utf8 + message.utf8)
        case .rows(let columns, let rows):
            append(.encodedRows(columns, rows.map(encoded)), status: status)
        case .encodedRows(let columns, let rows):
            append(columns)
            appendEnd(status: status)
            for row in rows { append(row) }
            appendEnd(status: status)
        }
    }

    /// The head of a result set, without the end of the columns.
    public mutating func append(_ columns: [Column]) {
        append(lengthEncoded(columns.count))
        for column in columns { append(definition(of: column)) }
    }

    /// The end of the columns, and of the rows.
    public mutating func appendEnd(status: UInt16) {
        append([0xFE, 0, 0, UInt8(truncatingIfNeeded: status), UInt8(truncatingIfNeeded: status >> 8)])
    }

    private func definition(of column: Column) -> [UInt8] {
        var payload = lengthEncoded("def")
        for text in ["", "", "", column.name, column.name] { payload += lengthEncoded(text) }
        // Charset 45, length 0, flags 0: ODP does not mark unsigned numbers. The byte of decimals is a guess [I].
        return payload + [0x0C, 45, 0, 0, 0, 0, 0, column.type.rawValue, 0, 0, 0, 0, 0]
    }
}

/// A row's packet, without its header.
public func encoded(_ row: [String?]) -> [UInt8] {
    var payload: [UInt8] = []
    for value in row { payload += value.map { lengthEncoded($0) } ?? [0xFB] }
    return payload
}

private func lengthEncoded(_ text: String) -> [UInt8] { lengthEncoded(text.utf8.count) + text.utf8 }

private func lengthEncoded(_ count: Int) -> [UInt8] {
    func bytes(_ size: Int) -> [UInt8] { (0..<size).map { UInt8(truncatingIfNeeded: count >> ($0 * 8)) } }
    return switch count {
    case ..<251: [UInt8(count)]
    case ..<0x1_0000: [0xFC] + bytes(2)
    case ..<0x100_0000: [0xFD] + bytes(3)
    default: [0xFE] + bytes(8)
    }
}

public enum ColumnType: UInt8, Sendable {
    case long = 3
    case longLong = 8
    case varchar = 15
}

public struct Column: Sendable {
    public let name: String
    let type: ColumnType

    public init(_ name: String, _ type: ColumnType = .varchar) {
        self.name = name
        self.type = type
    }
}

public enum Answer: Sendable {
    case ok
    case error(UInt16, state: String, String)
    case rows([Column], [[String?]])
    /// The same, with each row as ``encoded(_:)`` makes it.
    case encodedRows([Column], [[UInt8]])

    public static func unknownThread(_ id: UInt64) -> Answer {
        .error(1_094, state: "HY000", "Unknown thread id: \(id)")
    }

    public static let syntax = Answer.error(
        1_064, state: "42000", "You have an error in your SQL syntax; check the manual for the right syntax to use")
}

/// The greeting of a server without TLS.
///
/// - Parameters:
///   - plugin: the authentication method that it proposes.
///   - claimsTLS: whether it says that it has TLS.
public func greeting(
    threadID: UInt32, version: String = "5.6.25", plugin: String = "mysql_native_password", claimsTLS: Bool = false
) -> [UInt8] {
    // PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH, CONNECT_ATTRS, MULTI_STATEMENTS and what goes with them; SSL.
    let capabilities: UInt32 = 0x0000_A20F | 0x003B_0000 | (claimsTLS ? 0x0800 : 0)
    var payload: [UInt8] = [10] + version.utf8 + [0]
    for shift in stride(from: 0, to: 32, by: 8) { payload.append(UInt8(truncatingIfNeeded: threadID >> UInt32(shift))) }
    payload += "12345678".utf8 + [0]
    payload += [UInt8(capabilities & 0xFF), UInt8(capabilities >> 8 & 0xFF), 45, 2, 0]
    payload += [UInt8(capabilities >> 16 & 0xFF), UInt8(capabilities >> 24 & 0xFF), 21]
    payload += [UInt8](repeating: 0, count: 10) + "123456789012".utf8 + [0] + plugin.utf8 + [0]
    var writer = PacketWriter(sequence: 0)
    writer.append(payload)
    return writer.bytes
}
