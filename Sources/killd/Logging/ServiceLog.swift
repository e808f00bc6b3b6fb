import HTTPServer
import RequestDispatch
import RequestSigning

/// The lines about requests and connections.
extension Log {
    /// Nothing of the request's target or body, where a database password may be.
    func request(_ request: ExchangeRecord<some RequestRejection>) {
        let (rejection, cause) = (request.rejection, request.rejection?.cause)
        guard writes(cause == nil ? .info : .error) else { return }
        var fields: [Field] = [
            ("requestId", request.requestID), ("action", request.action ?? ""), ("account", request.account ?? ""),
            ("client", request.remoteAddress), ("code", rejection?.responseCode ?? "OK"),
            ("milliseconds", String(request.duration.milliseconds)),
        ]
        // By these a wrong key and a rewritten `Host` look different.
        if let signature = request.rejectedSignature {
            fields += [("reason", signature.reason.rawValue), ("host", signature.host), ("keyId", signature.keyID)]
        }
        // What the vendor's text does not tell.
        if let defect = rejection?.defect { fields.append(("reason", defect)) }
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
