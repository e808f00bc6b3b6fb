import HTTPServer
import RequestDispatch

extension Exchange<DASFormat> {
    /// The envelope, with the `Host` that came, unless it is longer than a host can be.
    var envelope: DASEnvelope {
        DASEnvelope(requestID: requestID, host: host.utf8.count <= 255 ? host : "", format: form)
    }
}

/// What goes around every response, to one request.
struct DASEnvelope {
    let requestID: String
    /// The `Host` that the client sent.
    let host: String
    let format: DASFormat

    func success(_ response: DASResponse, of action: String) -> HTTPResponse {
        let isTyped = response.envelope == .typed
        let body: ResponseValue = [
            "Code": isTyped ? 200 : "200", "Message": "Successful", "Data": response.data,
            "RequestId": .text(requestID), "Success": isTyped ? true : "true",
        ]
        return respond(.ok, body, root: "\(action)Response", sizeHint: response.sizeHint)
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
        _ status: HTTPStatus, _ body: ResponseValue, root: String, sizeHint: Int = 0
    ) -> HTTPResponse {
        var writer = ResponseWriter(format, sizeHint: sizeHint)
        writer.append(document: body, root: root)
        return HTTPResponse(
            status: status, headers: ["Content-Type": format.contentType, "x-acs-request-id": requestID],
            body: writer.bytes)
    }
}
