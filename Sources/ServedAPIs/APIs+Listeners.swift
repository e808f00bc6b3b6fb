import ActionDispatch
import DASAPI
import HTTPServer
import Parameters
import RequestDispatch
import RequestSigning
import TencentCloudErrors
import Text

/// What the two listeners answer: each its own API, and who has come to the wrong
/// one in the words of the API that was meant.
extension APIs {
    /// The response to a request at the listener of DBbrain.
    public func answer(_ request: HTTPRequest) -> PendingResponse {
        guard !request.headers.contains("X-TC-Action") else { return dispatcher.respond(to: request) }
        // Beside the event loop: a form may have to be looked through.
        return .offloaded {
            guard request.vendor == .alibabaCloud else { return dispatcher.respond(to: request) }
            return .immediate(dasDispatcher.rejectElsewhere(request))
        }
    }

    /// How long the body may be that belongs to this head.
    public func allowance(of head: HTTPRequest) -> BodyAllowance {
        guard head.vendor == .alibabaCloud else { return dispatcher.allowance(of: head) }
        return BodyAllowance(bytes: 0) { dasDispatcher.rejectElsewhere(head) }
    }

    /// The response to a request that HTTP rejects.
    ///
    /// - Parameter head: of the request, as far as it was read.
    public func refusal(of error: HTTPProtocolError, head: [UInt8]) -> HTTPResponse {
        Self.refusal(of: error, head: head, messages: messages)
    }

    public static func refusal(
        of error: HTTPProtocolError, head: [UInt8], messages: MessageOverrides = .none
    ) -> HTTPResponse {
        // Some rejections of Tencent's API have status 200.
        isMeantForDAS(head)
            ? DASDispatcher.rejection(of: error) : Dispatcher.rejection(of: error, messages: messages)
    }

    /// The response to a request at the listener of DAS.
    public func answerDAS(_ request: HTTPRequest) -> PendingResponse {
        guard !request.headers.contains("x-acs-action") else { return dasDispatcher.respond(to: request) }
        return .offloaded {
            guard request.vendor == .tencentCloud else { return dasDispatcher.respond(to: request) }
            return .immediate(dispatcher.rejectElsewhere(request))
        }
    }

    public func allowanceDAS(of head: HTTPRequest) -> BodyAllowance {
        guard head.vendor == .tencentCloud else { return dasDispatcher.allowance(of: head) }
        return BodyAllowance(bytes: 0) { dispatcher.rejectElsewhere(head) }
    }

    public static func refusalDAS(of error: HTTPProtocolError) -> HTTPResponse { DASDispatcher.rejection(of: error) }
}

extension HTTPRequest {
    /// Whose API the request is meant for, as far as that shows.
    fileprivate var vendor: CloudVendor? {
        CloudVendor(headers: headers) { name in
            let places = [Array((query ?? "").utf8), body]
            return places.contains { ((try? FormPairs.value(of: name, in: $0)) ?? nil) != nil }
        }
    }
}

/// Whether a request is one for DAS, by what is there of its head: no client of
/// Tencent's sends a POST with a query.
private func isMeantForDAS(_ head: [UInt8]) -> Bool {
    let requestLine = head.prefix { $0 != UInt8(ascii: "\r") }
    if requestLine.starts(with: "POST /?".utf8), requestLine.count > "POST /? HTTP/1.1".utf8.count { return true }
    return ["x-acs-", "AccessKeyId=", "SessionIds=", "DbUser=", "IgnoredUsers="].contains(where: head.hasBytes)
}
