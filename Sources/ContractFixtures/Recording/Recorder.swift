import APIClient
import DedicatedThread
import FileDescriptors
import FoundationEssentials
import Glibc
import HTTPServer
import RequestSigning
import Text

/// Passes requests on to another server of the API, and writes them down with what it answered.
///
/// What was not recorded is never made up: where the server gives no answer, there is none here, and no line.
public actor Recorder {
    private let thread: DedicatedThread
    public nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    private let file: FileDescriptor
    private let upstream: Verification.Target
    private let credentials: APICredentials?
    private var ids = GivenIDs()

    /// - Parameters:
    ///   - file: must not be there yet; for its owner's eyes only.
    ///   - credentials: with which requests are signed anew; nil passes them on as they were signed.
    /// - Throws: ``FileError``, or if the system has no room for a thread.
    public init(file path: String, upstream: Verification.Target, credentials: APICredentials?) throws {
        thread = try DedicatedThread(name: "recorder")
        file = try FileDescriptor(opening: path, flags: O_WRONLY | O_CREAT | O_EXCL | O_APPEND)
        self.upstream = upstream
        self.credentials = credentials
    }

    /// The handler of an ``HTTPServer``.
    public nonisolated func respond(to request: HTTPRequest) -> PendingResponse {
        .async { await self.pass(request) }
    }

    private func pass(_ request: HTTPRequest) -> ServedResponse {
        let forwarded: ForwardedRequest
        do throws(ForwardedRequest.Defect) {
            forwarded = try ForwardedRequest(request)
        } catch {
            return refusal(.badRequest, "The request is of neither API, and was not passed on: \(error)\n")
        }
        let response: APIClient.HTTPResponse
        do {
            let now = Int64(time(nil))
            let wire = try forwarded.wire(to: upstream.endpoint, by: credentials, timestamp: now)
            let timeouts = ClientTimeouts(silence: .seconds(60), whole: .seconds(120))
            response = try HTTPClient(endpoint: upstream.endpoint, trust: upstream.trust, timeouts: timeouts).connect()
                .exchange(wire.message)
        } catch let error as APIClientError {
            return refusal(.badGateway, "\(upstream.endpoint) gave no answer: \(error.reason)\n")
        } catch {
            return refusal(.badGateway, "The request cannot be passed on: \(error)\n")
        }
        let contentType = response.value(of: "content-type")
        let now = ACSTimestamp(seconds: Int64(time(nil))).text
        let step = RecordedStep(
            forwarded, status: response.status, contentType: contentType, body: response.body,
            source: "recorded from \(upstream.endpoint) at \(now)", &ids)
        guard write(step.line + [UInt8(ascii: "\n")]) else {
            return refusal(
                .internalServerError,
                "It was answered, but that cannot be recorded: \(String(cString: strerror(errno)))\n")
        }
        return answer(response)
    }

    private func answer(_ response: APIClient.HTTPResponse) -> ServedResponse {
        guard let status = HTTPStatus(rawValue: response.status) else {
            return refusal(.badGateway, "\(upstream.endpoint) answered with HTTP status \(response.status)\n")
        }
        var headers = HTTPHeaders()
        let ofConnection = ["connection", "keep-alive", "content-length", "transfer-encoding", "date"]
        for (name, value) in response.headers where !ofConnection.contains(where: { $0.isSame(as: name) }) {
            headers.append(name: name, value: value)
        }
        return ServedResponse(status: status, headers: headers, body: response.body)
    }

    private func refusal(_ status: HTTPStatus, _ words: String) -> ServedResponse {
        ServedResponse(status: status, headers: ["Content-Type": "text/plain; charset=utf-8"], body: Array(words.utf8))
    }

    private func write(_ line: [UInt8]) -> Bool { Glibc.write(file.number, line, line.count) == line.count }
}
