import SeededRandom
import Text
import Foundation
import Parameters

/// What is taken for JSON is JSON to Foundation too, with the same content.
enum JSONTarget {
    static func read(_ bytes: [UInt8]) {
        guard let tree = try? ParameterTree(json: bytes) else { return }
        TypedRequests.read(tree)
    }

    static func check(_ bytes: [UInt8]) throws {
        let tree: ParameterTree
        do throws(ParameterError) {
            tree = try ParameterTree(json: bytes)
        } catch {
            if case .malformed(let offset, _) = error {
                try demand((0...bytes.count).contains(offset), "offset \(offset)")
            }
            return try TypedRequests.check(error)
        }
        let written = tree.json
        try demand(try ParameterTree(json: written).isSame(as: tree), "\(text(written)) is read as another")
        let padded = Array(" \t\r\n".utf8) + bytes + Array("\n".utf8)
        try demand(try ParameterTree(json: padded).isSame(as: tree), "white space around it makes a difference")

        // A request that was cut short must not be another request.
        let end = bytes.lastIndex(of: UInt8(ascii: "}")) ?? 0
        var random = SplitMix64(of: bytes)
        let cut = bytes.prefix(Int.random(in: 0...end, using: &random))
        try demand((try? ParameterTree(json: Array(cut))) == nil, "cut short, it is read: \(text(cut))")

        // Foundation rejects numbers that no Double holds, here the type that is asked for does; and it drops a
        // byte-order mark at the beginning of any string.
        if tree.hasOnlyFiniteNumbers, !String(decoding: bytes, as: UTF8.self).unicodeScalars.contains("\u{FEFF}") {
            let value = try JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed])
            try demand(tree.agrees(with: value), "\(tree) is to Foundation \(value)")
            try TypedRequests.check(tree, json: bytes)
        } else {
            try TypedRequests.check(tree)
        }
    }
}

extension ParameterTree {
    fileprivate var json: [UInt8] {
        var json: [UInt8] = []
        switch self {
        case .object(let members):
            json.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { json.append(UInt8(ascii: ",")) }
                json.append(jsonString: member.name)
                json.append(UInt8(ascii: ":"))
                json += member.value.json
            }
            json.append(UInt8(ascii: "}"))
        case .array(let elements):
            json = Array("[".utf8) + elements.map(\.json).joined(separator: ",".utf8) + "]".utf8
        case .string(let text), .text(let text): json.append(jsonString: text)
        case .number, .boolean, .null: json += description.utf8
        }
        return json
    }

    fileprivate var hasOnlyFiniteNumbers: Bool {
        switch self {
        case .object(let members): members.allSatisfy(\.value.hasOnlyFiniteNumbers)
        case .array(let elements): elements.allSatisfy(\.hasOnlyFiniteNumbers)
        case .number(let text): Double(text)?.isFinite == true
        case .string, .boolean, .null, .text: true
        }
    }

    fileprivate func agrees(with value: Any) -> Bool {
        switch self {
        case .object(let members):
            guard let object = value as? [String: Any] else { return false }
            // Foundation takes canonically equivalent names for one, and has the value of either.
            guard object.count == members.count else { return members.allSatisfy { object[$0.name] != nil } }
            return members.allSatisfy { $0.value.agrees(with: object[$0.name] as Any) }
        case .array(let elements):
            guard let array = value as? [Any], array.count == elements.count else { return false }
            return zip(elements, array).allSatisfy { $0.agrees(with: $1) }
        case .string(let text), .text(let text): return (value as? String)?.isSame(as: text) == true
        case .number(let text):
            // Foundation rounds integers of more than 64 bits in another way than Double.
            guard let number = Double(text), let other = (value as? NSNumber)?.doubleValue else { return false }
            return abs(number - other) <= abs(number) * 1e-12
        case .boolean(let boolean): return (value as? NSNumber)?.boolValue == boolean
        case .null: return value is NSNull
        }
    }
}
