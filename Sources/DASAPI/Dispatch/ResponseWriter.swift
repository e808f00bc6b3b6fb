import Text

/// Writes a response, as JSON or as XML.
struct ResponseWriter {
    private(set) var bytes: [UInt8] = []
    private let format: DASFormat

    /// - Parameter sizeHint: about so many bytes are to come; 0 for few.
    init(_ format: DASFormat, sizeHint: Int = 0) {
        self.format = format
        if sizeHint > 0 { bytes.reserveCapacity(sizeHint) }
    }

    /// - Parameter root: the name of a document's outermost element in XML.
    mutating func append(document value: ResponseValue, root: String) {
        if case .xml = format { append(ascii: "<?xml version='1.0' encoding='UTF-8'?>") }
        append(value, named: root)
    }

    /// - Parameter name: of the element in XML. A list is a container whose
    ///   children all have its own name: the form that Java's reader keeps whole.
    private mutating func append(_ value: ResponseValue, named name: String) {
        beginElement(name)
        switch value {
        case .text(let text): append(text)
        case .integer(let number): append(number)
        case .boolean(let value): append(ascii: value ? "true" : "false")
        case .list(let elements):
            appendList(of: elements.indices) { writer, index in writer.append(elements[index], named: name) }
        case .longList(let list): list.write(&self, name)
        case .object(let members):
            beginObject()
            for member in members {
                beginMember(member.name)
                append(member.value, named: member.name)
            }
            endObject()
        }
        endElement(name)
    }

    // MARK: Long lists

    mutating func append<Element: ResponseElement>(_ elements: [Element], named name: String) {
        appendList(of: elements.indices) { writer, index in
            writer.beginElement(name)
            elements[index].write(to: &writer)
            writer.endElement(name)
        }
    }

    /// The beginning of an object; up to its end stand its members, and nothing else.
    mutating func beginObject() {
        if case .json = format { bytes.append(UInt8(ascii: "{")) }
    }

    mutating func endObject() {
        if case .json = format { bytes.append(UInt8(ascii: "}")) }
    }

    /// A member of an object.
    ///
    /// - Parameter name: ASCII letters, not the name of another of its members.
    mutating func append(_ name: StaticString, _ text: String) {
        beginMember(name)
        append(text)
        endMember(name)
    }

    mutating func append(_ name: StaticString, _ number: Int64) {
        beginMember(name)
        append(number)
        endMember(name)
    }

    // MARK: Values

    mutating func append(_ text: String) {
        switch format {
        case .json: bytes.append(jsonString: text)
        case .xml: append(xmlText: text)
        }
    }

    /// Lists have three ids for each session: a `String` for each costs more than
    /// all else of it.
    mutating func append(_ number: Int64) {
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        // No number of 64 bits has more digits.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var rest = number.magnitude
            var first = digits.count
            repeat {
                first -= 1
                digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: digits[first...]))
        }
    }

    /// XML 1.0, section 2.2: most control characters cannot be written at all, so
    /// the replacement character stands for them.
    private mutating func append(xmlText text: String) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": bytes += "&amp;".utf8
            case "<": bytes += "&lt;".utf8
            case ">": bytes += "&gt;".utf8
            // A reader takes a bare one for a line feed.
            case "\r": bytes += "&#13;".utf8
            case "\u{0}"..."\u{8}", "\u{B}", "\u{C}", "\u{E}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}":
                bytes += "\u{FFFD}".utf8
            default: bytes += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
            }
        }
    }

    // MARK: What stands around values

    private mutating func appendList(
        of indices: Range<Int>, _ append: (inout ResponseWriter, Int) -> Void
    ) {
        guard case .json = format else {
            for index in indices { append(&self, index) }
            return
        }
        bytes.append(UInt8(ascii: "["))
        for index in indices {
            if index > indices.lowerBound { bytes.append(UInt8(ascii: ",")) }
            append(&self, index)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func beginMember(_ name: StaticString) {
        switch format {
        case .json:
            beginJSONMember()
            append(ascii: name)
            append(ascii: "\":")
        case .xml:
            bytes.append(UInt8(ascii: "<"))
            append(ascii: name)
            bytes.append(UInt8(ascii: ">"))
        }
    }

    private mutating func endMember(_ name: StaticString) {
        guard case .xml = format else { return }
        append(ascii: "</")
        append(ascii: name)
        bytes.append(UInt8(ascii: ">"))
    }

    /// The name of a member: in XML the value is an element that has it.
    private mutating func beginMember(_ name: String) {
        guard case .json = format else { return }
        beginJSONMember()
        bytes += name.utf8
        append(ascii: "\":")
    }

    private mutating func beginJSONMember() {
        // Before another member stands a value, none of which ends so.
        if bytes.last != UInt8(ascii: "{") { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func beginElement(_ name: String) {
        guard case .xml = format else { return }
        bytes.append(UInt8(ascii: "<"))
        bytes += name.utf8
        bytes.append(UInt8(ascii: ">"))
    }

    private mutating func endElement(_ name: String) {
        guard case .xml = format else { return }
        append(ascii: "</")
        bytes += name.utf8
        bytes.append(UInt8(ascii: ">"))
    }

    private mutating func append(ascii text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }
}
