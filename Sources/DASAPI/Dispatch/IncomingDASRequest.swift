import HTTPServer
import Parameters
import RequestDispatch
import RequestSigning
import Text

/// A request in one of the forms that DAS takes: GET or POST, parameters in the
/// query, in a form or in a JSON object, signed by a parameter (V1) or in the
/// header `Authorization` (V3).
struct IncomingDASRequest {
    let http: HTTPRequest
    let query: FormPairs
    let body: Body
    let scheme: Scheme

    enum Body {
        case empty
        case form(FormPairs)
        /// JSON, which is not parsed before it is known who sent it.
        case json([UInt8])

        var form: FormPairs? {
            if case .form(let pairs) = self { pairs } else { nil }
        }
    }

    enum Scheme {
        /// The parameter `Signature`.
        case v1
        /// `Authorization: ACS3-…`; clients of V1 send some of the `x-acs-` headers
        /// too.
        case v3
        /// Neither: an anonymous request, or one with a bearer token.
        case none
    }

    /// The most parameters; no request needs nearly as many. Each has to be read
    /// and sorted before anybody knows who sent it.
    private static let mostPairs = 256

    /// - Parameter knows: whether there is such an AccessKeyId. Asked before a long
    ///   form is read.
    init(_ http: HTTPRequest, knows: (String) -> Bool = { _ in true }) throws(DASError) {
        guard http.method.utf8.elementsEqual("GET".utf8) || http.method.utf8.elementsEqual("POST".utf8) else {
            throw .unsupportedMethod
        }
        // The Python core SDK makes two slashes of one behind its endpoint.
        guard http.path.utf8.allSatisfy({ $0 == UInt8(ascii: "/") }) else { throw .actionNotFound }
        self.http = http
        do {
            query = try FormPairs((http.query ?? "").utf8, most: Self.mostPairs)
            if http.body.count > HTTPLimits().shortBodyBytes {
                try Self.requireAccessKey(of: http, query, knows)
            }
            body = try Self.body(of: http)
        } catch let error as DASError {
            throw error
        } catch let error as ParameterError {
            throw .invalidParameters(.malformedRequest(error))
        } catch {
            throw .internalError(cause: error)
        }
        if Self.isV3(http) {
            scheme = .v3
        } else if query["Signature"] != nil || body.form?["Signature"] != nil {
            scheme = .v1
        } else {
            scheme = .none
        }
    }

    /// The AccessKeyId that a request names, whatever else is wrong with it.
    static func claimedAccessKeyID(of http: HTTPRequest) -> String? {
        guard !isV3(http) else { return accessKeyID(ofHeader: http) }
        let name = DASParameter.accessKeyID.rawValue
        let ofForm = http.mediaType == .form ? try? FormPairs.value(of: name, in: http.body) : nil
        return ofForm ?? (try? FormPairs.value(of: name, in: Array((http.query ?? "").utf8)))
    }

    private static func accessKeyID(ofHeader http: HTTPRequest) -> String? {
        http.headers["Authorization"].flatMap { try? ACS3Authorization(parsing: $0).accessKeyID }
    }

    /// - Throws: `DASError` or `ParameterError`.
    private static func requireAccessKey(of http: HTTPRequest, _ query: FormPairs, _ knows: (String) -> Bool) throws {
        // Of the header it is asked by whoever reads it: no body is read for that.
        guard !isV3(http) else { return }
        let name = DASParameter.accessKeyID.rawValue
        let ofForm = http.mediaType == .form ? try FormPairs.value(of: name, in: http.body) : nil
        guard let id = ofForm ?? query[name] else { throw DASError.missing(parameter: name) }
        guard knows(id) else { throw DASError.accessKeyNotFound }
    }

    private static func isV3(_ http: HTTPRequest) -> Bool {
        http.headers["Authorization"]?.utf8.starts(with: "ACS3-".utf8) == true
    }

    /// The AccessKeyId, if the head has it.
    var accessKeyIDOfHead: String? {
        switch scheme {
        case .v3: Self.accessKeyID(ofHeader: http)
        case .v1, .none: query[DASParameter.accessKeyID.rawValue]
        }
    }

    /// - Throws: `DASError` or `ParameterError`.
    private static func body(of http: HTTPRequest) throws -> Body {
        // Clients name all kinds of types for a body that is empty.
        guard !http.body.isEmpty else { return .empty }
        switch http.mediaType {
        case .form: return .form(try FormPairs(http.body, most: mostPairs))
        case .json: return .json(http.body)
        // Nobody would know what of it was read.
        case .other, nil: throw DASError.invalidParameters(.unknownContentType)
        }
    }

    /// How the response is to be written, as far as it says so.
    func format() throws(DASError) -> DASFormat {
        try DASFormat(requested: text("Format"), otherwise: scheme == .v3 ? .json : .xml)
    }

    /// A value of the query or the form; where both have it, the form's, which is
    /// the one that the Python core SDK signs.
    func text(_ name: String) -> String? { body.form?[name] ?? query[name] }

    /// Query and form in one, each name once.
    var pairs: [FormPairs.Pair] {
        guard let form = body.form else { return query.pairs }
        return query.pairs.filter { form[$0.name] == nil } + form.pairs
    }

    // MARK: The parameters of the action

    /// The action's parameters, without the common ones and without those that are
    /// blank. Whatever the form, they decode to the same request.
    ///
    /// - Parameter mayBeBlank: names; `nil` for all.
    /// - Throws: `ParameterError`, `.invalidValue` for another one that is blank.
    func parameters(mayBeBlank: [String]?) throws(ParameterError) -> ParameterTree {
        var members: [ParameterTree.Member] = []
        switch body {
        case .empty, .form: members = pairs.map { ParameterTree.Member(name: $0.name, value: .text($0.value)) }
        case .json(let bytes):
            guard case .object(let ofBody) = try ParameterTree(json: bytes) else { throw .notAnObject }
            let names = Set(ofBody.map { ExactText($0.name) })
            members = query.pairs.filter { !names.contains(ExactText($0.name)) }
                .map { ParameterTree.Member(name: $0.name, value: .text($0.value)) }
            members += ofBody
        }
        members.removeAll { DASParameter(name: $0.name) != nil }
        if let mayBeBlank {
            let names = mayBeBlank.map { ExactText($0) }
            for member in members where member.value.isBlank && !names.contains(ExactText(member.name)) {
                throw .invalidValue(path: member.name, value: "")
            }
        }
        return .object(members.filter { !$0.value.isBlank })
    }
}

extension ParameterTree {
    /// Whether it was sent, but with nothing in it.
    fileprivate var isBlank: Bool {
        switch self {
        case .text(let text), .string(let text): text.isEmpty
        case .null: true
        case .object, .array, .number, .boolean: false
        }
    }
}
