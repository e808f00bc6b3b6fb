import HTTPServer
import Parameters
import RequestDispatch
import RequestSigning
import TencentCloudErrors
import Text

/// A request in one of the forms that the API takes.
///
/// Source: <https://cloud.tencent.com/document/api/1278/46713>.
struct IncomingRequest {
    private let http: HTTPRequest
    private let form: Form

    private enum Form {
        /// POST with JSON; signed in the header `Authorization`, like ``query``.
        case json
        /// GET with the parameters in the query, but for the common ones.
        case query
        /// GET with a query or POST with a form that has everything, signed by
        /// the parameter `Signature`.
        case pairs(FormPairs)
    }

    /// Finds out the form and rejects what is none or too large for it.
    ///
    /// - Parameters:
    ///   - mostPairs: so many parameters a signature of version 1 may cover: each has
    ///     to be read and sorted before anybody knows who sent it.
    ///   - knows: whether there is such a SecretId. Asked before a long form is read.
    init(
        _ http: HTTPRequest, mostPairs: Int = Self.pairs(forThreads: 1_000), knows: (String) -> Bool = { _ in true }
    ) throws {
        self.http = http
        switch try Self.kind(of: http) {
        case .json: form = .json
        case .query: form = .query
        case .pairsInQuery: form = .pairs(try Self.pairs((http.query ?? "").utf8, most: mostPairs))
        case .pairsInBody:
            guard http.body.count <= Self.formLimit else { throw TencentCloudError.requestTooLargeForSignature }
            if http.body.count > HTTPLimits().shortBodyBytes {
                guard let secretID = try FormPairs.value(of: CommonParameter.secretID.rawValue, in: http.body) else {
                    throw TencentCloudError.missingParameter(CommonParameter.secretID.rawValue)
                }
                guard knows(secretID) else { throw TencentCloudError.secretIDNotFound }
            }
            form = .pairs(try Self.pairs(http.body, most: mostPairs))
        }
    }

    /// What the head tells of the form.
    private enum Kind {
        case json, query, pairsInQuery, pairsInBody
    }

    private static func kind(of http: HTTPRequest) throws(TencentCloudError) -> Kind {
        let isSignedInHeader = http.headers.contains("Authorization")
        let type = http.mediaType
        guard type != nil || !http.headers.contains("Content-Type") else { throw .repeatedParameter("Content-Type") }
        switch (http.method, type) {
        case ("POST", nil), ("POST", .json):
            return .json
        case ("POST", .form) where !isSignedInHeader:
            return .pairsInBody
        case ("GET", let type) where !isSignedInHeader || type == .form:
            guard (http.query ?? "").utf8.count <= queryLimit else {
                throw .requestSizeLimitExceeded(limit: queryLimit)
            }
            return isSignedInHeader ? .query : .pairsInQuery
        case ("GET", _), ("POST", _):
            throw .unsupportedForm
        default:
            throw .unsupportedProtocol(method: http.method)
        }
    }

    /// The SecretId that a request names, whatever else is wrong with it.
    static func claimedSecretID(of http: HTTPRequest) -> String? {
        let name = CommonParameter.secretID.rawValue
        return switch try? kind(of: http) {
        case .json, .query: http.headers["Authorization"].flatMap { try? TC3Authorization(parsing: $0).secretID }
        case .pairsInQuery: try? FormPairs.value(of: name, in: Array((http.query ?? "").utf8))
        case .pairsInBody: try? FormPairs.value(of: name, in: http.body)
        case nil: nil
        }
    }

    private static func pairs(_ bytes: some Collection<UInt8>, most: Int) throws -> FormPairs {
        do throws(ParameterError) {
            return try FormPairs(bytes, most: most)
        } catch .tooManyPairs {
            throw TencentCloudError.requestTooLargeForSignature
        }
    }

    /// How many parameters an action may have that takes so many threads: two lists
    /// of them, and room for all else.
    static func pairs(forThreads count: Int) -> Int { 1_024 + 2 * count }

    /// How long the body of a request may be that has such a head, and what it is
    /// rejected for if it is longer.
    static func allowance(of head: HTTPRequest) throws(TencentCloudError) -> (bytes: Int, rejection: TencentCloudError)
    {
        switch try kind(of: head) {
        case .json: (bodyLimit, .requestSizeLimitExceeded(limit: bodyLimit))
        case .pairsInBody: (formLimit, .requestTooLargeForSignature)
        case .query, .pairsInQuery:
            (HTTPLimits().shortBodyBytes, .requestSizeLimitExceeded(limit: HTTPLimits().shortBodyBytes))
        }
    }

    /// The most bytes of JSON, which the HTTP server keeps.
    static let bodyLimit = HTTPLimits().bodyBytes
    /// The most bytes of a form.
    private static let formLimit = 1 << 20
    /// The most bytes of a query, without the `?`.
    static let queryLimit = 32 << 10

    /// Whether the head has all that proves who sent the request.
    var isSignedInHeader: Bool { if case .pairs = form { false } else { true } }

    /// The value of a common parameter; `nil` if it is absent. See
    /// ``rejectRepetition()`` for headers that are repeated.
    subscript(parameter: CommonParameter) -> String? {
        switch form {
        case .json, .query: parameter.header.flatMap { http.headers[$0] }
        case .pairs(let pairs): pairs[parameter.rawValue]
        }
    }

    /// Rejects a header of a common parameter that is there more than once: the one
    /// that was meant and the one that is obeyed might differ.
    func rejectRepetition() throws(TencentCloudError) {
        guard isSignedInHeader else { return }
        for case let header? in CommonParameter.allCases.map(\.header)
        where http.headers[header] == nil && http.headers.contains(header) {
            throw .repeatedParameter(header)
        }
    }

    /// - Throws: `MissingParameter` also where the value is empty.
    func required(_ parameter: CommonParameter) throws(TencentCloudError) -> String {
        guard let value = self[parameter], !value.isEmpty else { throw .missingParameter(parameter.rawValue) }
        return value
    }

    /// What proves who sent the request, not verified yet.
    ///
    /// - Parameters:
    ///   - timestamp: the common parameter, Unix time in seconds.
    ///   - region: the common parameter.
    /// - Throws: `AuthFailure.InvalidAuthorization`, or `MissingParameter` or
    ///   `InvalidParameterValue` for parts of a signature of version 1.
    func signature(
        timestamp: Int64, region: String?, signedHosts: ServerNames
    ) throws(TencentCloudError) -> any SignedRequest {
        let signedHosts = signedHosts.adding(port: http.forwardedPort)
        switch form {
        case .json, .query:
            do {
                return try TC3SignedRequest(
                    TC3Request(
                        method: http.method, query: http.query ?? "", headers: http.headers, payload: http.body,
                        timestamp: timestamp, region: region),
                    signedHosts: signedHosts)
            } catch .absent(header: "authorization") {
                // Without the header it would be signature V1, whose SecretId is a parameter.
                throw .missingParameter("SecretId")
            } catch {
                throw .invalidAuthorization(AuthorizationDefect(error))
            }
        case .pairs(let pairs):
            let (secretID, signature) = (try required(.secretID), try required(.signature))
            guard let method = V1Signature.Method(parameter: self[.signatureMethod]) else {
                throw .invalidValue(self[.signatureMethod] ?? "", of: CommonParameter.signatureMethod.rawValue)
            }
            return V1SignedRequest(
                httpMethod: http.method, host: http.headers["Host"] ?? "", parameters: pairs.pairs,
                secretID: secretID, signature: signature, method: method, timestamp: timestamp, region: region,
                signedHosts: signedHosts)
        }
    }

    /// The action's own parameters. Whatever the form, they decode to the same request.
    func parameters() throws(ParameterError) -> ParameterTree {
        switch form {
        case .json: try ParameterTree(json: http.body)
        case .query: try ParameterTree(flattened: try FormPairs((http.query ?? "").utf8).pairs)
        case .pairs(let pairs):
            try ParameterTree(flattened: pairs.pairs.filter { !CommonParameter.isName($0.name) })
        }
    }
}

/// The parameters that every action has: `X-TC-…` headers where the signature is
/// in a header, else beside the action's own. The last five exist only there.
enum CommonParameter: String, CaseIterable {
    case action = "Action"
    case version = "Version"
    case timestamp = "Timestamp"
    case region = "Region"
    case language = "Language"
    case token = "Token"
    case requestClient = "RequestClient"
    case nonce = "Nonce"
    case secretID = "SecretId"
    case signature = "Signature"
    case signatureMethod = "SignatureMethod"

    /// Its name where the signature is in a header.
    var header: String? {
        switch self {
        case .action: "X-TC-Action"
        case .version: "X-TC-Version"
        case .timestamp: "X-TC-Timestamp"
        case .region: "X-TC-Region"
        case .language: "X-TC-Language"
        case .token: "X-TC-Token"
        case .requestClient, .nonce, .secretID, .signature, .signatureMethod: nil
        }
    }

    private static let names = Set(allCases.map { ExactText($0.rawValue) })

    /// Whether a parameter is one of these.
    static func isName(_ name: String) -> Bool { names.contains(ExactText(name)) }
}

extension AuthorizationDefect {
    fileprivate init(_ error: TC3AuthorizationError) {
        self =
            switch error {
            case .unsigned: .unsigned
            case .unsupportedAlgorithm: .algorithm
            case .missing(let part): .missing(part: part.rawValue)
            case .invalid(.credential): .credential
            case .invalid(.signedHeaders): .signedHeaders
            case .invalid(.signature): .signature
            case .trailingText: .trailingText
            case .invalidDate: .date
            case .timestampNotInSeconds: .timestampNotInSeconds
            case .invalidService: .service
            case .notSigned(let header): .notSigned(header: header)
            case .absent(let header): .absent(header: header)
            case .repeated(let header): .repeated(header: header)
            }
    }
}
