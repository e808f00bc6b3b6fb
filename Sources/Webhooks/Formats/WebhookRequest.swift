import APIClient
import RequestSigning
import SessionKill

/// One attempt to deliver one or several notices: the bytes that are sent.
struct WebhookRequest {
    let message: [UInt8]

    /// - Parameter time: of the attempt, which signatures hold.
    init(_ notices: [Notice], to target: WebhookTarget, at time: UnixTime) throws {
        let seconds = time.milliseconds / 1_000
        var path = target.address.target
        var headers: [(name: String, value: String)] = [
            ("Content-Type", "application/json; charset=utf-8"), ("User-Agent", "killd"),
        ]
        var sign: BodySignature?
        switch (target.format, target.key) {
        case (.feishu, .text(let secret)):
            sign = BodySignature(
                timestamp: String(seconds), sign: try WebhookSignature.feishu(timestamp: seconds, secret: secret))
        case (.dingtalk, .text(let secret)):
            let signature = try WebhookSignature.dingTalk(timestamp: time.milliseconds, secret: secret)
            path += (path.contains("?") ? "&" : "?") + "timestamp=\(time.milliseconds)&sign=\(signature.inQuery)"
        default: break
        }
        let body = try target.format.body(of: notices, in: target.language, sign: sign)
        if let notice = notices.first, target.format == .standard {
            headers += [("webhook-id", notice.id.description), ("webhook-timestamp", String(seconds))]
            if case .standard(let key) = target.key {
                let signature = try WebhookSignature.standard(
                    id: notice.id.description, timestamp: seconds, body: body, key: key.bytes)
                headers.append(("webhook-signature", signature))
            }
        }
        var head = "POST \(path) HTTP/1.1\r\nHost: \(target.address.endpoint.authority)\r\nConnection: close\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        message = Array("\(head)Content-Length: \(body.count)\r\n\r\n".utf8) + body
    }
}

extension String {
    /// As the value of a query, of which only the characters of base64 that mean something there are escaped.
    fileprivate var inQuery: String {
        replacing("+", with: "%2B").replacing("/", with: "%2F").replacing("=", with: "%3D")
    }
}
