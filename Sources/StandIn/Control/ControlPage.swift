import StandInKeys
import HTTPServer
import Parameters
import Text

/// A page of the control listener: what its requests have, and what answers them.
struct ControlPage: Sendable {
    let method: String
    let path: String
    private let read: @Sendable (ParameterTree) async throws -> any Encodable & Sendable

    /// - Parameters:
    ///   - request: its `CodingKeys` are all that a request may have: in the query of GET and DELETE, in a JSON body
    ///     otherwise.
    ///   - respond: throws ``ControlError`` for what it refuses.
    init<Request: Decodable & Sendable, Response: Encodable & Sendable>(
        _ method: String, _ path: String, _ request: Request.Type,
        respond: @escaping @Sendable (Request) async throws -> Response
    ) {
        self.init(method, path, Request.self, besides: nil) { request, _ in try await respond(request) }
    }

    /// A page about a world, which is made if it was not yet.
    init<Request: WorldRequest, Response: Encodable & Sendable>(
        _ method: String, _ path: String, _ request: Request.Type, in worlds: Worlds,
        respond: @escaping @Sendable (Request, World) async throws -> Response
    ) {
        self.init(method, path, Request.self) { request in
            try await respond(request, try await worlds.world(WorldName(control: request.World)))
        }
    }

    /// - Parameter document: a member that the page reads by itself, and which must be there.
    init<Request: Decodable & Sendable, Response: Encodable & Sendable>(
        _ method: String, _ path: String, _ request: Request.Type, besides document: String,
        respond: @escaping @Sendable (Request, ParameterTree) async throws -> Response
    ) {
        self.init(method, path, Request.self, besides: .some(document)) { request, found in
            guard let found else { throw ControlError(.missing(path: document)) }
            return try await respond(request, found)
        }
    }

    private init<Request: Decodable & Sendable, Response: Encodable & Sendable>(
        _ method: String, _ path: String, _ request: Request.Type, besides document: String?,
        respond: @escaping @Sendable (Request, ParameterTree?) async throws -> Response
    ) {
        self.method = method
        self.path = path
        read = { parameters in
            guard case .object(let members) = parameters else { throw ControlError(.notAnObject) }
            let isDocument: (ParameterTree.Member) -> Bool = { member in document.map(member.name.isSame) ?? false }
            let request: Request
            do throws(ParameterError) {
                request = try ParameterDecoder()
                    .decode(Request.self, from: .object(members.filter { !isDocument($0) }))
            } catch {
                throw ControlError(error)
            }
            return try await respond(request, members.first(where: isDocument)?.value)
        }
    }

    func respond(to http: HTTPRequest) async throws -> any Encodable & Sendable {
        let parameters: ParameterTree
        do throws(ParameterError) {
            parameters = try http.controlParameters()
        } catch {
            throw ControlError(error)
        }
        return try await read(parameters)
    }
}

/// A request about one world: the default one, if it names none.
protocol WorldRequest: Decodable, Sendable {
    var World: String? { get }
}

extension HTTPRequest {
    fileprivate func controlParameters() throws(ParameterError) -> ParameterTree {
        guard method == "POST" else { return try ParameterTree(flattened: try FormPairs((query ?? "").utf8).pairs) }
        return body.isEmpty ? .object([]) : try ParameterTree(json: body)
    }
}
