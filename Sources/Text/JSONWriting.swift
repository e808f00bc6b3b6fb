extension [UInt8] {
    /// Appends `text` as a JSON string, its quotes included (RFC 8259 section 7).
    public mutating func append(jsonString text: String) {
        append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { bytes in
            var start = 0
            for index in 0..<bytes.count where bytes[index] < 0x20 || bytes[index] == 0x22 || bytes[index] == 0x5C {
                append(contentsOf: bytes[start..<index])
                append(escapeOf: bytes[index])
                start = index + 1
            }
            append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start...]))
        }
        append(UInt8(ascii: "\""))
    }

    /// Appends a JSON array.
    public mutating func append<Item>(
        jsonArray elements: [Item], _ append: (inout [UInt8], Item) throws -> Void
    ) rethrows {
        self.append(UInt8(ascii: "["))
        for (index, element) in elements.enumerated() {
            if index > 0 { self.append(UInt8(ascii: ",")) }
            try append(&self, element)
        }
        self.append(UInt8(ascii: "]"))
    }

    private mutating func append(escapeOf byte: UInt8) {
        append(UInt8(ascii: "\\"))
        guard byte < 0x20 else { return append(byte) }
        self += (byte < 0x10 ? "u000" : "u00").utf8
        self += String(byte, radix: 16).utf8
    }
}

/// The members of a JSON object, written one after the other: for an encoder they are many times the work.
public struct JSONMembers {
    /// With commas between the members, and without the braces.
    public private(set) var bytes: [UInt8] = []

    public init() {}

    /// - Parameter value: writes it.
    public mutating func add(_ name: String, _ value: (inout [UInt8]) throws -> Void) rethrows {
        if !bytes.isEmpty { bytes.append(UInt8(ascii: ",")) }
        bytes.append(jsonString: name)
        bytes.append(UInt8(ascii: ":"))
        try value(&bytes)
    }

    /// Leaves the member out if it is `nil`.
    public mutating func add(_ name: String, _ text: String?) {
        if let text { add(name) { $0.append(jsonString: text) } }
    }

    public mutating func add(_ name: String, _ number: Int64) { add(name) { $0 += String(number).utf8 } }

    public mutating func add(_ name: String, _ flag: Bool) { add(name) { $0 += (flag ? "true" : "false").utf8 } }

    public mutating func add(_ name: String, _ texts: [String]) {
        add(name) { $0.append(jsonArray: texts) { $0.append(jsonString: $1) } }
    }

    public mutating func add(_ name: String, _ object: JSONMembers) { add(name) { $0.append(object) } }
}

extension [UInt8] {
    public mutating func append(_ object: JSONMembers) {
        append(UInt8(ascii: "{"))
        self += object.bytes
        append(UInt8(ascii: "}"))
    }
}
