import HTTPServer
import Parameters

/// Why a control request changes nothing, in words for whoever writes a test.
struct ControlError: Error, Hashable {
    let status: HTTPStatus
    let message: String

    init(_ status: HTTPStatus, _ message: String) {
        self.status = status
        self.message = message
    }
}

extension ControlError {
    init(_ error: ParameterError) {
        let message =
            switch error {
            case .malformed(let offset, let reason): "the body is not JSON at byte \(offset): \(reason)"
            case .notAnObject: "the body is JSON, but no object"
            case .malformedPair: "the query has a part without \"=\""
            case .tooManyPairs: "the query has too many parts"
            case .malformedEscape(let offset): "the query has an escape at byte \(offset) that is none"
            case .repeated(let path): "\(path): it is there twice"
            case .unknown(let path): "\(path): this page does not know it"
            case .missing(let path): "\(path): it is missing"
            case .wrongType(let path): "\(path): it is of another type"
            case .invalidValue(let path, let value): "\(path): found \(value)"
            }
        self.init(.badRequest, message)
    }
}
