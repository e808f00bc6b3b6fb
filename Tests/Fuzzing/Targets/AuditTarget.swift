@testable import AuditTrail
import Foundation
import Parameters

/// What is taken for JSON is JSON to Foundation too, with the same content, and what
/// the reader of requests takes is taken; no text of a stranger is a head of the audit.
enum AuditTarget {
    static func read(_ bytes: [UInt8]) {
        _ = heads(inLines: bytes)
        _ = HeadSearch.heads(inDocument: bytes, file: "text")
        try? demandAgreement(of: bytes)
    }

    static func check(_ bytes: [UInt8]) throws {
        for head in heads(inLines: bytes) { try demand(head.hash.utf8.count == 64, "\(head)") }
        try compareWithFoundation(bytes)
        try demandAgreement(of: bytes)
        try searchBeside(stranger: String(decoding: bytes, as: UTF8.self))
    }

    private static func heads(inLines bytes: [UInt8]) -> [KnownHead] {
        var search = HeadSearch(file: "text")
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) { search.take(line) }
        return search.heads
    }

    // MARK: JSON

    private static func compareWithFoundation(_ bytes: [UInt8]) throws {
        // Foundation also reads UTF-16 and UTF-32, and drops a byte-order mark at the beginning of any string.
        guard let content = String(validating: bytes, as: UTF8.self),
            !content.unicodeScalars.contains(where: { $0 == "\u{FEFF}" || $0 == "\0" })
        else { return }
        let slice = JSONSlice(document: bytes[...])
        let value: Any
        do {
            value = try JSONSerialization.jsonObject(with: Data(bytes))
        } catch {
            // It rejects halves of surrogate pairs, and numbers that no Double holds.
            return try demand(
                slice?.hasOnlyFiniteNumbers != true || content.contains("\\ud") || content.contains("\\uD"),
                "\(text(bytes)) is to Foundation \(error)")
        }
        // Foundation takes a comma behind the last member.
        guard let slice else {
            return try demand(
                isDeep(bytes) || (try? ParameterTree(json: bytes)) == nil, "\(text(bytes)) is to Foundation \(value)")
        }
        try demand(slice.agrees(with: value), "\(text(bytes)) is to Foundation \(value)")
    }

    /// Whether there can be as many levels as nothing is read of.
    private static func isDeep(_ bytes: [UInt8]) -> Bool {
        bytes.count { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "[") } > 32
    }

    // MARK: Entries

    /// What a check of the chain finds nothing wrong with says the same to everybody who reads it.
    private static func demandAgreement(of bytes: [UInt8]) throws {
        let payload = String(decoding: bytes, as: UTF8.self)
        guard let slice = JSONSlice(document: Array(payload.utf8)[...]), let members = slice.members,
            let sequence = slice["seq"]?.integer, let time = slice["at"]?.integer, let kind = slice["kind"]?.string,
            sequence == 1
        else { return }
        let hash = try AuditChain.payloadHash(payload)
        var check = try ChainCheck(known: [])
        try lend(payload) { payload in
            try lend(kind) { kind in
                try lend(slice["plan"]?.string ?? "") { plan in
                    try lend(hash) { payloadHash in
                        let previous = AuditChain.firstPrevious
                        try lend(AuditChain.hash(sequence: 1, previous: previous, payloadHash: hash)) { hash in
                            try check.add(
                                ChainCheck.Entry(
                                    sequence: sequence, time: time, kind: kind,
                                    plan: slice["plan"] == nil ? nil : plan, payload: payload,
                                    payloadHash: payloadHash, hash: hash))
                        }
                    }
                }
            }
        }
        let faults = check.result().faults
        let wrong = faults.first.contains { if case .noBeginning = $0 { false } else { true } }
        let names = members.map(\.name)
        let isPlain = names == names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        try demand(
            wrong || Set(names.map { Array($0.utf8) }).count == names.count && isPlain,
            "\(text(bytes)) is an entry that has a name twice, or names in another order")
    }

    private static func lend(_ text: String, _ body: (UnsafeBufferPointer<UInt8>) throws -> Void) throws {
        try Array(text.utf8).withUnsafeBufferPointer(body)
    }

    // MARK: A stranger's text

    private static let hash = String(repeating: "0123456789abcdef", count: 4)

    /// In whatever killd writes of it, and in what a collector of logs makes of that.
    private static func searchBeside(stranger: String) throws {
        let entry = AuditLine([
            ("seq", .number(3)), ("at", .number(1)), ("kind", .text("rejected")), ("reason", .text(stranger)),
            ("threads", .list([.object([("id", .number(7)), ("host", .text(stranger)), ("user", .text(stranger))])])),
        ]).line()
        let members = JSONSlice(entry)
        try demand(members["reason"]?.string?.isSame(as: stranger) == true, "\(entry) has another reason")
        let user = members["threads"]?.elements?.first?["user"]
        try demand(user?.string?.isSame(as: stranger) == true, "\(entry) has another user")

        let log = AuditLine([
            ("audit", .text("12")), ("hash", .text(hash)), ("message", .text("audit entry")),
            ("cause", .text(stranger)),
        ]).line()
        for (line, count) in [(entry, 0), (log, 1)] {
            let wrapped = AuditLine([("MESSAGE", .text(line)), ("_HOSTNAME", .text(stranger))]).line()
            for text in [line, "Nov 30 00:00:00 db killd[12]: \(line)", wrapped] {
                let found = heads(inLines: Array(text.utf8))
                try demand(
                    found.map(\.sequence) == (count == 1 ? [12] : []) && found.allSatisfy { $0.hash == hash },
                    "\(text) has the heads \(found)")
            }
        }
    }
}

extension JSONSlice {
    fileprivate var hasOnlyFiniteNumbers: Bool {
        if let members { return members.allSatisfy(\.value.hasOnlyFiniteNumbers) }
        if let elements { return elements.allSatisfy(\.hasOnlyFiniteNumbers) }
        guard string == nil, !["true", "false", "null"].contains(where: { raw.elementsEqual($0.utf8) }) else {
            return true
        }
        return Double(String(decoding: raw, as: UTF8.self))?.isFinite == true
    }

    fileprivate func agrees(with value: Any) -> Bool {
        if let members {
            guard let object = value as? [String: Any] else { return false }
            // Of a name that is there twice Foundation has one value, and takes canonically equivalent names for one.
            guard object.count == members.count else { return members.allSatisfy { object[$0.name] != nil } }
            return members.allSatisfy { $0.value.agrees(with: object[$0.name] as Any) }
        }
        if let elements {
            guard let array = value as? [Any], array.count == elements.count else { return false }
            return zip(elements, array).allSatisfy { $0.agrees(with: $1) }
        }
        if let string { return (value as? String)?.isSame(as: string) == true }
        let word = String(decoding: raw, as: UTF8.self)
        if word == "null" { return value is NSNull }
        guard let number = value as? NSNumber else { return false }
        if word == "true" || word == "false" { return number.boolValue == (word == "true") }
        if let integer { return number.int64Value == integer }
        // Foundation rounds integers of more than 64 bits in another way than Double.
        guard let double = Double(word) else { return false }
        return abs(double - number.doubleValue) <= abs(double) * 1e-12
    }
}
