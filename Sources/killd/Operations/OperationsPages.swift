import FoundationEssentials
import HTTPServer
import Metrics

/// The pages of the operations listener: probes and metrics, to whoever asks.
struct OperationsPages: Sendable {
    let readiness: Readiness
    let metrics: ServiceMetrics

    /// A client needs a few hundred bytes, and few clients are needed.
    static var limits: HTTPLimits {
        var limits = HTTPLimits()
        limits.headBytes = 8 * 1_024
        limits.bodyBytes = 4 * 1_024
        limits.connections = 64
        limits.handlerTimeout = .seconds(10)
        return limits
    }

    /// In tasks, as the API's responses: a process whose tasks do not run any more
    /// must not look alive.
    func answer(_ request: HTTPRequest) -> PendingResponse { .async { await respond(to: request) } }

    private func respond(to request: HTTPRequest) async -> HTTPResponse {
        let page: () async -> HTTPResponse
        switch request.path {
        case "/healthz": page = health
        case "/readyz": page = readinessPage
        case "/metrics": page = metricsPage
        default: return .text(.notFound, "There are /healthz, /readyz and /metrics.\n")
        }
        guard request.method == "GET" || request.method == "HEAD" else {
            var response = HTTPResponse.text(.methodNotAllowed, "Only GET and HEAD.\n")
            response.headers.append(name: "Allow", value: "GET, HEAD")
            return response
        }
        return await page()
    }

    private func health() -> HTTPResponse {
        readiness.fatalProblem.map { .text(.serviceUnavailable, $0 + "\n") } ?? .text(.ok, "ok\n")
    }

    private func readinessPage() async -> HTTPResponse {
        let report = await readiness.report()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let body = try? encoder.encode(report) else { return .text(.internalServerError, "\(report.status)\n") }
        return HTTPResponse(
            status: report.isReady ? .ok : .serviceUnavailable,
            headers: ["Content-Type": "application/json", "Cache-Control": "no-store"], body: Array(body) + [0x0A])
    }

    private func metricsPage() async -> HTTPResponse {
        let report = await readiness.report()
        let text = MetricsPage.text(of: metrics.counts, report: report, process: ProcessFigures.read())
        return HTTPResponse(status: .ok, headers: ["Content-Type": MetricsText.contentType], body: text)
    }
}

extension HTTPResponse {
    fileprivate static func text(_ status: HTTPStatus, _ text: String) -> HTTPResponse {
        HTTPResponse(
            status: status, headers: ["Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"],
            body: Array(text.utf8))
    }
}
