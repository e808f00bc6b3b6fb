import ActionDispatch
import DASAPI
import HTTPServer
import RequestSigning
import TencentCloudErrors

/// The lines about requests and connections.
extension Log {
    func request(_ request: AnsweredRequest) {
        guard writes(request.cause == nil ? .info : .error) else { return }
        self.request(
            [
                ("requestId", request.requestID), ("action", request.action ?? ""),
                ("account", request.account ?? ""), ("client", request.remoteAddress),
                ("code", request.code?.rawValue ?? "OK"), ("milliseconds", String(request.duration.milliseconds)),
            ] + Self.fields(of: request.rejectedSignature), cause: request.cause)
    }

    /// Nothing of the request's target or body, where a database password may be.
    func request(_ request: AnsweredDASRequest) {
        guard writes(request.error?.cause == nil ? .info : .error) else { return }
        self.request(
            [
                ("requestId", request.requestID), ("action", request.action ?? ""),
                ("account", request.account ?? ""), ("client", request.remoteAddress),
                ("code", request.error?.code ?? "OK"), ("milliseconds", String(request.duration.milliseconds)),
            ] + Self.fields(of: request.rejectedSignature) + Self.fields(of: request.error),
            cause: request.error?.cause)
    }

    /// By these a wrong key and a rewritten `Host` look different.
    private static func fields(of refused: RejectedSignature?) -> [Log.Field] {
        guard let refused else { return [] }
        return [("reason", refused.reason.rawValue), ("host", refused.host), ("keyId", refused.keyID)]
    }

    /// What the vendor's text does not tell.
    private static func fields(of error: DASError?) -> [Log.Field] {
        guard case .invalidParameters(let defect) = error else { return [] }
        return [("reason", defect.description)]
    }

    private func request(_ fields: [Log.Field], cause: (any Error)?) {
        if let cause {
            error("request failed", fields + [("cause", "\(cause)")])
        } else {
            info("request", fields)
        }
    }

    func event(_ event: HTTPServerEvent, of listener: ServiceMetrics.Listener) {
        let place: [Log.Field] = [("listener", listener.rawValue)]
        switch event {
        case .connectionOpened: debug("connection opened", place)
        case .connectionClosed: debug("connection closed", place)
        case .rejected(let error, let address):
            info("HTTP request refused", place + [("client", address), ("reason", "\(error)")])
        case .turnedAway(let address):
            warning("a client has too many connections", place + [("client", address)])
        case .fewerConnections(let count):
            warning("too few descriptors for all connections (ulimit -n)", place + [("connections", String(count))])
        case .preambleRejected(let reason, let address):
            warning("a proxy's connection refused", place + [("client", address), ("reason", reason)])
        case .tlsFailed(let reason, let address):
            info("TLS connection refused", place + [("client", address), ("reason", reason)])
        case .acceptingPaused(let reason): warning("accepting connections paused", place + [("reason", reason)])
        case .failed(let reason): error("HTTP server failed", place + [("reason", reason)])
        }
    }
}
