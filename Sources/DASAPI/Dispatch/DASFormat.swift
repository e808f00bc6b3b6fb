/// How a response is written.
public enum DASFormat: Sendable {
    case json
    case xml

    /// The `Content-Type`, exactly so: the Python SDK parses an error in XML only with these words.
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
