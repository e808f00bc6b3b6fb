/// Packets of MySQL's protocol as an ODP writes them: old EOF style, no DEPRECATE_EOF.
struct PacketWriter {
    private(set) var bytes: [UInt8] = []
    private var sequence: UInt8

    /// - Parameter sequence: number of the first packet.
    init(sequence: UInt8) { self.sequence = sequence }

    mutating func append(_ payload: [UInt8]) {
        let length = payload.count
        bytes += [
            UInt8(truncatingIfNeeded: length), UInt8(truncatingIfNeeded: length >> 8),
            UInt8(truncatingIfNeeded: length >> 16), sequence,
        ]
        bytes += payload
        sequence &+= 1
    }

    /// - Parameter status: 0 in answers of the ODP itself.
    mutating func append(_ answer: Answer, status: UInt16, more: Bool = false) {
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
            append([UInt8(columns.count)])
            for column in columns { append(definition(of: column)) }
            let end: [UInt8] = [0xFE, 0, 0] + statusBytes
            append(end)
            for row in rows { append(row) }
            append(end)
        }
    }

    private func definition(of column: Column) -> [UInt8] {
        var payload = lengthEncoded("def")
        for text in ["", "", "", column.name, column.name] { payload += lengthEncoded(text) }
        // Charset 45, length 0, flags 0: ODP does not mark unsigned numbers. The byte of decimals is a guess [I].
        return payload + [0x0C, 45, 0, 0, 0, 0, 0, column.type.rawValue, 0, 0, 0, 0, 0]
    }
}

/// A row's packet, without its header.
func encoded(_ row: [String?]) -> [UInt8] {
    var payload: [UInt8] = []
    for value in row { payload += value.map { lengthEncoded($0) } ?? [0xFB] }
    return payload
}

private func lengthEncoded(_ text: String) -> [UInt8] {
    let count = text.utf8.count
    let length: [UInt8] =
        count < 251
        ? [UInt8(count)]
        : [0xFD, UInt8(count & 0xFF), UInt8(count >> 8 & 0xFF), UInt8(count >> 16 & 0xFF)]
    return length + text.utf8
}

enum ColumnType: UInt8 {
    case long = 3
    case longLong = 8
    case varchar = 15
}

struct Column {
    let name: String
    let type: ColumnType

    init(_ name: String, _ type: ColumnType = .varchar) {
        self.name = name
        self.type = type
    }
}

enum Answer {
    case ok
    case error(UInt16, state: String, String)
    case rows([Column], [[String?]])
    /// The same, with each row as ``encoded(_:)`` makes it.
    case encodedRows([Column], [[UInt8]])

    static func unknownThread(_ id: UInt64) -> Answer { .error(1_094, state: "HY000", "Unknown thread id: \(id)") }
    static let badCommand = Answer.error(5_010, state: "21000", "Unknown operator, bad internal cmd")
    static let syntax = Answer.error(
        1_064, state: "42000", "You have an error in your SQL syntax; check the manual for the right syntax to use")
}

/// The greeting, for which a login of any password is good.
func greeting(threadID: UInt32) -> [UInt8] {
    // PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH, CONNECT_ATTRS, MULTI_STATEMENTS and what goes with them; no SSL.
    let capabilities: UInt32 = 0x0000_A20F | 0x003B_0000
    var payload: [UInt8] = [10] + "5.6.25".utf8 + [0]
    for shift in stride(from: 0, to: 32, by: 8) { payload.append(UInt8(truncatingIfNeeded: threadID >> UInt32(shift))) }
    payload += "12345678".utf8 + [0]
    payload += [UInt8(capabilities & 0xFF), UInt8(capabilities >> 8 & 0xFF), 45, 2, 0]
    payload += [UInt8(capabilities >> 16 & 0xFF), UInt8(capabilities >> 24 & 0xFF), 21]
    payload += [UInt8](repeating: 0, count: 10) + "123456789012".utf8 + [0] + "mysql_native_password".utf8 + [0]
    var writer = PacketWriter(sequence: 0)
    writer.append(payload)
    return writer.bytes
}

/// A login's name: `user@tenant#cluster`, of which the ends may lack.
struct LoginName: Equatable {
    var user: String
    var tenant: String
    var cluster: String

    /// From the payload of a login packet: four bytes of capabilities, four of a
    /// length, one of a charset, 23 of nothing, and the name.
    init(packet: [UInt8], cluster defaultCluster: String) {
        let name = String(decoding: packet.dropFirst(32).prefix { $0 != 0 }, as: UTF8.self)
        let parts = name.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        cluster = parts.count > 1 ? String(parts[1]) : defaultCluster
        let login = parts[0].split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        user = String(login[0])
        tenant = login.count > 1 ? String(login[1]) : "sys"
    }
}
