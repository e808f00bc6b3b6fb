import Cryptography
import HTTPServer
import Parameters

/// How an answer is written.
enum DASFormat: Sendable {
    case json
    case xml

    /// Exactly so: the Python SDK parses an error in XML only with these words.
    var contentType: String {
        switch self {
        case .json: "application/json;charset=utf-8"
        case .xml: "text/xml;charset=utf-8"
        }
    }

    /// - Parameters:
    ///   - requested: the parameter `Format`, in any case of letters. The Python
    ///     core SDK writes `None` where nothing was chosen, and hands on whatever
    ///     comes.
    ///   - otherwise: what is meant without it.
    init(requested: String?, otherwise: DASFormat) throws(DASError) {
        guard let requested, !requested.isEmpty else {
            self = otherwise
            return
        }
        // By bytes and bounded: comparing characters takes time quadratic in their combining marks.
        let letters = requested.utf8.prefix(5).map { $0 | 0x20 }
        if letters.elementsEqual("json".utf8) || letters.elementsEqual("none".utf8) {
            self = .json
        } else if letters.elementsEqual("xml".utf8) {
            self = .xml
        } else {
            throw .invalidFormat
        }
    }
}

/// What goes around every answer, to one request.
struct DASEnvelope {
    let requestID: String
    /// The `Host` that the client sent.
    let host: String
    let format: DASFormat

    func success(_ answer: DASAnswer, of action: String) -> HTTPResponse {
        let isTyped = answer.envelope == .typed
        let body: AnswerValue = [
            "Code": isTyped ? 200 : "200", "Message": "Successful", "Data": answer.data,
            "RequestId": .text(requestID), "Success": isTyped ? true : "true",
        ]
        return respond(.ok, body, root: "\(action)Response", sizeHint: answer.sizeHint)
    }

    func failure(_ error: DASError) -> HTTPResponse {
        var response = failure(error.status, error.code, error.message)
        if case .throttled(let delay) = error {
            // Milliseconds; the Python SDK and the command line client wait so long before they try again.
            response.headers.append(name: "x-acs-retry-after", value: String(Int64(delay / .milliseconds(1))))
        }
        return response
    }

    func failure(_ status: HTTPStatus, _ code: String, _ message: String) -> HTTPResponse {
        respond(
            status,
            [
                "RequestId": .text(requestID), "HostId": .text(host), "Code": .text(code), "Message": .text(message),
                "Recommend": .text(
                    "https://api.aliyun.com/troubleshoot?q=\(code)&product=DAS&requestId=\(requestID)"),
            ], root: "Error")
    }

    private func respond(
        _ status: HTTPStatus, _ body: AnswerValue, root: String, sizeHint: Int = 0
    ) -> HTTPResponse {
        var bytes: [UInt8] = []
        if sizeHint > 0 { bytes.reserveCapacity(sizeHint) }
        switch format {
        case .json: bytes.append(json: body)
        case .xml: bytes.append(xml: body, root: root)
        }
        return HTTPResponse(
            status: status, headers: ["Content-Type": format.contentType, "x-acs-request-id": requestID],
            body: bytes)
    }
}

// MARK: - The two writers

extension [UInt8] {
    mutating func append(json value: AnswerValue) {
        switch value {
        case .text(let text): append(jsonString: text)
        case .integer(let number): append(decimal: number)
        case .boolean(let value): self += (value ? "true" : "false").utf8
        case .list(let elements):
            append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { append(UInt8(ascii: ",")) }
                append(json: element)
            }
            append(UInt8(ascii: "]"))
        case .longList(let list):
            append(UInt8(ascii: "["))
            for index in 0..<list.count {
                if index > 0 { append(UInt8(ascii: ",")) }
                append(json: list.element(index))
            }
            append(UInt8(ascii: "]"))
        case .object(let members):
            append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { append(UInt8(ascii: ",")) }
                append(jsonString: member.name)
                append(UInt8(ascii: ":"))
                append(json: member.value)
            }
            append(UInt8(ascii: "}"))
        }
    }

    /// Lists have three ids for each session: a `String` for each costs more than
    /// all else of it.
    private mutating func append(decimal number: Int64) {
        if number < 0 { append(UInt8(ascii: "-")) }
        // No number of 64 bits has more digits.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var rest = number.magnitude
            var first = digits.count
            repeat {
                first -= 1
                digits[first] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            } while rest > 0
            append(contentsOf: digits[first...])
        }
    }

    /// A document. A list is a container whose children all have its own name:
    /// the form that Java's reader keeps whole.
    mutating func append(xml value: AnswerValue, root: String) {
        self += "<?xml version='1.0' encoding='UTF-8'?>".utf8
        append(xmlElement: root, value)
    }

    private mutating func append(xmlElement name: String, _ value: AnswerValue) {
        self += "<\(name)>".utf8
        switch value {
        case .text(let text): append(xmlText: text)
        case .integer(let number): append(decimal: number)
        case .boolean(let value): self += (value ? "true" : "false").utf8
        case .list(let elements): for element in elements { append(xmlElement: name, element) }
        case .longList(let list): for index in 0..<list.count { append(xmlElement: name, list.element(index)) }
        case .object(let members): for member in members { append(xmlElement: member.name, member.value) }
        }
        self += "</\(name)>".utf8
    }

    /// XML 1.0, section 2.2: most control characters cannot be written at all, so
    /// the replacement character stands for them.
    private mutating func append(xmlText text: String) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": self += "&amp;".utf8
            case "<": self += "&lt;".utf8
            case ">": self += "&gt;".utf8
            // A reader takes a bare one for a line feed.
            case "\r": self += "&#13;".utf8
            case "\u{0}"..."\u{8}", "\u{B}", "\u{C}", "\u{E}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}":
                self += "\u{FFFD}".utf8
            default: self += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
            }
        }
    }
}
