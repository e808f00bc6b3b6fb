import FoundationEssentials
import HTTPServer
import ScriptedServers
import SessionKill
import Text

/// What tests ask of a stand-in besides the APIs: to begin anew, to fail, to tell what it was asked.
///
/// Its answers are JSON that stays: members are added, none is renamed or removed.
struct ControlPages: Sendable {
    private let pages: [ControlPage]
    /// Where the APIs are answered, for who asks for them here.
    private let elsewhere: String

    /// A test's requests are few; a snapshot is as large as what it is of.
    static var limits: HTTPLimits {
        var limits = HTTPLimits()
        limits.bodyBytes = 64 << 20
        limits.connections = 256
        return limits
    }

    /// - Parameters:
    ///   - version: of the program.
    ///   - elsewhere: the endpoints of the APIs, in words.
    init(_ worlds: Worlds, version: String, elsewhere: String) {
        pages = Self.pages(worlds, version: version)
        self.elsewhere = elsewhere
    }

    func answer(_ request: HTTPRequest) -> PendingResponse { .async { await respond(to: request) } }

    private func respond(to request: HTTPRequest) async -> HTTPResponse {
        do {
            let page = try find(request)
            return try .control(.ok, try await page.respond(to: request))
        } catch let error as ControlError {
            return .refused(error)
        } catch let error as WorldError {
            return .refused(ControlError(.serviceUnavailable, "World: \(error)"))
        } catch {
            return .refused(ControlError(.internalServerError, "\(error)"))
        }
    }

    private func find(_ request: HTTPRequest) throws(ControlError) -> ControlPage {
        if request.headers.contains("X-TC-Action") || request.headers.contains("x-acs-action")
            || request.headers.contains("Authorization")
        {
            throw ControlError(.badRequest, "this is the stand-in's control listener; \(elsewhere)")
        }
        let path = request.path
        let ofPath = pages.filter { $0.path.isSame(as: path) }
        guard !ofPath.isEmpty else {
            let names = Set(pages.map(\.path)).sorted().joined(separator: ", ")
            throw ControlError(.notFound, "\(path): there is no such page; there are \(names)")
        }
        guard let page = ofPath.first(where: { $0.method.isSame(as: request.method) }) else {
            let methods = ofPath.map(\.method).joined(separator: ", ")
            throw ControlError(.methodNotAllowed, "\(path): expected \(methods), found \(request.method)")
        }
        return page
    }

    /// The answer to a request for one of these pages that has come to an API's listener.
    ///
    /// - Parameter control: where the pages are.
    /// - Returns: nil for every other request.
    static func rejectElsewhere(_ request: HTTPRequest, control: String) -> HTTPResponse? {
        let path = request.path
        guard path.utf8.count > 1, paths.contains(where: path.isSame) else { return nil }
        return .refused(ControlError(.notFound, "\(path): it is a page of the control listener, at \(control)"))
    }

    static let paths = [
        "/health", "/worlds", "/reset", "/seed", "/snapshot", "/restore", "/requests", "/clock", "/faults", "/sessions",
    ]
}

extension HTTPResponse {
    fileprivate static func control(
        _ status: HTTPStatus, _ content: any Encodable & Sendable
    ) throws -> HTTPResponse {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return HTTPResponse(
            status: status, headers: ["Content-Type": "application/json", "Cache-Control": "no-store"],
            body: Array(try encoder.encode(content)) + [0x0A])
    }

    fileprivate static func refused(_ error: ControlError) -> HTTPResponse {
        struct Refusal: Encodable, Sendable {
            struct Words: Encodable { var Message: String }
            var Error: Words
        }
        let refusal = Refusal(Error: Refusal.Words(Message: error.message))
        return (try? control(error.status, refusal)) ?? HTTPResponse(status: error.status)
    }
}
